#include "bridge/settings.hpp"

#include <cmath>
#include <string>

#include "bridge/errors.hpp"

namespace gvm::bridge {
namespace {

std::string shown(double value) {
  std::string text = std::to_string(value);
  if (std::isfinite(value)) text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

void require(bool rule, const char* name, double value, const std::string& says) {
  if (!rule) {
    throw Error(code::kBadRequest,
                std::string(name) + " is " + shown(value) + "; it must be " + says + ".");
  }
}

void require_from(const char* name, double value, double low, double high) {
  require(low <= value && value <= high, name, value,
          "from " + shown(low) + " to " + shown(high));
}

void require_within(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  require_from(name, static_cast<double>(value), static_cast<double>(low),
               static_cast<double>(high));
}

}  // namespace

void WindowSettings::check() const {
  require_within("frames_per_window", frames_per_window, 1, kMaxFramesPerWindow);
  require_within("overlap", overlap, 0, frames_per_window / 2);
  require_within("decode_chunk", decode_chunk, 0, kMaxFramesPerWindow);
  require_within("steps", steps, 1, kMaxSteps);
  require_within("size", size, 32, kMaxSide);
  require_within("max_resolution", max_resolution, 32, kMaxSide);
}

void ModelSettings::check() const {
  require(seed >= 0, "seed", static_cast<double>(seed), "from 0 to 2^63 - 1");
}

void MatteKnobs::check() const {
  for (const RealKnob& knob : kRealKnobs) {
    const double value = this->*knob.value;
    require(std::isfinite(value), knob.name, value, "a finite number");
    if (knob.is_bounded) require_from(knob.name, value, knob.low, knob.high);
  }
  require(black < white, "black", black, "below white, here " + shown(white));
}

}  // namespace gvm::bridge
