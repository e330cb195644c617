#include "bridge/wire.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <msgpack.hpp>
#include <set>
#include <type_traits>
#include <utility>

#include "bridge/generated/fields.hpp"
#include "bridge/text.hpp"

namespace gvm::bridge {
namespace {

constexpr std::size_t kMaxDepth = 32;  // the deepest message has 5 levels
constexpr char kRestart[] =
    "Restart the server (`gvm stop`), or update the plug-in, so that both "
    "are of one release.";

/// A value that does not fit its field.
struct Mismatch {
  std::string reason;
};

/// Where a value stands in the message; made a text only where something is wrong there.
struct Where {
  const char* name;
  const Where* above = nullptr;

  std::string text() const {
    if (!above) return name;
    return above->text() + (*name == '[' ? "" : ".") + name;
  }
};

[[noreturn]] void refuse(const Where& where, const std::string& reason) {
  throw Mismatch{where.text() + " " + reason};
}

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

struct Counter {
  std::uint32_t count = 0;
  template <class T>
  void operator()(const char*, T&) {
    ++count;
  }
  template <class T>
  void defaulted(const char*, T&) {
    ++count;
  }
};

using Buffer = msgpack::sbuffer;
using Out = msgpack::packer<Buffer>;

class Packer {
 public:
  Packer(Buffer& buffer, Out& out) : buffer_(buffer), out_(out) {}

  template <class T>
  void operator()(const char* name, T& value) {
    out_.pack(name);
    pack(value);
  }
  template <class T>
  void defaulted(const char* name, T& value) {
    (*this)(name, value);
  }

  template <class T>
  void pack(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      pack_text(value);
    } else if constexpr (std::is_same_v<T, double>) {
      pack_float64(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_.pack(value);
    } else if constexpr (std::is_same_v<T, CodeWord>) {
      pack_text(value.word);
    } else if constexpr (std::is_enum_v<T>) {
      out_.pack(kWords<T>[static_cast<std::size_t>(value)]);
    } else if constexpr (IsVector<T>::value) {
      out_.pack_array(static_cast<std::uint32_t>(value.size()));
      for (auto& item : value) pack(item);
    } else if constexpr (IsOptional<T>::value) {
      value ? pack(*value) : static_cast<void>(out_.pack_nil());
    } else if constexpr (IsVariant<T>::value) {
      std::visit([this](auto& option) { this->pack_struct(option, kind_of(option)); }, value);
    } else {
      pack_struct(value, nullptr);
    }
  }

 private:
  /// The library packs a whole number's double as an integer, which is not canonical here.
  void pack_float64(double number) {
    std::uint64_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    char bytes[9] = {static_cast<char>(0xCB)};
    for (int index = 0; index < 8; ++index) {
      bytes[1 + index] = static_cast<char>(bits >> (56 - 8 * index) & 0xFF);
    }
    buffer_.write(bytes, sizeof bytes);
  }

  void pack_text(const std::string& text) {
    if (text.size() > kMaxText || !is_utf8(text)) {
      throw Error(code::kBadRequest,
                  "A text of " + std::to_string(text.size()) + " bytes is too long or not UTF-8.");
    }
    out_.pack(text);
  }

  template <class T>
  void pack_struct(T& value, const char* kind) {
    check(value);
    Counter counter;
    fields(counter, value);
    out_.pack_map(counter.count + (kind ? 1 : 0));
    if (kind) {
      out_.pack("kind");
      out_.pack(kind);
    }
    fields(*this, value);
  }

  Buffer& buffer_;
  Out& out_;
};

using Object = msgpack::object;

const Object* find(const Object& map, std::string_view name) {
  for (const auto& [key, value] : map.via.map) {
    if (std::string_view(key.via.str.ptr, key.via.str.size) == name) return &value;
  }
  return nullptr;
}

void require_map(const Object& value, const Where& where) {
  if (value.type != msgpack::type::MAP) refuse(where, "must be a map");
}

std::string text_of(const Object& value, const Where& where, std::size_t bound = kMaxText) {
  if (value.type != msgpack::type::STR) refuse(where, "must be a text");
  if (value.via.str.size > bound) refuse(where, "is too long");
  return {value.via.str.ptr, value.via.str.size};
}

std::int64_t integer_of(const Object& value, const Where& where) {
  const bool negative = value.type == msgpack::type::NEGATIVE_INTEGER;
  const bool positive = value.type == msgpack::type::POSITIVE_INTEGER &&
                        value.via.u64 <= static_cast<std::uint64_t>(INT64_MAX);
  if (!negative && !positive) refuse(where, "must be an integer of 64 bits");
  return negative ? value.via.i64 : static_cast<std::int64_t>(value.via.u64);
}

double number_of(const Object& value, const Where& where) {
  const bool real = value.type == msgpack::type::FLOAT64 || value.type == msgpack::type::FLOAT32;
  const double number = real ? value.via.f64 : static_cast<double>(integer_of(value, where));
  if (!std::isfinite(number)) refuse(where, "is not a finite number");
  return number;
}

bool truth_of(const Object& value, const Where& where) {
  if (value.type != msgpack::type::BOOLEAN) refuse(where, "must be a bool");
  return value.via.boolean;
}

/// The index of a text among `words`; their number where it is none of them.
template <class Words>
std::size_t index_of(const std::string& text, const Words& words) {
  return std::find(words.begin(), words.end(), text) - words.begin();
}

class Unpacker {
 public:
  Unpacker(const Object& map, const Where& where) : map_(map), where_(where) {
    require_map(map, where);
  }

