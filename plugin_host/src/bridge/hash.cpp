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

constexpr Hasher::Lanes first_lanes() {
  Hasher::Lanes lanes{};
  for (std::size_t lane = 0; lane < Hasher::kLanes; ++lane) {
    lanes[lane] = 0x9e3779b97f4a7c15u * (2 * lane + 1);  // of the golden ratio
  }
  return lanes;
}

std::uint64_t word_at(const unsigned char* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

Hasher::Hasher() : lanes_(first_lanes()) {}

std::string Hash::hex() const {
  std::string text;
  for (std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[half >> shift & 15];
  }
  return text;
}

Hasher& Hasher::bytes(const void* data, std::size_t count) {
  constexpr std::size_t kStep = 8 * kLanes;
  const auto* from = static_cast<const unsigned char*>(data);
  std::size_t left = count;
  Lanes lanes = lanes_;  // of its own: the compiler need not write them at each step
  for (; left >= kStep; left -= kStep, from += kStep) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = fold(lanes[lane] ^ word_at(from + 8 * lane), kSalt[lane % 4]) + lanes[lane];
    }
  }
  std::array<unsigned char, kStep> rest{};
  if (left > 0) std::memcpy(rest.data(), from, left);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::uint64_t word = word_at(rest.data() + 8 * lane);
    lanes_[lane] = fold(lanes[lane] ^ word, kSalt[3 - lane % 4]) ^ count;
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
  std::array<std::uint64_t, 4> joined{lanes_[0], lanes_[1], lanes_[2], lanes_[3]};
  for (std::size_t lane = 4; lane < kLanes; ++lane) {
    std::uint64_t& into = joined[lane % 4];
    into = fold(into ^ lanes_[lane], kSalt[lane % 4]) + into;
  }
  const std::uint64_t first = fold(joined[0] ^ kSalt[0], joined[1] ^ kSalt[1]);
  const std::uint64_t second = fold(joined[2] ^ kSalt[2], joined[3] ^ kSalt[3]);
  const std::uint64_t third = fold(joined[0] ^ kSalt[3], joined[2] ^ kSalt[1]);
  const std::uint64_t fourth = fold(joined[1] ^ kSalt[2], joined[3] ^ kSalt[0]);
  return {fold(first ^ kSalt[1], second ^ kSalt[0]) ^ third,
          fold(third ^ kSalt[2], fourth ^ kSalt[3]) ^ second};
}

}  // namespace gvm::bridge
