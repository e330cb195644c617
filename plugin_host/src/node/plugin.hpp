// One instance of the node: what it answers to the host's actions.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "bridge/job_tracker.hpp"
#include "node/composite.hpp"
#include "node/host.hpp"
#include "node/parameters.hpp"
#include "node/plate.hpp"
#include "node/source_clip.hpp"
#include "openfx/effect.h"

namespace gvm::node {

class Plugin {
 public:
  explicit Plugin(ofx::Effect instance);

  ofx::Status clip_preferences(ofx::PropertySet out) const;
  ofx::Status frames_needed(ofx::PropertySet in, ofx::PropertySet out) const;
  ofx::Status region_of_definition(ofx::PropertySet in, ofx::PropertySet out) const;
  ofx::Status regions_of_interest(ofx::PropertySet in, ofx::PropertySet out) const;
  ofx::Status is_identity(ofx::PropertySet in, ofx::PropertySet out) const;
  ofx::Status begin_sequence(ofx::PropertySet in);
  ofx::Status end_sequence();
  ofx::Status render(ofx::PropertySet in);
  ofx::Status changed(ofx::PropertySet in);

 private:
  struct RenderArguments;

  /// The matte of a render; sets `layers.canvas`, where it lies. Throws Error; Aborted.
  bridge::AlphaPtr matte(const RenderArguments& arguments, const NodeSettings& node,
                         Layers& layers, const std::shared_ptr<HostImage>& source);
  bridge::AlphaPtr matte_of_disk(const RenderArguments& arguments, const NodeSettings& node,
                                 const ofx::RectI& canvas, const HostImage& source);
  ofx::Status render_matte(const RenderArguments& arguments, const NodeSettings& node,
                           Layers& layers, const std::shared_ptr<HostImage>& source,
                           const HostImage& output);
  void show(const char* type, const std::string& text);

  // Buttons.
  void begin_region(double time);
  ofx::RectI full_canvas(const bridge::Window& range) const;
  void matte_range(double time);
  std::string matte_frames(const bridge::Window& range);
  bridge::FileFrame frame_on_disk(const NodeSettings& node, std::int64_t frame);
  void forget_clip(double time);
  void ask_status();

  NodeSettings settings(double scale) const;
  bool inverts() const { return read_knobs(params_, 1.0).invert; }

  ofx::Effect instance_;
  NodeParams params_;
  SourceClip source_;
  ofx::Clip output_ = nullptr;
  ofx::Clip garbage_ = nullptr;  // null where the context has none
  ofx::Clip holdout_ = nullptr;
  SequenceKeys sequence_;
  std::mutex shown_mutex_;
  std::string shown_;
};

}  // namespace gvm::node
