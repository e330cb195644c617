#include "bridge/settings.hpp"

#include <cmath>
#include <string>

#include "bridge/errors.hpp"

namespace gvm::bridge {
namespace {

void require(bool rule, const char* name, double value, const std::string& says) {
  if (!rule) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    throw Error(code::kBadRequest,
                std::string(name) + " is " + text + "; it must be " + says + ".");
  }
}

void require_within(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  require(low <= value && value <= high, name, static_cast<double>(value),
          "from " + std::to_string(low) + " to " + std::to_string(high));
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
  for (double value : {black, white, gamma, grow, blur}) {
    require(std::isfinite(value), "a matte knob", value, "a finite number");
  }
  require(black < white, "black", black, "below white, here " + std::to_string(white));
  require(0.01 <= gamma && gamma <= 100.0, "gamma", gamma, "from 0.01 to 100");
  require(std::abs(grow) <= kMaxRadius, "grow", grow, "within 256 pixels");
  require(0.0 <= blur && blur <= kMaxRadius, "blur", blur, "from 0 to 256");
}

}  // namespace gvm::bridge
