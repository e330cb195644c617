#include "node/composite.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "node/feather.hpp"
#include "node/half.hpp"

namespace gvm::node {
namespace {

struct Half {
  std::uint16_t bits;
};

inline float load(std::uint8_t value) { return static_cast<float>(value) / 255.0f; }
inline float load(std::uint16_t value) { return static_cast<float>(value) / 65535.0f; }
inline float load(Half value) { return float_of_half(value.bits); }
inline float load(float value) { return value; }

inline float unit(float value) { return std::min(std::max(value, 0.0f), 1.0f); }
inline void store(float value, std::uint8_t& to) {
  to = static_cast<std::uint8_t>(unit(value) * 255.0f + 0.5f);
}
inline void store(float value, std::uint16_t& to) {
  to = static_cast<std::uint16_t>(unit(value) * 65535.0f + 0.5f);
}
inline void store(float value, Half& to) { to.bits = half_of_float(value); }
inline void store(float value, float& to) { to = value; }

/// A value in another type, or the very same.
template <class From, class To>
void copy(From value, To& to) {
  if constexpr (std::is_same_v<From, To>) {
    to = value;
  } else {
    store(load(value), to);
  }
}

/// Calls `use` with a null pointer of the type of a depth's values.
template <class Use>
void with_type(bridge::PixelType depth, Use&& use) {
  switch (depth) {
    case bridge::PixelType::kUint8:
      return use(static_cast<std::uint8_t*>(nullptr));
    case bridge::PixelType::kUint16:
      return use(static_cast<std::uint16_t*>(nullptr));
    case bridge::PixelType::kHalf:
      return use(static_cast<Half*>(nullptr));
    case bridge::PixelType::kFloat:
      return use(static_cast<float*>(nullptr));
  }
}

/// A span of a row: `count` pixels from (x, y).
struct Span {
  int x, y, count;
};

/// The alpha of a span, scaled to the canvas; `outside` more than a pixel outside of it.
class AlphaRows {
 public:
  AlphaRows(const bridge::Alpha* alpha, const ofx::RectI& canvas, float outside)
      : alpha_(alpha), canvas_(canvas), outside_(outside) {}

  /// Whether there are colours that lie pixel on pixel.
  bool has_colours() const { return alpha_ && !alpha_->colours.empty() && fits(); }

  /// The colours of a span, three values to a pixel; 0 where `read` has `outside`.
  void read_colours(const Span& span, float* to) const {
    std::fill_n(to, 3 * span.count, 0.0f);
    if (span.y < canvas_.y1 - 1 || span.y > canvas_.y2) return;
    const float* row = alpha_->colours.data() + 3 * row_at(span.y) * alpha_->width;
    const int first = std::max(span.x, canvas_.x1 - 1);
    const int last = std::min(span.x + span.count - 1, canvas_.x2);
    for (int x = first; x <= last; ++x) {
      const int at = std::clamp(x, canvas_.x1, canvas_.x2 - 1) - canvas_.x1;
      std::copy_n(row + 3 * at, 3, to + 3 * (x - span.x));
    }
  }

  void read(const Span& span, float* to) const {
    std::fill_n(to, span.count, outside_);
    if (!alpha_ || span.y < canvas_.y1 - 1 || span.y > canvas_.y2) return;
    const int first = std::max(span.x, canvas_.x1 - 1);
    const int last = std::min(span.x + span.count - 1, canvas_.x2);
    if (fits()) {
      const float* row = alpha_->pixels.data() + row_at(span.y) * alpha_->width;
      const int inner_first = std::clamp(first, canvas_.x1, canvas_.x2 - 1);
      const int inner_last = std::clamp(last, canvas_.x1, canvas_.x2 - 1);
      for (int x = first; x <= last; ++x) {
        to[x - span.x] = row[std::clamp(x, inner_first, inner_last) - canvas_.x1];
      }
    } else {
      for (int x = first; x <= last; ++x) to[x - span.x] = sample(x, span.y);
    }
  }

