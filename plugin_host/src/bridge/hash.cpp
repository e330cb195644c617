#include "bridge/hash.hpp"

#include <filesystem>

#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

__extension__ using Wide = unsigned __int128;

// Odd, with about half of the bits set; the fractional digits of the square roots of 2, 3, 5, 7.
constexpr std::array<std::uint64_t, 4> kSalt{0x6a09e667f3bcc909u, 0xbb67ae8584caa73bu,
                                             0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u};

std::uint64_t fold(std::uint64_t left, std::uint64_t right) {
  const Wide product = static_cast<Wide>(left) * right;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

std::uint64_t word_at(const unsigned char* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

std::string Hash::hex() const {
  std::string text;
  for (std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[half >> shift & 15];
  }
  return text;
}

Hasher& Hasher::bytes(const void* data, std::size_t count) {
  const auto* from = static_cast<const unsigned char*>(data);
  std::size_t left = count;
  for (; left >= 32; left -= 32, from += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      lanes_[lane] = fold(lanes_[lane] ^ word_at(from + 8 * lane), kSalt[lane]) + lanes_[lane];
    }
  }
  std::array<unsigned char, 32> rest{};
  if (left > 0) std::memcpy(rest.data(), from, left);
  for (std::size_t lane = 0; lane < 4; ++lane) {
    lanes_[lane] = fold(lanes_[lane] ^ word_at(rest.data() + 8 * lane), kSalt[3 - lane]) ^ count;
  }
  return *this;
}

Hasher& Hasher::file(const std::string& path) {
  text(path);
  const std::optional<FileFacts> facts = facts_of(std::filesystem::u8path(path));
  if (path.empty() || !facts) return *this;
  return value(facts->size).value(facts->inode).value(facts->seconds).value(facts->nanoseconds);
}

Hash Hasher::end() const {
  const std::uint64_t first = fold(lanes_[0] ^ kSalt[0], lanes_[1] ^ kSalt[1]);
  const std::uint64_t second = fold(lanes_[2] ^ kSalt[2], lanes_[3] ^ kSalt[3]);
  const std::uint64_t third = fold(lanes_[0] ^ kSalt[3], lanes_[2] ^ kSalt[1]);
  const std::uint64_t fourth = fold(lanes_[1] ^ kSalt[2], lanes_[3] ^ kSalt[0]);
  return {fold(first ^ kSalt[1], second ^ kSalt[0]) ^ third,
          fold(third ^ kSalt[2], fourth ^ kSalt[3]) ^ second};
}

}  // namespace gvm::bridge