  template <class T>
  void operator()(const char* name, T& value) {
    unpack(field(name), value, Where{name, &where_});
  }
  template <class T>
  void defaulted(const char* name, T& value) {
    if (find(map_, name)) (*this)(name, value);
  }

  /// Every field of the map was one of the struct's.
  void end(std::uint32_t besides) const {
    if (known_ + besides != map_.via.map.size) refuse(where_, "has an unknown field");
  }

  template <class T>
  static void unpack_struct(const Object& map, T& value, const Where& where,
                            std::uint32_t besides = 0) {
    Unpacker unpacker(map, where);
    fields(unpacker, value);
    unpacker.end(besides);
    check(value);
  }

 private:
  const Object& field(const char* name) {
    const Object* item = find(map_, name);
    if (!item) refuse(where_, std::string("lacks the field `") + name + "`");
    ++known_;
    return *item;
  }

  template <class... Options>
  static void unpack(const Object& item, std::variant<Options...>& value, const Where& where) {
    require_map(item, where);
    const Object* kind = find(item, "kind");
    if (!kind) refuse(where, "has no kind");
    const Where here{"kind", &where};
    const std::string word = text_of(*kind, here);
    const bool known = (try_option<Options>(item, value, where, word) || ...);
    if (!known) refuse(here, "is unknown");
  }

  template <class Option, class Variant>
  static bool try_option(const Object& item, Variant& value, const Where& where,
                         const std::string& word) {
    Option option;
    if (word != kind_of(option)) return false;
    unpack_struct(item, option, where, 1);
    value = std::move(option);
    return true;
  }

  template <class T>
  static void unpack(const Object& item, T& value, const Where& where) {
    if constexpr (std::is_same_v<T, std::string>) {
      value = text_of(item, where);
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      value = integer_of(item, where);
    } else if constexpr (std::is_same_v<T, double>) {
      value = number_of(item, where);
    } else if constexpr (std::is_same_v<T, bool>) {
      value = truth_of(item, where);
    } else if constexpr (std::is_same_v<T, CodeWord>) {
      value.word = text_of(item, where);
      if (index_of(value.word, kCodeWords) == kCodeWords.size()) refuse(where, "is no error code");
    } else if constexpr (std::is_enum_v<T>) {
      const std::size_t index = index_of(text_of(item, where), kWords<T>);
      if (index == kWords<T>.size()) refuse(where, "is an unknown word");
      value = static_cast<T>(index);
    } else if constexpr (IsVector<T>::value) {
      if (item.type != msgpack::type::ARRAY) refuse(where, "must be a list");
      value.resize(item.via.array.size);
      const Where each{"[]", &where};
      for (std::uint32_t i = 0; i < item.via.array.size; ++i) {
        unpack(item.via.array.ptr[i], value[i], each);
      }
    } else if constexpr (IsOptional<T>::value) {
      if (item.type == msgpack::type::NIL) {
        value.reset();
      } else {
        unpack(item, value.emplace(), where);
      }
    } else {
      unpack_struct(item, value, where);
    }
  }

