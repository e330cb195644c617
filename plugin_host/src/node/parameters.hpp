// The node's parameters, read once a render into plain structs, and their names in errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/errors.hpp"
#include "bridge/frame_request.hpp"
#include "node/definitions.hpp"
#include "openfx/effect.h"
#include "openfx/param.h"

namespace gvm::node {

/// What an artist set, as one render needs it.
struct NodeSettings {
  bridge::MatteOptions options;
  OutputMode output = OutputMode::kUnpremultiplied;
  std::string plate_file;
  std::int64_t plate_offset = 0;
  bool read_media = false;
  PlateCheck plate_check = PlateCheck::kRefuse;
  double guide_feather = 0.0;  // pixels of the render
  std::optional<ofx::RectD> region;  // as it is drawn, in canonical coordinates; none is the whole
};

/// The parameters of one instance.
class NodeParams {
 public:
  explicit NodeParams(ofx::Effect instance);

  int integer(const char* name) const;
  double real(const char* name) const;
  std::string text(const char* name) const;
  ofx::PointD point(const char* name) const;

  // Only within an instance-changed action.
  void set_integer(const char* name, int value) const;
  void set_text(const char* name, const std::string& value) const;
  void set_point(const char* name, const ofx::PointD& value) const;  // in an interact too

 private:
  ofx::Param find(const char* name) const;

  ofx::ParamSet set_ = nullptr;
};

/// Reads the node. `scale` is the render scale, which pixel sizes shrink with; `host_colourspace`
/// is what the host says of the source, or "".
NodeSettings read_settings(const NodeParams& params, double scale,
                           const std::string& host_colourspace);

/// Only what is done to a finished alpha; not checked.
bridge::MatteKnobs read_knobs(const NodeParams& params, double scale);

/// Only how frames are grouped; never throws for what an artist set.
bridge::WindowSettings read_window(const NodeParams& params);

/// Only the region, whether it is used or not.
ofx::RectD read_region(const NodeParams& params);

/// Only the engine.
bridge::EngineName read_engine(const NodeParams& params);

/// An error's sentence and remedy for a node: the server's remedies name options of the command
/// line, where an artist has parameters.
std::string panel_text(const bridge::Error& error);

/// Writes a preset's numbers into the parameters; "Custom" leaves them.
void fill_in_preset(const NodeParams& params);

}  // namespace gvm::node
