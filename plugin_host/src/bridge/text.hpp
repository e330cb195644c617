// Texts: UTF-8, counts and times as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gvm::bridge {

/// Whether bytes are UTF-8 by Unicode 15, table 3-7: no overlong forms, no surrogates, nothing
/// above U+10FFFF.
bool is_utf8(std::string_view bytes);

/// Whether a path is absolute on Linux, macOS or Windows, wherever this runs: the rule of
/// gvm_client/paths.py.
bool is_absolute(std::string_view path);

/// Bytes as lower-case hexadecimal digits, two each.
std::string hexadecimal(std::string_view bytes);

/// A count and its noun, "1 frame" or "2 frames"; the noun takes a plain `s`.
std::string counted(std::int64_t count, const std::string& noun);

/// "8 s", "1.5 s".
std::string in_seconds(double seconds);

}  // namespace gvm::bridge
