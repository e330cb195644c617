// Shows what the bridge makes of golden vectors and of plain questions, as JSON for pytest.
//
// - bridge_probe wire FILE: each vector decoded and encoded again, or how it was refused.
// - bridge_probe plan: reads plans from standard input, answers needs and blends.
// - bridge_probe regions FILE: the region of each drawn rectangle, or null where it is refused.
// - bridge_probe facts: presets, defaults, words and bounds.
// - bridge_probe absolute: of each line of standard input, whether it is an absolute path.
// - bridge_probe words LINE: a command line in words.
// - bridge_probe context: what a job means besides its settings, from this environment.
// - bridge_probe scrubbed: reads an environment, answers what of it a server gets.
// - bridge_probe ranks FILE WIDTH HEIGHT X1 Y1 X2 Y2: of a part of a picture of floats.
// - bridge_probe hash: the hash of each line of standard input.
// - bridge_probe halves FILE: the bits of each half as a float, and the half of each float of FILE.

#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bridge/context.hpp"
#include "bridge/hash.hpp"
#include "bridge/server_config.hpp"
#include "bridge/text.hpp"
#include "bridge/thumbnail.hpp"
#include "bridge/windows.hpp"
#include "bridge/wire.hpp"
#include "node/half.hpp"
#include "node/region.hpp"

