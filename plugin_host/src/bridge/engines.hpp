// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once

#include <array>

namespace gvm::bridge {

/// The engines that a request may name; projects store an engine's place.
enum class EngineName { kAuto, kGvm, kPreview, kTest };

inline constexpr std::array<const char*, 4> kEngineWords{
    "auto",
    "gvm",
    "preview",
    "test",
};

inline constexpr std::array<const char*, 4> kEngineLabels{
    "Automatic",
    "GVM",
    "Preview",
    "Test Pattern",
};

}  // namespace gvm::bridge
