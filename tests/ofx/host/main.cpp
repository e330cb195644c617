// A small OpenFX host for tests: a JSON command on each line of standard input, an answer on each
// line of standard output. `start` renders on a thread of its own, so that a test can act
// meanwhile.

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "objects.hpp"
#include "openfx/effect.h"
#include "openfx/param.h"
#include "system.hpp"

namespace fake {
namespace {

using Json = nlohmann::json;
using ofx::PropertySetStruct;

ofx::Plugin* plugin = nullptr;
void* library = nullptr;
PropertySetStruct host_properties;
ofx::Host host{&host_properties, fetch_suite};
std::unique_ptr<ofx::EffectStruct> descriptor, context;
std::map<std::string, std::unique_ptr<ofx::EffectStruct>> instances;
std::future<Json> started;

ofx::Status act(const char* action, void* handle, PropertySetStruct* in = nullptr,
                PropertySetStruct* out = nullptr) {
  return plugin->mainEntry(action, handle, in, out);
}

template <class T>
void read(const Json& from, const char* name, T& to) {
  if (from.contains(name)) from.at(name).get_to(to);
}

void read(const Json& from, Behaviour& to) {
  read(from, "overlays", to.overlays), read(from, "draw_suite", to.draw_suite);
  read(from, "pixel_scale", to.pixel_scale);
  read(from, "host", to.host), read(from, "context", to.context);
  read(from, "temporal", to.temporal), read(from, "depth", to.depth);
  read(from, "components", to.components), read(from, "output_components", to.output_components);
  read(from, "alpha_listed", to.alpha_listed), read(from, "negative_rows", to.negative_rows);
  read(from, "row_padding", to.row_padding), read(from, "offset_x", to.offset_x);
  read(from, "offset_y", to.offset_y), read(from, "identifiers", to.identifiers);
  read(from, "message_suite", to.message_suite), read(from, "progress_suite", to.progress_suite);
  read(from, "hollow_message_suite", to.hollow_message_suite);
  read(from, "arguments_as_one", to.arguments_as_one);
  read(from, "failing_frames", to.failing_frames), read(from, "hollow_frames", to.hollow_frames);
  read(from, "regions", to.regions), read(from, "infinite", to.infinite);
  read(from, "project", to.project);
  read(from, "cut", to.cut), read(from, "rate", to.rate);
  read(from, "beyond", to.beyond), read(from, "pixel_aspect", to.pixel_aspect),
      read(from, "colourspace", to.colourspace);
  read(from, "source_path", to.source_path);
  read(from, "only_own_range", to.only_own_range);
  read(from, "shared_buffers", to.shared_buffers);
  read(from, "progress_cancel_after", to.progress_cancel_after);
}

void read(const Json& from, Plate& to) {
  read(from, "folder", to.folder), read(from, "width", to.width), read(from, "height", to.height);
  read(from, "first", to.first), read(from, "last", to.last);
}

Json plain(PropertySetStruct& set) {
  Json all = Json::object();
  for (const auto& [name, values] : set.values) {
    Json list = Json::array();
    for (const auto& value : values) {
      if (const int* whole = std::get_if<int>(&value)) list.push_back(*whole);
      if (const double* real = std::get_if<double>(&value)) list.push_back(*real);
      if (const std::string* text = std::get_if<std::string>(&value)) list.push_back(*text);
    }
    all[name] = list;
  }
  return all;
}

void describe_host() {
  const Behaviour& how = world().behaviour;
  host_properties.set(ofx::kPropName, 0, how.host);
  host_properties.set(ofx::kTemporalClipAccess, 0, how.temporal);
  host_properties.set(ofx::kSupportsOverlays, 0, how.overlays ? 1 : 0);
  host_properties.set(ofx::kSupportedComponents, 0, std::string(ofx::kComponentsRgba));
  if (how.alpha_listed) {
    host_properties.set(ofx::kSupportedComponents, 1, std::string(ofx::kComponentsAlpha));
  }
  if (!how.colourspace.empty()) {
    host_properties.set(ofx::kColourManagementStyle, 0, std::string(ofx::kColourManagementCore));
  }
}

Json load(const Json& command) {
  read(command.value("behave", Json::object()), world().behaviour);
  describe_host();
  const double begun = now_ms();
  if (!library) library = open_library(command.at("path"));
  if (command.value("sealed", false)) seal();
  const auto get = reinterpret_cast<ofx::Plugin* (*)(int)>(symbol_of(library, "OfxGetPlugin"));
  plugin = get(0);
  plugin->setHost(&host);
  descriptor = std::make_unique<ofx::EffectStruct>();
  context = std::make_unique<ofx::EffectStruct>();
  PropertySetStruct in;
  in.set(ofx::kContext, 0, world().behaviour.context);
  const Json statuses{act(ofx::kActionLoad, nullptr), act(ofx::kActionDescribe, descriptor.get()),
                      act(ofx::kActionDescribeInContext, context.get(), &in)};
  const double taken = now_ms() - begun;
  Json params = Json::object(), clips = Json::object();
  for (const auto& [name, param] : context->params.params) {
    params[name] = {{"type", param->type}, {"properties", plain(param->properties)}};
  }
  for (const auto& [name, clip] : context->clips) clips[name] = plain(clip->properties);
  return {{"statuses", statuses},
          {"milliseconds", taken},
          {"identifier", plugin->pluginIdentifier},
          {"effect", plain(descriptor->properties)},
          {"order", context->params.order},
          {"params", params},
          {"clips", clips}};
}

decltype(ofx::ParamStruct::value) initial(const ofx::ParamStruct& described) {
  const auto& values = described.properties.values;
  const auto found = values.find(ofx::kParamDefault);
  const std::string& type = described.type;
  if (type == ofx::kParamDouble) return std::get<double>(found->second.at(0));
  if (type == ofx::kParamDouble2D) {
    return ofx::PointD{std::get<double>(found->second.at(0)), std::get<double>(found->second.at(1))};
  }
  if (type == ofx::kParamString) {
    return found == values.end() ? "" : std::get<std::string>(found->second.at(0));
  }
  return found == values.end() ? 0 : std::get<int>(found->second.at(0));
}

void set_clip(ofx::ClipStruct& clip) {
  const Behaviour& how = world().behaviour;
  const Plate& plate = clip.name == "Garbage"   ? world().garbage
                       : clip.name == "Holdout" ? world().holdout
                                                : world().plate;
  clip.properties.set(ofx::kConnected, 0, plate.width > 0 ? 1 : 0);
  clip.properties.set(ofx::kFrameRange, 0, static_cast<double>(plate.first));
  clip.properties.set(ofx::kFrameRange, 1, static_cast<double>(plate.last));
  clip.properties.set(ofx::kPixelAspectRatio, 0, how.pixel_aspect);
  clip.properties.set(ofx::kPixelDepth, 0, how.depth);
  clip.properties.set(ofx::kComponents, 0, how.components);
  if (!how.colourspace.empty()) clip.properties.set(ofx::kClipColourspace, 0, how.colourspace);
}

Json create(const Json& command) {
  auto instance = std::make_unique<ofx::EffectStruct>();
  for (const auto& [name, described] : context->params.params) {
    auto& param = instance->params.params[name];
    param = std::make_unique<ofx::ParamStruct>();
    param->type = described->type;
    param->value = initial(*described);
  }
  for (const auto& [name, described] : context->clips) {
    auto& clip = instance->clips[name];
    clip = std::make_unique<ofx::ClipStruct>();
    clip->name = name;
    clip->effect = instance.get();
    set_clip(*clip);
  }
  const Behaviour& how = world().behaviour;
  for (std::size_t index = 0; index < how.project.size(); ++index) {
    const char* name = index < 2 ? ofx::kProjectOffset : ofx::kProjectSize;
    instance->properties.set(name, static_cast<int>(index % 2), how.project[index]);
  }
  if (!how.source_path.empty())
    instance->properties.set(ofx::kResolveSourcePath, 0, how.source_path);
  if (command.contains("range")) {  // of this instance, as Resolve's differ
    const auto range = command.at("range").get<std::vector<double>>();
    ofx::PropertySetStruct& source = instance->clips.at(ofx::kSourceClip)->properties;
    source.set(ofx::kFrameRange, 0, range.at(0)), source.set(ofx::kFrameRange, 1, range.at(1));
  }
  const ofx::Status status = act(ofx::kActionCreateInstance, instance.get());
  instances[command.at("instance")] = std::move(instance);
  return {{"status", status}};
}

ofx::EffectStruct& instance_of(const Json& command) {
  return *instances.at(command.at("instance").get<std::string>());
}

ofx::ParamStruct& param_of(const Json& command) {
  return *instance_of(command).params.params.at(command.at("param").get<std::string>());
}

Json set_param(const Json& command) {
  ofx::ParamStruct& param = param_of(command);
  const Json& value = command.at("value");
  if (std::holds_alternative<int>(param.value)) param.value = value.get<int>();
  // JSON has no word for what is no number.
  if (std::holds_alternative<double>(param.value)) {
    param.value = value.is_null() ? std::nan("") : value.get<double>();
  }
  if (std::holds_alternative<std::string>(param.value)) param.value = value.get<std::string>();
  if (std::holds_alternative<ofx::PointD>(param.value)) {
    param.value = ofx::PointD{value.at(0).get<double>(), value.at(1).get<double>()};
  }
  return Json::object();
}

Json get_param(const Json& command) {
  const auto& held = param_of(command).value;
  if (const ofx::PointD* place = std::get_if<ofx::PointD>(&held)) {
    return {{"value", {place->x, place->y}}};
  }
  if (const int* whole = std::get_if<int>(&held)) return {{"value", *whole}};
  if (const double* real = std::get_if<double>(&held)) return {{"value", *real}};
  return {{"value", std::get<std::string>(held)}};
}

/// What an artist's edit or click makes a host say.
Json changed(const Json& command) {
  PropertySetStruct in;
  in.set(ofx::kPropType, 0, std::string(command.value("type", ofx::kTypeParameter)));
  in.set(ofx::kPropName, 0, command.at("param").get<std::string>());
  in.set(ofx::kPropChangeReason, 0, std::string(ofx::kChangeUserEdited));
  in.set(ofx::kPropTime, 0, command.value("time", static_cast<double>(world().plate.first)));
  return {{"status", act(ofx::kActionInstanceChanged, &instance_of(command), &in)}};
}

Json sequence(const Json& command, const char* action) {
  PropertySetStruct in;
  in.set(ofx::kFrameRange, 0, command.value("first", 0.0));
  in.set(ofx::kFrameRange, 1, command.value("last", 0.0));
  in.set(ofx::kPropIsInteractive, 0, command.value("interactive", 0));
  return {{"status", act(action, &instance_of(command), &in)}};
}

/// An action that answers by properties.
Json question(const Json& command, const char* action) {
  PropertySetStruct in, out;
  in.set(ofx::kPropTime, 0, command.value("frame", 0.0));
  const ofx::Status status = act(action, &instance_of(command), &in, &out);
  return {{"status", status}, {"out", plain(out)}};
}

void render_arguments(const Json& command, PropertySetStruct& in) {
  const double scale = command.value("scale", 1.0);
  const ofx::RectI whole = pixel_rectangle(world().plate, scale);
  const std::vector<int> window =
      command.value("window", std::vector<int>{whole.x1, whole.y1, whole.x2, whole.y2});
  in.set(ofx::kPropTime, 0, command.at("frame").get<double>());
  for (int index = 0; index < 4; ++index) in.set(ofx::kRenderWindow, index, window[index]);
  in.set(ofx::kRenderScale, 0, scale), in.set(ofx::kRenderScale, 1, scale);
  if (command.value("thumbnail", false)) in.set(ofx::kThumbnailRender, 0, std::string("true"));
  if (command.contains("source_frame")) {
    in.set(ofx::kResolveSourceFrame, 0, command.at("source_frame").get<int>());
  }
}

void save(const std::string& path, const RenderState& state) {
  const std::vector<float> values = read_output(state);
  std::ofstream file(std::filesystem::u8path(path), std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
}

/// As hosts do before they render: what is fetched from now on is held against the answer.
void announce(const Json& command, ofx::EffectStruct& instance, RenderState& state) {
  const double time = command.at("frame");
  PropertySetStruct in, out;
  in.set(ofx::kPropTime, 0, time);
  act(ofx::kActionGetFramesNeeded, &instance, &in, &out);
  const auto found = out.values.find(std::string(ofx::kFrameRangeOf) + ofx::kSourceClip);
  if (found == out.values.end()) {
    state.announced = {time, time};
    return;
  }
  for (const auto& value : found->second) state.announced.push_back(std::get<double>(value));
}

Json render(const Json& command) {
  ofx::EffectStruct& instance = instance_of(command);
  RenderState& state = render_state();
  state = RenderState{};
  state.effect = &instance;
  if (command.contains("clip_thumbnail")) {  // Resolve's way
    instance.clips.at(ofx::kSourceClip)
        ->properties.set(ofx::kResolveThumbnail, 0, command.at("clip_thumbnail").get<int>());
  }
  state.scale = command.value("scale", 1.0);
  state.abort_after = command.value("abort_after", -1);
  prepare_output(state);
  announce(command, instance, state);
  PropertySetStruct in;
  render_arguments(command, in);
  const double begun = now_ms();
  const ofx::Status status = act(ofx::kActionRender, &instance, &in);
  const double taken = now_ms() - begun;
  if (command.contains("save")) save(command.at("save"), state);
  const std::lock_guard lock(instance.message_mutex);
  return {{"status", status},
          {"milliseconds", taken},
          {"polls", state.polls},
          {"unannounced", state.unannounced},
          {"longest_gap_ms", state.longest_gap_ms},
          {"messages", instance.messages},
          {"persistent", instance.persistent}};
}

/// Renders frames on several threads; thread n takes every n-th job of the list.
Json render_many(const Json& command) {
  const auto jobs = command.at("jobs").get<std::vector<Json>>();
  const int threads = command.at("threads");
  std::vector<Json> answers(jobs.size());
  std::vector<std::thread> pool;
  for (int thread = 0; thread < threads; ++thread) {
    pool.emplace_back([&, thread] {
      for (std::size_t index = thread; index < jobs.size(); index += threads) {
        answers[index] = render(jobs[index]);
      }
    });
  }
  for (std::thread& thread : pool) thread.join();
  return {{"answers", answers}};
}

/// Seconds of a render that is finished already, and of a plain copy of as many bytes, side by
/// side.
Json bench(const Json& command) {
  Json renders = Json::array(), copies = Json::array();
  std::vector<std::byte> from, to;
  for (int round = 0; round < command.at("rounds").get<int>(); ++round) {
    renders.push_back(render(command).at("milliseconds"));
    if (from.empty()) from = to = render_state().output;
    from[static_cast<std::size_t>(round)] = std::byte{1};
    const double begun = now_ms();
    std::memcpy(to.data(), from.data(), from.size());
    copies.push_back(now_ms() - begun);
    if (to[static_cast<std::size_t>(round)] != std::byte{1}) return {{"error", "no copy"}};
  }
  return {{"renders", renders}, {"copies", copies}, {"bytes", from.size()}};
}

Json facts() {
  const Holdings held = holdings();
  return {{"files", held.files},
          {"threads", held.threads},
          {"resident", held.resident},
          {"images_out", world().images_out.load()},
          {"fetches", world().fetches}};
}

Json unload() {
  instances.clear();
  const ofx::Status status = act(ofx::kActionUnload, nullptr);
  return {{"status", status}, {"closed", close_library(std::exchange(library, nullptr))}};
}

Json destroy(const Json& command) {
  const ofx::Status status = act(ofx::kActionDestroyInstance, &instance_of(command));
  instances.erase(command.at("instance").get<std::string>());
  return {{"status", status}};
}

Json plates(const Json& command) {
  read(command.at("plate"), world().plate);
  if (command.contains("garbage")) read(command.at("garbage"), world().garbage);
  if (command.contains("holdout")) read(command.at("holdout"), world().holdout);
  return Json::object();
}

/// What an action of the viewer does: drawing, or a pen.
Json overlay(const Json& command) {
  const Viewer seen = overlay_action(*descriptor, instance_of(command), command.at("name"),
                                     command.value("pen", std::vector<double>{}));
  Json points = Json::array();
  for (const ofx::PointD& point : seen.points) points.push_back({point.x, point.y});
  return {{"offered", seen.offered}, {"status", seen.status},   {"drawn_by", seen.drawn_by},
          {"points", points},        {"redraws", seen.redraws}, {"slaves", seen.slaves}};
}

Json start(const Json& command) {
  started = std::async(std::launch::async, [command] { return render(command); });
  return Json::object();
}

Json behave(const Json& command) {
  read(command, world().behaviour);
  return Json::object();
}

Json give_up(const Json& command) {
  abort_all = command.value("aborted", true);
  return Json::object();
}

Json forget_fetches() {
  const std::lock_guard lock(world().fetch_mutex);
  world().fetches.clear();
  return Json::object();
}

Json obey(const Json& command) {
  const std::string verb = command.at("do");
  if (verb == "load") return load(command);
  if (verb == "plates") return plates(command);
  if (verb == "behave") return behave(command);
  if (verb == "create") return create(command);
  if (verb == "destroy") return destroy(command);
  if (verb == "set") return set_param(command);
  if (verb == "get") return get_param(command);
  if (verb == "changed") return changed(command);
  if (verb == "begin") return sequence(command, ofx::kActionBeginSequenceRender);
  if (verb == "end") return sequence(command, ofx::kActionEndSequenceRender);
  if (verb == "frames_needed") return question(command, ofx::kActionGetFramesNeeded);
  if (verb == "identity") return question(command, ofx::kActionIsIdentity);
  if (verb == "preferences") return question(command, ofx::kActionGetClipPreferences);
  if (verb == "regions") return question(command, ofx::kActionGetRegionsOfInterest);
  if (verb == "action") return question(command, command.at("name").get<std::string>().c_str());
  if (verb == "overlay") return overlay(command);
  if (verb == "render") return render(command);
  if (verb == "render_many") return render_many(command);
  if (verb == "start") return start(command);
  if (verb == "join") return started.get();
  if (verb == "abort") return give_up(command);
  if (verb == "bench") return bench(command);
  if (verb == "facts") return facts();
  if (verb == "trespass")
    return std::ofstream("/dev/null").good() ? Json::object() : Json{{"error", "shut"}};
  if (verb == "forget_fetches") return forget_fetches();
  if (verb == "unload") return unload();
  return {{"error", "no such command: " + verb}};
}

}  // namespace
}  // namespace fake

int main() {
  fake::open_streams();
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json answer;
    try {
      answer = fake::obey(nlohmann::json::parse(line));
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}