namespace {

using Json = nlohmann::json;
using namespace gvm::bridge;

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

std::string hex_of_bytes(const std::string& bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

Json round_trip(const Json& vector) {
  Json answer{{"name", vector.at("name")}};
  try {
    const Envelope envelope = decode(bytes_of_hex(vector.at("hex")));
    answer["type"] = kMessageWords[envelope.message.index()];
    answer["request"] = envelope.request;
    answer["hex"] = hex_of_bytes(encode(envelope.message, envelope.request));
  } catch (const UnreadableMessage& error) {
    answer["code"] = error.code();
    answer["request"] = error.request();
  }
  return answer;
}

Json wire(const char* file) {
  std::ifstream stream(file);
  Json answers = Json::array();
  const Json document = Json::parse(stream);
  for (const Json& vector : document.at("vectors")) {
    answers.push_back(round_trip(vector));
  }
  return answers;
}

Json pair(const Window& window) { return {window.first, window.last}; }

Json plan_answer(const Json& question) {
  Plan plan;
  plan.first = question.at("first");
  plan.last = question.at("last");
  plan.frames_per_window = question.at("frames_per_window");
  plan.overlap = question.at("overlap");
  plan.kind = question.at("kind") == "reference" ? PlanKind::kReference : PlanKind::kSeamless;
  plan.cuts = question.at("cuts").get<std::vector<std::int64_t>>();
  plan.reach = question.at("reach");
  try {
    plan.check();
    Json frames = Json::array();
    for (const std::int64_t frame : question.at("frames")) {
      Json fold = Json::array();
      for (const Blend& blend : blends(plan, frame)) {
        fold.push_back(
            {blend.window.first, blend.window.last, blend.numerator, blend.denominator});
      }
      frames.push_back({{"frame", frame},
                        {"needs", pair(needs(plan, frame))},
                        {"blends", fold},
                        {"together", pair(made_together(plan, frame))}});
    }
    return {{"frames", frames}};
  } catch (const Error& error) {
    return {{"code", error.code()}};
  }
}

Json plans() {
  Json answers = Json::array();
  const Json questions = Json::parse(std::cin);
  for (const Json& question : questions) answers.push_back(plan_answer(question));
  return answers;
}

Json region_of_drawn(const Json& vector) {
  const auto drawn = vector.at("drawn").get<std::vector<double>>();
  const auto edges = vector.at("window").get<std::vector<double>>();
  const ofx::RectI window{static_cast<int>(edges.at(0)), static_cast<int>(edges.at(1)),
                               static_cast<int>(edges.at(2)), static_cast<int>(edges.at(3))};
  try {
    const Region region = gvm::node::region_of({drawn.at(0), drawn.at(1), drawn.at(2), drawn.at(3)},
                                               window, vector.at("pixel_aspect"));
    return Json::array({region.x, region.y, region.width, region.height});
  } catch (const std::exception&) {
    return nullptr;
  }
}

Json regions(const char* file) {
  std::ifstream stream(file);
  Json answers = Json::array();
  const Json document = Json::parse(stream);
  for (const Json& vector : document.at("regions")) answers.push_back(region_of_drawn(vector));
  return answers;
}

Json window_facts(const WindowSettings& window) {
  return {{"frames_per_window", window.frames_per_window},
          {"overlap", window.overlap},
          {"decode_chunk", window.decode_chunk},
          {"steps", window.steps},
          {"size", window.size},
          {"max_resolution", window.max_resolution},
          {"plan", kWords<PlanKind>[static_cast<std::size_t>(window.plan)]}};
}

template <class Words>
Json list(const Words& words) {
  return Json(std::vector<std::string>(words.begin(), words.end()));
}

Json knob_facts() {
  const MatteKnobs knobs;
  Json found = Json::object();
  for (const RealKnob& knob : kRealKnobs) found[knob.name] = knobs.*knob.value;
  for (const SwitchKnob& knob : kSwitchKnobs) found[knob.name] = knobs.*knob.value;
  for (const ChoiceKnob& knob : kChoiceKnobs) found[knob.name] = knobs.*knob.value;
  return found;
}

Json facts() {
  Json presets = Json::object();
  for (const Preset& preset : kPresets) presets[preset.name] = window_facts(preset.window);
  return {{"protocol", kProtocolVersion},
          {"presets", presets},
          {"window", window_facts({})},
          {"knobs", knob_facts()},
          {"messages", list(kMessageWords)},
          {"codes", list(kCodeWords)},
          {"engines", list(kWords<EngineName>)},
          {"movies", list(kMovieExtensions)},
          {"bounds", {kMaxFramesPerWindow, kMaxSteps, kMaxSide, kMaxRadius}}};
}

Json context_facts() {
  const JobContext context = job_context();
  return {{"ocio", context.ocio},
          {"variables", context.ocio_variables},
          {"weights", context.weights}, {"umask", context.umask}};
}

Json hashes() {
  Json answers = Json::array();
  for (std::string line; std::getline(std::cin, line);) {
    answers.push_back(Hasher().text(line).end().hex());
  }
  return answers;
}

Json absolutes() {
  Json answers = Json::array();
  for (std::string line; std::getline(std::cin, line);) answers.push_back(is_absolute(line));
  return answers;
}

Json halves(const char* name) {
  std::vector<std::uint32_t> floats;
  for (std::uint32_t half = 0; half < 65536; ++half) {
    const float value = gvm::node::float_of_half(static_cast<std::uint16_t>(half));
    std::memcpy(&floats.emplace_back(), &value, sizeof value);
  }
  std::ifstream file(name, std::ios::binary);
  std::vector<std::uint16_t> rounded;
  for (float value; file.read(reinterpret_cast<char*>(&value), sizeof value);) {
    rounded.push_back(gvm::node::half_of_float(value));
  }
  return {{"floats", floats}, {"halves", rounded}};
}

Json ranks(const std::vector<std::string>& words) {
  std::vector<std::int64_t> numbers;
  for (std::size_t at = 2; at < words.size(); ++at) numbers.push_back(std::stoll(words[at]));
  const std::int64_t width = numbers.at(0);
  const ThumbnailPart part{numbers.at(2), numbers.at(3), numbers.at(4), numbers.at(5)};
  std::ifstream file(words.at(1), std::ios::binary);
  const auto read = [&](std::int64_t row, float* to) {
    file.seekg((row * width + part.x1) * static_cast<std::int64_t>(sizeof(float)));
    file.read(reinterpret_cast<char*>(to),
              (part.x2 - part.x1) * static_cast<std::int64_t>(sizeof(float)));
  };
  return Json(ranks_of(width, numbers.at(1), part, read));
}

Json answer(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "wire") return wire(words.at(1).c_str());
  if (verb == "plan") return plans();
  if (verb == "regions") return regions(words.at(1).c_str());
  if (verb == "facts") return facts();
  if (verb == "words") return Json(split_words(words.at(1)));
  if (verb == "context") return context_facts();
  if (verb == "scrubbed") {
    const Json question = Json::parse(std::cin);
    return Json(scrubbed(question.at("environment").get<Variables>(),
                         question.at("own").get<Variables>()));
  }
  if (verb == "ranks") return ranks(words);
  if (verb == "absolute") return absolutes();
  if (verb == "hash") return hashes();
  if (verb == "halves") return halves(words.at(1).c_str());
  throw Error(code::kBadRequest, "bridge_probe has no verb `" + verb + "`.");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::cout << answer({arguments + 1, arguments + count}).dump() << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
