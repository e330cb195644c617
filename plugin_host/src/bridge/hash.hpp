// A fast 128-bit hash of pixels and settings, to tell equal from different; no shield against
// malice.
//
// Sixteen lanes of 64 bits each take eight bytes a step by a xor and a 64x64 to 128 bit
// multiplication with a constant, folded by xor (the mixing step that is commonly called "mum"),
// and are joined at the end with the length. So many keep the multiplier busy: no lane waits for
// its last step, and memory is what bounds the speed. Collisions of honest data are as unlikely as 2^-64 for any pair that
// matters here; a hash value never leaves this machine but as the name of a frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace gvm::bridge {

struct Hash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const Hash& other) const { return high == other.high && low == other.low; }
  bool operator<(const Hash& other) const {
    return high != other.high ? high < other.high : low < other.low;
  }

  /// 32 hexadecimal digits.
  std::string hex() const;
};

/// Takes bytes piece by piece; where one piece ends and the next begins is part of the hash.
class Hasher {
 public:
  static constexpr std::size_t kLanes = 16;
  using Lanes = std::array<std::uint64_t, kLanes>;

  Hasher();
  Hasher& bytes(const void* data, std::size_t count);
  Hasher& text(std::string_view text) { return bytes(text.data(), text.size()); }

  template <class T>
  Hasher& value(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    return bytes(&value, sizeof value);
  }
  Hasher& value(const Hash& hash) { return value(hash.high).value(hash.low); }

  /// A file's path, size, inode and time of change; what is no file adds its path alone.
  Hasher& file(const std::string& path);

  Hash end() const;

 private:
  Lanes lanes_;
};

}  // namespace gvm::bridge
