#include "bridge/messages.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "bridge/errors.hpp"
#include "bridge/text.hpp"

namespace gvm::bridge {
namespace {

void require(bool rule, const std::string& says) {
  if (!rule) throw Error(code::kBadRequest, says);
}

void check_path(const std::string& path) {
  require(is_absolute(path), "path is " + path + "; it must be an absolute path");
}

bool is_hexadecimal(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char letter) {
    return std::isdigit(letter) || ('a' <= letter && letter <= 'f');
  });
}

void check_job(const std::string& job) {
  require(job.size() == 32 && is_hexadecimal(job),
          "job is " + job + "; it must be 32 hexadecimal digits");
}

void check_count(std::size_t count) {
  require(1 <= count && count <= kMaxFramesInMessage, std::to_string(count) +
                                                          " frames; a message names from 1 to " +
                                                          std::to_string(kMaxFramesInMessage));
}

bool is_bare_name(const std::string& name) {
  const bool allowed = std::all_of(name.begin(), name.end(), [](unsigned char letter) {
    return (letter < 128 && std::isalnum(letter)) || letter == '.' || letter == '_' ||
           letter == '-';
  });
  return allowed && !name.empty() && name.size() <= 128 && name[0] != '.';
}

/// A number without trailing zeros.
std::string plain(double value) {
  std::string text = std::to_string(value);
  if (std::isfinite(value)) text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

void require_setting(bool rule, const char* name, double value, const std::string& says) {
  if (!rule) {
    throw Error(code::kBadRequest,
                std::string(name) + " is " + plain(value) + "; it must be " + says + ".");
  }
}

void require_from(const char* name, double value, double low, double high) {
  require_setting(low <= value && value <= high, name, value,
                  "from " + plain(low) + " to " + plain(high));
}

void require_within(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  require_from(name, static_cast<double>(value), static_cast<double>(low),
               static_cast<double>(high));
}

template <class Words>
void require_one_of(const char* name, const std::string& word, const Words& allowed) {
  if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
  std::string words;
  for (const char* each : allowed) words += (words.empty() ? "" : ", ") + std::string(each);
  throw Error(code::kBadRequest,
              std::string(name) + " is '" + word + "'; it must be one of " + words + ".");
}

}  // namespace

bool reaches_out(const MatteKnobs& knobs) {
  const auto lifts = [&](const auto& knob) {
    return knob.lifts_zero && static_cast<double>(knobs.*knob.value) > 0.0;
  };
  return std::any_of(kRealKnobs.begin(), kRealKnobs.end(), lifts) ||
         std::any_of(kSwitchKnobs.begin(), kSwitchKnobs.end(), lifts);
}

std::int64_t bytes_of(PixelType type) {
  constexpr std::array<std::int64_t, 4> kBytes{1, 2, 2, 4};
  return kBytes[static_cast<std::size_t>(type)];
}

std::int64_t bytes_of(const MappedFrame& frame) {
  return frame.width * frame.height * frame.channels * bytes_of(frame.pixel_type);
}

void check(const MappedFrame& value) {
  require(is_bare_name(value.buffer),
          "buffer is " + value.buffer + "; it must be a bare file name of letters, digits, . _ -");
  require(value.offset >= 0, "offset must not be negative");
  for (std::int64_t side : {value.width, value.height}) {
    require(1 <= side && side <= kMaxBufferSide, "a side of " + std::to_string(side) +
                                                     " pixels; it must be from 1 to " +
                                                     std::to_string(kMaxBufferSide));
  }
  for (std::int64_t place : {value.x, value.y}) {
    require(-kMaxBufferSide <= place && place <= kMaxBufferSide,
            "a place " + std::to_string(place) + " pixels from the region; at most " +
                std::to_string(kMaxBufferSide));
  }
  require(value.channels == 1 || value.channels == 3 || value.channels == 4,
          "channels is " + std::to_string(value.channels) + "; it must be 1, 3 or 4");
}

void check(const Shown& value) {
  require(1.0 / kMaxShownAspect <= value.aspect && value.aspect <= kMaxShownAspect,
          "aspect is " + std::to_string(value.aspect) + "; it must be from " +
              plain(1.0 / kMaxShownAspect) + " to " + plain(kMaxShownAspect));
  constexpr auto kCells = static_cast<std::int64_t>(kShownColumns * kShownRows);
  require(value.ranks.size() == static_cast<std::size_t>(kCells),
          std::to_string(value.ranks.size()) + " ranks; there must be " + std::to_string(kCells));
  for (const std::int64_t rank : value.ranks) {
    require(-1 <= rank && rank < kCells, "a rank is " + std::to_string(rank) +
                                             "; it must be from -1 to " +
                                             std::to_string(kCells - 1));
  }
}

