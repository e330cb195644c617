// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once

#include <array>

namespace gvm::bridge {

namespace code {
inline constexpr char kBadRequest[] = "bad_request";
inline constexpr char kPlateMissing[] = "plate_missing";
inline constexpr char kPlateUnreadable[] = "plate_unreadable";
inline constexpr char kPlateAmbiguous[] = "plate_ambiguous";
inline constexpr char kPlateMismatch[] = "plate_mismatch";
inline constexpr char kPlateNotFinite[] = "plate_not_finite";
inline constexpr char kRangeOutside[] = "range_outside";
inline constexpr char kColourspaceUnknown[] = "colourspace_unknown";
inline constexpr char kOutputUnwritable[] = "output_unwritable";
inline constexpr char kOutputInUse[] = "output_in_use";
inline constexpr char kOutputNotOurs[] = "output_not_ours";
inline constexpr char kDiskFull[] = "disk_full";
inline constexpr char kPathRefused[] = "path_refused";
inline constexpr char kEngineUnavailable[] = "engine_unavailable";
inline constexpr char kEngineFailed[] = "engine_failed";
inline constexpr char kOutOfMemory[] = "out_of_memory";
inline constexpr char kUnknownJob[] = "unknown_job";
inline constexpr char kVersionMismatch[] = "version_mismatch";
inline constexpr char kMalformed[] = "malformed";
inline constexpr char kIllegalMove[] = "illegal_move";
inline constexpr char kServerRunning[] = "server_running";
inline constexpr char kServerNotRunning[] = "server_not_running";
inline constexpr char kServerStartFailed[] = "server_start_failed";
inline constexpr char kServerLost[] = "server_lost";
inline constexpr char kServerBusy[] = "server_busy";
inline constexpr char kRuntimeUnsafe[] = "runtime_unsafe";
inline constexpr char kCancelled[] = "cancelled";
inline constexpr char kInternal[] = "internal";
}  // namespace code

inline constexpr std::array kCodeWords{
    code::kBadRequest,
    code::kPlateMissing,
    code::kPlateUnreadable,
    code::kPlateAmbiguous,
    code::kPlateMismatch,
    code::kPlateNotFinite,
    code::kRangeOutside,
    code::kColourspaceUnknown,
    code::kOutputUnwritable,
    code::kOutputInUse,
    code::kOutputNotOurs,
    code::kDiskFull,
    code::kPathRefused,
    code::kEngineUnavailable,
    code::kEngineFailed,
    code::kOutOfMemory,
    code::kUnknownJob,
    code::kVersionMismatch,
    code::kMalformed,
    code::kIllegalMove,
    code::kServerRunning,
    code::kServerNotRunning,
    code::kServerStartFailed,
    code::kServerLost,
    code::kServerBusy,
    code::kRuntimeUnsafe,
    code::kCancelled,
    code::kInternal,
};

}  // namespace gvm::bridge
