// What lies behind the handles that the fake host gives out.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "openfx/core.h"
#include "openfx/interact.h"

namespace ofx {

/// A property set: strict about types and missing names, as the best hosts are.
struct PropertySetStruct {
  using Value = std::variant<int, double, std::string, void*>;

  std::mutex mutex;
  std::map<std::string, std::vector<Value>> values;

  void set(const std::string& name, int index, Value value) {
    const std::lock_guard lock(mutex);
    auto& list = values[name];
    if (list.size() <= static_cast<std::size_t>(index)) list.resize(index + 1, value);
    list[index] = std::move(value);
  }
};

struct ParamStruct {
  std::string type;
  PropertySetStruct properties;
  std::mutex mutex;
  std::variant<int, double, std::string, PointD> value;
};

struct ParamSetStruct {
  PropertySetStruct properties;
  std::vector<std::string> order;
  std::map<std::string, std::unique_ptr<ParamStruct>> params;
};

struct ClipStruct {
  std::string name;
  EffectStruct* effect = nullptr;
  PropertySetStruct properties;
};

/// A descriptor, or an instance.
struct EffectStruct {
  PropertySetStruct properties;
  ParamSetStruct params;
  std::vector<std::string> clip_order;
  std::map<std::string, std::unique_ptr<ClipStruct>> clips;
  std::mutex message_mutex;
  std::vector<std::string> messages;
  std::string persistent;  // what stands on the node now
};

}  // namespace ofx

namespace fake {

/// How the host behaves; what a test does not say is Nuke's way.
struct Behaviour {
  std::string host = "uk.co.thefoundry.nuke";
  std::string context = "OfxImageEffectContextFilter";
  int temporal = 1;
  std::string depth = "OfxBitDepthFloat";
  std::string components = "OfxImageComponentRGBA";
  std::string output_components = "OfxImageComponentRGBA";
  bool alpha_listed = true;
  bool negative_rows = false;
  int row_padding = 0;
  int offset_x = 0, offset_y = 0;
  std::string identifiers = "none";  // none, hash, random
  int message_suite = 2;             // 0: none, 1 or 2
  int progress_suite = 2;
  bool hollow_message_suite = false;  // version 2 with null pointers
  bool arguments_as_one = false;      // a message's variadic arguments are lost on the way
  std::vector<int> failing_frames;    // clipGetImage says failed
  std::vector<int> hollow_frames;     // an image without data
  bool beyond = false;                // the source shows its ends outside of its range
  // By frame: the part of the plate that is there, in pixels from its lower left corner; where it
  // is empty, so is the frame.
  std::map<std::string, std::vector<int>> regions;
  // Where the plate's frame at a time is not that time: after a cut, at another frame rate (MLT).
  int cut = 0;
  double rate = 1.0;            // frames of the plate for one of the host
  bool infinite = false;        // every region is said to have no end
  std::vector<double> project;  // left, low, width, height
  double pixel_aspect = 1.0;
  std::string colourspace;
  std::string source_path;
  // What was lent to one render is written over for the next, as Fusion does with branches.
  bool shared_buffers = false;
  bool only_own_range = false;     // an instance gets no frame outside of the range that it is told
  bool overlays = true;       // whether a node may draw in the viewer
  bool draw_suite = false;    // by the draw suite; else by OpenGL
  double pixel_scale = 1.0;   // canonical units of one pixel of the screen
  int progress_cancel_after = -1;  // updates until the artist presses cancel
};

/// A plate: float RGBA, rows from the top down, one file a frame.
struct Plate {
  std::string folder;
  int width = 0, height = 0;
  int first = 0, last = 0;
};

struct World {
  Behaviour behaviour;
  Plate plate;
  Plate garbage, holdout;  // width 0: not connected
  std::atomic<int> images_out{0};
  std::mutex fetch_mutex;
  std::map<int, int> fetches;  // of Source, by frame
};

World& world();

/// What a render is about; thread-local, because aborts and outputs belong to a thread's render.
struct RenderState {
  ofx::EffectStruct* effect = nullptr;
  double scale = 1.0;
  std::size_t fetched = 0;  // images of Source
  std::vector<std::byte> output;
  std::vector<double> announced;    // pairs: what the node said that it needs of the source
  std::vector<double> unannounced;  // what it took all the same
  int abort_after = -1;  // polls until the host gives up
  int polls = 0;
  double longest_gap_ms = 0.0;
  double last_poll_ms = 0.0;
};
RenderState& render_state();
extern std::atomic<bool> abort_all;

double now_ms();
const void* fetch_suite(ofx::PropertySet host, const char* name, int version);

/// The part of the source's plate that is there at a frame, in pixels from its lower left corner.
ofx::RectI region_at(int frame);

// overlay.cpp
struct Viewer {
  bool offered = false;  // whether the node draws in such a host
  ofx::Status status = ofx::kOk;
  std::string drawn_by;
  std::vector<ofx::PointD> points;
  int redraws = 0;
  std::vector<std::string> slaves;
};
const ofx::InteractSuiteV1* interact_suite();
const ofx::DrawSuiteV1* draw_suite();
/// Sends an action to the overlay of an instance, which is made if need be; `pen` is where it is.
Viewer overlay_action(ofx::EffectStruct& descriptor, ofx::EffectStruct& instance,
                      const std::string& action, const std::vector<double>& pen);

// images.cpp
ofx::Status get_image(ofx::Clip clip, double time, ofx::PropertySet* image);
ofx::Status release_image(ofx::PropertySet image);
ofx::RectI pixel_rectangle(const Plate& plate, double scale);
void prepare_output(RenderState& state);  // before a render, outside of what is timed
std::vector<float> read_output(const RenderState& state);

}  // namespace fake