  const Object& map_;
  const Where& where_;
  std::uint32_t known_ = 0;
};

/// What msgpack itself allows and we do not: keys that are no texts, or twice; broken UTF-8.
void check_tree(const Object& value) {
  if (value.type == msgpack::type::STR) {
    if (!is_utf8({value.via.str.ptr, value.via.str.size})) throw Mismatch{"broken UTF-8"};
  } else if (value.type == msgpack::type::ARRAY) {
    for (const Object& item : value.via.array) check_tree(item);
  } else if (value.type == msgpack::type::MAP) {
    std::set<std::string_view> names;
    for (const auto& [key, item] : value.via.map) {
      check_tree(key);
      if (key.type != msgpack::type::STR) throw Mismatch{"a key that is no text"};
      if (!names.emplace(key.via.str.ptr, key.via.str.size).second) {
        throw Mismatch{"a map names a field twice"};
      }
      check_tree(item);
    }
  }
}

template <std::size_t... I>
Message message_called(const std::string& word, std::index_sequence<I...>) {
  Message message;
  const bool known = ((word == kMessageWords[I] ? (message.emplace<I>(), true) : false) || ...);
  if (!known) throw Mismatch{"there is no message `" + word.substr(0, kMaxRequest) + "`"};
  return message;
}

msgpack::object_handle parse(std::string_view bytes) {
  if (bytes.size() > kMaxMessageBytes) throw Mismatch{"it is too big"};
  const msgpack::unpack_limit limit(kMaxCuts, kMaxFields, kMaxText, 0, 0, kMaxDepth);
  try {
    std::size_t end = 0;
    msgpack::object_handle handle =
        msgpack::unpack(bytes.data(), bytes.size(), end, nullptr, nullptr, limit);
    if (end != bytes.size()) throw Mismatch{"it goes on after its end"};
    if (handle->type != msgpack::type::MAP) throw Mismatch{"it is no map"};
    check_tree(handle.get());
    return handle;
  } catch (const msgpack::unpack_error& error) {
    throw Mismatch{error.what()};
  }
}

void check_version(const Object& map, const std::string& request) {
  const Object* version = find(map, "v");
  const bool whole = version && (version->type == msgpack::type::POSITIVE_INTEGER ||
                                 version->type == msgpack::type::NEGATIVE_INTEGER);
  if (!whole) throw Mismatch{"it does not say its protocol version"};
  if (version->via.i64 != kProtocolVersion) {
    throw UnreadableMessage(code::kVersionMismatch,
                            "The message speaks protocol version " +
                                std::to_string(version->via.i64) + "; this plug-in speaks " +
                                std::to_string(kProtocolVersion) + ". " + kRestart,
                            request);
  }
}

Message unpack_message(const Object& map) {
  for (const char* name : {"v", "type", "request", "body"}) {
    if (!find(map, name)) throw Mismatch{std::string("the envelope lacks `") + name + "`"};
  }
  if (map.via.map.size != 4) throw Mismatch{"the envelope has an unknown field"};
  text_of(*find(map, "request"), Where{"request"}, kMaxRequest);
  Message message = message_called(text_of(*find(map, "type"), Where{"type"}),
                                   std::make_index_sequence<std::variant_size_v<Message>>());
  const Where body{"body"};
  std::visit([&](auto& kind) { Unpacker::unpack_struct(*find(map, "body"), kind, body); }, message);
  return message;
}

std::string request_of(const Object& map) {
  const Object* name = find(map, "request");
  const bool readable =
      name && name->type == msgpack::type::STR && name->via.str.size <= kMaxRequest;
  return readable ? std::string(name->via.str.ptr, name->via.str.size) : "";
}

}  // namespace

std::string encode(const Message& message, const std::string& request) {
  Message copy = message;  // `fields` serves reading too and so takes what it could change
  Buffer buffer;
  Out out(buffer);
  out.pack_map(4);
  out.pack("v");
  out.pack(kProtocolVersion);
  out.pack("type");
  out.pack(kMessageWords[message.index()]);
  out.pack("request");
  out.pack(request);
  out.pack("body");
  Packer packer(buffer, out);
  std::visit([&](auto& kind) { packer.pack(kind); }, copy);
  if (buffer.size() > kMaxMessageBytes || request.size() > kMaxRequest) {
    throw Error(code::kBadRequest, "The message takes " + std::to_string(buffer.size()) +
                                       " bytes; the protocol's bound is " +
                                       std::to_string(kMaxMessageBytes) + ".");
  }
  return {buffer.data(), buffer.size()};
}

Envelope decode(std::string_view bytes) {
  std::string request;
  try {
    const msgpack::object_handle handle = parse(bytes);
    request = request_of(handle.get());
    check_version(handle.get(), request);
    return {request, unpack_message(handle.get())};
  } catch (const Mismatch& mismatch) {
    throw UnreadableMessage(code::kMalformed, "Not a message: " + mismatch.reason + ".", request);
  } catch (const UnreadableMessage&) {
    throw;
  } catch (const Error& error) {
    throw UnreadableMessage(error.code(), error.what(), request);
  }
}

}  // namespace gvm::bridge