 private:
  bool fits() const {
    return alpha_->width == width(canvas_) && alpha_->height == height(canvas_);
  }

  /// The alpha's row, counted from the top, of a pixel row, counted from the bottom.
  std::int64_t row_at(int y) const {
    return std::clamp(canvas_.y2 - 1 - y, 0, height(canvas_) - 1);
  }

  float sample(int x, int y) const {
    const double across = place(x - canvas_.x1, width(canvas_), alpha_->width);
    const double down = place(canvas_.y2 - 1 - y, height(canvas_), alpha_->height);
    const auto left = static_cast<std::int64_t>(across);
    const auto top = static_cast<std::int64_t>(down);
    const double right_share = across - static_cast<double>(left);
    const double low_share = down - static_cast<double>(top);
    const double upper = mix(at(left, top), at(left + 1, top), right_share);
    const double lower = mix(at(left, top + 1), at(left + 1, top + 1), right_share);
    return static_cast<float>(mix(upper, lower, low_share));
  }

  static double place(int index, int from, std::int64_t to) {
    const double position = (index + 0.5) * static_cast<double>(to) / from - 0.5;
    return std::clamp(position, 0.0, static_cast<double>(to - 1));
  }
  static double mix(double left, double right, double share) {
    return left + (right - left) * share;
  }
  double at(std::int64_t x, std::int64_t y) const {
    x = std::min(x, alpha_->width - 1);
    y = std::min(y, alpha_->height - 1);
    return alpha_->pixels[static_cast<std::size_t>(y * alpha_->width + x)];
  }

  const bridge::Alpha* alpha_;
  ofx::RectI canvas_;
  float outside_;
};

/// Reads a mask's value at each pixel of a span: its alpha, or its only channel; 0 outside, and
/// where it is no number: one such pixel would spoil the alpha.
void read_mask(const HostImage& mask, const Span& span, float* to) {
  std::fill_n(to, span.count, 0.0f);
  const ofx::RectI& bounds = mask.bounds();
  if (span.y < bounds.y1 || span.y >= bounds.y2) return;
  const int first = std::max(span.x, bounds.x1);
  const int end = std::min(span.x + span.count, bounds.x2);
  const int channel = mask.channels() == 4 ? 3 : 0;
  with_type(mask.depth(), [&](auto* type) {
    using Value = std::remove_pointer_t<decltype(type)>;
    for (int x = first; x < end; ++x) {
      Value value;
      const std::size_t skipped = static_cast<std::size_t>(channel) * sizeof value;
      std::memcpy(&value, mask.at(x, span.y) + skipped, sizeof value);
      const float covers = load(value);
      to[x - span.x] = std::isnan(covers) ? 0.0f : unit(covers);
    }
  });
}

/// The source's pixels of a span in the output's type: the host's own row where that is possible.
template <class Value>
class SourceRows {
 public:
  explicit SourceRows(const HostImage* source) : source_(source) {}

  /// Pixels of `channels()` values.
  const Value* read(const Span& span) {
    if (source_ && covers(span) && holds_values()) {
      channels_ = source_->channels();
      return reinterpret_cast<const Value*>(source_->at(span.x, span.y));
    }
    channels_ = 4;
    row_.assign(static_cast<std::size_t>(span.count) * 4, Value{});
    if (source_) convert(span);
    return row_.data();
  }
  int channels() const { return channels_; }

 private:
  bool covers(const Span& span) const {
    const ofx::RectI& bounds = source_->bounds();
    return bounds.y1 <= span.y && span.y < bounds.y2 && bounds.x1 <= span.x &&
           span.x + span.count <= bounds.x2;
  }

  bool holds_values() const {
    bool same = false;
    with_type(source_->depth(), [&](auto* type) {
      same = std::is_same_v<std::remove_pointer_t<decltype(type)>, Value>;
    });
    return same;
  }

  void convert(const Span& span) {
    const ofx::RectI& bounds = source_->bounds();
    if (span.y < bounds.y1 || span.y >= bounds.y2) return;
    const int end = std::min(span.x + span.count, bounds.x2);
    for (int x = std::max(span.x, bounds.x1); x < end; ++x) {
      convert_pixel(source_->at(x, span.y), &row_[static_cast<std::size_t>(x - span.x) * 4]);
    }
  }