void check(const FilePlate& value) {
  check_path(value.path);
  require(value.cuts.size() <= kMaxCuts, "too many cuts; at most " + std::to_string(kMaxCuts));
}

void check(const PushedPlate& value) {
  check_count(value.frames.size());
  require(value.cuts.size() <= kMaxCuts, "too many cuts; at most " + std::to_string(kMaxCuts));
}

void check(const FileContent& value) {
  require_one_of("layers", value.layers, kFileLayers);
  require_one_of("compression", value.compression, kFileCompressions);
  require_one_of("despill", value.despill, kDespills);
}

void check(const FileOutput& value) { check_path(value.path); }

void check(const MappedOutput& value) {
  require(value.pixel_type == PixelType::kFloat, "a mapped alpha is float");
}

void check(const WindowSettings& value) {
  require_within("frames_per_window", value.frames_per_window, 1, kMaxFramesPerWindow);
  require_within("overlap", value.overlap, 0, value.frames_per_window / 2);
  require_within("decode_chunk", value.decode_chunk, 0, kMaxFramesPerWindow);
  require_within("steps", value.steps, 1, kMaxSteps);
  require_within("size", value.size, 32, kMaxSide);
  require_within("max_resolution", value.max_resolution, 32, kMaxSide);
}

void check(const ModelSettings& value) {
  require_setting(value.seed >= 0, "seed", static_cast<double>(value.seed), "from 0 to 2^63 - 1");
}

void check(const MatteKnobs& value) {
  for (const RealKnob& knob : kRealKnobs) {
    const double number = value.*knob.value;
    require_setting(std::isfinite(number), knob.name, number, "a finite number");
    if (knob.is_bounded) require_from(knob.name, number, knob.low, knob.high);
  }
  for (const ChoiceKnob& knob : kChoiceKnobs) {
    const auto* const first = knob.words.begin();
    require_one_of(knob.name, value.*knob.value, std::vector<const char*>(first, first + knob.count));
  }
  require_setting(value.black < value.white, "black", value.black,
                  "below white, here " + plain(value.white));
}

void check(const JobContext& value) {
  const bool named = value.ocio.empty() || value.ocio.rfind("ocio://", 0) == 0;
  if (!named) check_path(value.ocio);
  if (!value.weights.empty()) check_path(value.weights);
  require(value.ocio_variables.size() <= kMaxVariables,
          "too many ocio_variables; at most " + std::to_string(kMaxVariables));
  for (const std::string& variable : value.ocio_variables) {
    const std::size_t equals = variable.find('=');
    require(equals != 0 && equals != std::string::npos,
            "each of ocio_variables must be NAME=value");
  }
  require(value.ocio_digest.size() <= 128 && is_hexadecimal(value.ocio_digest),
          "ocio_digest must be at most 128 hexadecimal digits");
  require(0 <= value.umask && value.umask <= 0777, "umask must be from 0 to 511");
}

void check(const Guides& value) {
  for (const std::string& path : {value.garbage, value.holdout}) {
    if (!path.empty()) check_path(path);
  }
  require_from("guide_feather", value.guide_feather, 0.0, kMaxRadius);
}

void check(const Region& value) {
  require_within("width", value.width, 1, kMaxBufferSide);
  require_within("height", value.height, 1, kMaxBufferSide);
  require_within("x", value.x, -kMaxBufferSide, kMaxBufferSide);
  require_within("y", value.y, -kMaxBufferSide, kMaxBufferSide);
}

void check(const Matte& value) {
  check_job(value.job);
  require(value.max_frames >= 0, "max_frames must not be negative");
  require(value.regions.size() <= kMaxRegions,
          "too many regions; at most " + std::to_string(kMaxRegions));
  require_from("roi_scale", value.roi_scale, 1.0, kMaxRegionScale);
}

void check(const GiveFrames& value) {
  check_job(value.job);
  check_count(value.frames.size());
}

void check(const Cancel& value) { check_job(value.job); }
void check(const NeedFrames& value) { check_count(value.frames.size()); }

void check(const ServerStatus& value) {
  require(value.jobs.size() <= kMaxJobs, "too many jobs; at most " + std::to_string(kMaxJobs));
}

}  // namespace gvm::bridge
