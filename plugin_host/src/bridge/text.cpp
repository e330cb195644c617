#include "bridge/text.hpp"

#include <sstream>

namespace gvm::bridge {
namespace {

struct Lead {
  std::size_t followers;
  std::uint32_t bits;
  std::uint32_t smallest;
};

/// Of a lead byte: how many bytes follow it (4: it is no lead byte), its bits of the code point,
/// and the smallest code point that needs so many bytes.
Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {0, byte, 0};
  if ((byte & 0xE0) == 0xC0) return {1, byte & 0x1Fu, 0x80};
  if ((byte & 0xF0) == 0xE0) return {2, byte & 0x0Fu, 0x800};
  if ((byte & 0xF8) == 0xF0) return {3, byte & 0x07u, 0x10000};
  return {4, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const Lead lead = lead_of(static_cast<unsigned char>(bytes[at]));
    if (lead.followers == 4 || at + lead.followers >= bytes.size()) return false;
    std::uint32_t point = lead.bits;
    for (std::size_t i = 0; i < lead.followers; ++i) {
      const auto next = static_cast<unsigned char>(bytes[++at]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3Fu);
    }
    const bool surrogate = 0xD800 <= point && point <= 0xDFFF;
    if (point < lead.smallest || surrogate || point > 0x10FFFF) return false;
  }
  return true;
}

bool is_absolute(std::string_view path) {
  const auto is_slash = [](char letter) { return letter == '/' || letter == '\\'; };
  const auto at = [&](std::size_t index) { return index < path.size() ? path[index] : '\0'; };
  if (at(0) == '/') return true;
  const bool letter = ('A' <= at(0) && at(0) <= 'Z') || ('a' <= at(0) && at(0) <= 'z');
  if (letter && at(1) == ':' && is_slash(at(2))) return true;
  if (path.rfind("\\\\", 0) != 0) return false;
  const std::size_t server = path.find_first_of("/\\", 2);  // where the server's name ends
  return server != std::string_view::npos && server > 2 && path[server] == '\\' &&
         server + 1 < path.size() && !is_slash(path[server + 1]);
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string in_seconds(double seconds) {
  std::ostringstream text;
  text << seconds << " s";
  return text.str();
}

}  // namespace gvm::bridge