  void convert_pixel(const std::byte* from, Value* to) const {
    with_type(source_->depth(), [&](auto* type) {
      using From = std::remove_pointer_t<decltype(type)>;
      store(1.0f, to[3]);
      for (int channel = 0; channel < 4; ++channel) {
        if (channel == 3 && source_->channels() < 4) break;
        const int at = source_->channels() == 1 ? 0 : channel;
        From value;
        std::memcpy(&value, from + static_cast<std::size_t>(at) * sizeof value, sizeof value);
        store(load(value), to[channel]);
      }
    });
  }

  const HostImage* source_;
  std::vector<Value> row_;
  int channels_ = 4;
};

/// Writes one pixel; `from` has three or four values (one counts as grey).
template <OutputMode mode, class From, class Value>
void write_pixel(const From* from, int from_channels, float alpha, Value* to, int to_channels) {
  const int step = from_channels == 1 ? 0 : 1;
  if constexpr (mode == OutputMode::kEdgeAsRgb) {
    alpha = alpha > kSolid && alpha < 1.0f - kSolid ? 1.0f : 0.0f;
  }
  if (to_channels == 1) {
    store(alpha, to[0]);
    return;
  }
  for (int colour = 0; colour < 3; ++colour) {
    if constexpr (is_opaque(mode)) {
      store(alpha, to[colour]);
    } else if constexpr (mode == OutputMode::kPremultiplied) {
      store(load(from[colour * step]) * alpha, to[colour]);
    } else {
      copy(from[colour * step], to[colour]);
    }
  }
  if (to_channels < 4) return;
  if constexpr (mode == OutputMode::kSource) {
    from_channels == 4 ? copy(from[3], to[3]) : store(1.0f, to[3]);
  } else {
    store(is_opaque(mode) ? 1.0f : alpha, to[3]);
  }
}

template <OutputMode mode, class From, class Value>
void write_span(const From* from, int from_channels, const float* alpha, int count, Value* to,
                int to_channels) {
  if (from_channels == 4 && to_channels == 4) {  // what nearly every host does, unrolled
    for (int x = 0; x < count; ++x) write_pixel<mode>(from + 4 * x, 4, alpha[x], to + 4 * x, 4);
    return;
  }
  for (int x = 0; x < count; ++x) {
    write_pixel<mode>(from + from_channels * x, from_channels, alpha[x], to + to_channels * x,
                      to_channels);
  }
}

template <class From, class Value>
void write(OutputMode mode, const From* from, int from_channels, const float* alpha, int count,
           Value* to, int to_channels) {
  switch (mode) {
    case OutputMode::kUnpremultiplied:
    case OutputMode::kForeground:
      return write_span<OutputMode::kUnpremultiplied>(from, from_channels, alpha, count, to,
                                                      to_channels);
    case OutputMode::kPremultiplied:
    case OutputMode::kForegroundPremultiplied:
      return write_span<OutputMode::kPremultiplied>(from, from_channels, alpha, count, to,
                                                    to_channels);
    case OutputMode::kMatteAsRgb:
      return write_span<OutputMode::kMatteAsRgb>(from, from_channels, alpha, count, to,
                                                 to_channels);
    case OutputMode::kSource:
      return write_span<OutputMode::kSource>(from, from_channels, alpha, count, to, to_channels);
    case OutputMode::kEdgeAsRgb:
      return write_span<OutputMode::kEdgeAsRgb>(from, from_channels, alpha, count, to,
                                                to_channels);
  }
}

/// A mask's values over an area, with its feather; without one, read row by row.
class MaskRows {
 public:
  MaskRows(const HostImage* mask, const ofx::RectI& area, double length) : mask_(mask) {
    if (!mask || length <= 0.0) return;
    // What lies beyond the area fades into it; beyond the mask there is nothing, and no edge.
    const int reach = static_cast<int>(std::ceil(length));
    const ofx::RectI& own = mask->bounds();
    const ofx::RectI all{std::min(area.x1, own.x1), std::min(area.y1, own.y1),
                         std::max(area.x2, own.x2), std::max(area.y2, own.y2)};
    box_ = intersect(
        all, {area.x1 - reach, area.y1 - reach, area.x2 + reach, area.y2 + reach});
    faded_.resize(static_cast<std::size_t>(width(box_)) * height(box_));
    for (int y = box_.y1; y < box_.y2; ++y) read_mask(*mask, {box_.x1, y, width(box_)}, at(y));
    feather(faded_, width(box_), length);
  }

