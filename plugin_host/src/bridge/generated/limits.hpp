// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gvm::bridge {

inline constexpr std::int64_t kProtocolVersion = 8;
inline constexpr std::size_t kMaxMessageBytes = 1048576;
inline constexpr std::size_t kMaxText = 8192;
inline constexpr std::size_t kMaxRequest = 64;
inline constexpr std::size_t kMaxFields = 64;
inline constexpr std::size_t kMaxFramesInMessage = 1024;
inline constexpr std::size_t kMaxCuts = 10000;
inline constexpr std::size_t kMaxJobs = 256;
inline constexpr std::size_t kMaxVariables = 64;
inline constexpr std::uintmax_t kMaxConfigBytes = 67108864;
inline constexpr std::int64_t kMaxBufferSide = 65536;
inline constexpr std::size_t kShownColumns = 32;
inline constexpr std::size_t kShownRows = 18;
inline constexpr std::size_t kShownSamples = 16;
inline constexpr float kShownEqual = 1e-05;
inline constexpr double kMaxShownAspect = 100.0;
inline constexpr std::size_t kMaxConnectionBytes = 65536;
inline constexpr std::uintmax_t kMaxLogBytes = 1048576;
inline constexpr std::int64_t kMaxFramesPerWindow = 256;
inline constexpr std::int64_t kMaxSteps = 50;
inline constexpr std::int64_t kMaxSide = 8192;
inline constexpr std::size_t kMaxRegions = 1024;
inline constexpr double kMaxRegionScale = 4.0;
inline constexpr double kMaxRadius = 256.0;
inline constexpr int kHeartbeatMs = 1000;
inline constexpr int kHeartbeatTimeoutMs = 5000;
inline constexpr int kHandshakeMs = 5000;
inline constexpr int kHighWaterMark = 256;
inline constexpr double kSilenceSeconds = 5.0;
inline constexpr double kStartSeconds = 60.0;

/// Of each engine, in the order of `EngineName`: frames around a window.
inline constexpr std::array<std::int64_t, 4> kEngineReaches{2, 0, 2, 0};

inline constexpr std::array<const char*, 9> kScrubbedPrefixes{
    "LD_",
    "DYLD_",
    "QT_",
    "QML",
    "KMP_",
    "GOMP_",
    "OCIO",
    "OPENIMAGEIO_",
    "PYTHON",
};

inline constexpr std::array<const char*, 8> kScrubbed{
    "GVM_WEIGHTS",
    "OIIO_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PWD",
    "OLDPWD",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
};

inline constexpr std::array<const char*, 16> kMovieExtensions{
    ".mov",
    ".mp4",
    ".m4v",
    ".mkv",
    ".webm",
    ".avi",
    ".mxf",
    ".mpg",
    ".mpeg",
    ".ts",
    ".m2ts",
    ".mts",
    ".wmv",
    ".flv",
    ".ogv",
    ".gif",
};

inline constexpr std::array<const char*, 2> kFileLayers{
    "one",
    "separate",
};

inline constexpr std::array<const char*, 4> kFileCompressions{
    "zips",
    "zip",
    "piz",
    "htj2k256",
};

inline constexpr std::array<const char*, 3> kDespills{
    "none",
    "green",
    "blue",
};

}  // namespace gvm::bridge