  explicit operator bool() const { return mask_ != nullptr; }

  void read(const Span& span, float* to) {
    if (faded_.empty()) return read_mask(*mask_, span, to);
    std::copy_n(at(span.y) + (span.x - box_.x1), span.count, to);
  }

 private:
  float* at(int y) {
    return faded_.data() + static_cast<std::size_t>(y - box_.y1) * width(box_);
  }

  const HostImage* mask_;
  ofx::RectI box_{};
  std::vector<float> faded_;
};

/// As the server applies guides: the garbage matte holds the alpha out, the holdout lies over it.
void apply_masks(MaskRows& garbage, MaskRows& holdout, const Span& span, float* alpha,
                 float* mask) {
  if (garbage) {
    garbage.read(span, mask);
    for (int x = 0; x < span.count; ++x) alpha[x] *= 1.0f - mask[x];
  }
  if (holdout) {
    holdout.read(span, mask);
    for (int x = 0; x < span.count; ++x) alpha[x] = alpha[x] * (1.0f - mask[x]) + mask[x];
  }
}

/// What a holdout matte forces shows the source: mixes that into straight colours by its share of
/// the alpha that it is in.
template <class Value>
void mix_in_source(const Value* source, int channels, const float* holdout, const float* alpha,
                   int count, float* colours) {
  const int step = channels == 1 ? 0 : 1;
  for (int x = 0; x < count; ++x) {
    if (holdout[x] <= 0.0f) continue;
    const float share = std::min(holdout[x] / alpha[x], 1.0f);
    for (int colour = 0; colour < 3; ++colour) {
      float& to = colours[3 * x + colour];
      to += share * (load(source[channels * x + colour * step]) - to);
    }
  }
}

}  // namespace

void composite(const Layers& layers, OutputMode mode, const ofx::RectI& window,
               const HostImage& output) {
  const ofx::RectI area = intersect(window, output.bounds());
  const int count = width(area);
  if (count <= 0) return;
  const SharedBufferLock lock;
  const AlphaRows alphas(layers.alpha, layers.canvas, layers.outside);
  std::vector<float> alpha(static_cast<std::size_t>(count));
  std::vector<float> mask(alpha.size());
  const bool own_colours = is_foreground(mode) && alphas.has_colours();
  std::vector<float> colours(own_colours ? 3 * alpha.size() : 0);
  MaskRows garbage(layers.garbage, area, layers.feather);
  MaskRows holdout(layers.holdout, area, layers.feather);
  with_type(output.depth(), [&](auto* type) {
    using Value = std::remove_pointer_t<decltype(type)>;
    SourceRows<Value> source(layers.source);
    for (int y = area.y1; y < area.y2; ++y) {
      const Span span{area.x1, y, count};
      alphas.read(span, alpha.data());
      apply_masks(garbage, holdout, span, alpha.data(), mask.data());
      const Value* from = source.read(span);
      Value* const to = reinterpret_cast<Value*>(output.at(area.x1, y));
      if (own_colours) {
        alphas.read_colours(span, colours.data());
        if (holdout) {
          mix_in_source(from, source.channels(), mask.data(), alpha.data(), count, colours.data());
        }
        write(mode, colours.data(), 3, alpha.data(), count, to, output.channels());
        continue;
      }
      write(mode, from, source.channels(), alpha.data(), count,
            to, output.channels());
    }
  });
}

}  // namespace gvm::node
