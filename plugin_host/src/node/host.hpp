// The host as this plug-in uses it: its suites and properties, its deviations from the standard,
// messages and progress.
#pragma once

#include <string>
#include <string_view>

#include "openfx/core.h"
#include "openfx/effect.h"
#include "openfx/interact.h"
#include "openfx/message.h"
#include "openfx/param.h"
#include "openfx/property.h"

namespace gvm::node {

// Deviations from the standard, each with where it was seen. They go by the host's name, because
// no property reports them.

inline constexpr std::string_view kNuke = "uk.co.thefoundry.nuke";
inline constexpr std::string_view kResolve = "DaVinciResolve";  // also with "Lite", or an edition
inline constexpr std::string_view kFusion = "com.blackmagicdesign.Fusion";
inline constexpr std::string_view kNatron = "fr.inria.Natron";
inline constexpr std::string_view kMlt = "MLT";

struct Quirks {
  /// Natron's UniqueIdentifier is the image's hash. MLT's is random; others' are not known to
  /// change with the pixels, so pixels are hashed there.
  bool real_image_identifiers = false;

  /// Video hosts hand over display-referred pixels even as floats; "automatic" must not take them
  /// for scene-linear where they report none. Resolve: its timeline's Rec.709; MLT: video as
  /// decoded.
  const char* auto_colourspace = "auto";

  /// Instances of one clip report ranges a frame or two apart (Resolve: playback, filmstrip,
  /// eyes).
  bool unsteady_ranges = false;

  /// One buffer may be lent to nodes on parallel branches (Fusion Studio).
  bool shared_buffers = false;

  /// OpenFX 1.5 colour properties have upset Nuke's panel.
  bool colour_management = true;
};

inline Quirks quirks_of(std::string_view host) {
  Quirks quirks;
  if (host == kNatron) quirks.real_image_identifiers = true;
  // By its beginning: 12.5 to 20 were seen to say "DaVinciResolveLite", others the bare name.
  const bool resolve = host.substr(0, kResolve.size()) == kResolve;
  quirks.unsteady_ranges = resolve;
  quirks.shared_buffers = host == kFusion;
  if (resolve || host == kMlt) quirks.auto_colourspace = "rec709";
  if (host == kNuke) quirks.colour_management = false;
  return quirks;
}

/// A property set that may lack any property; every read has a default, writes that a host refuses
/// are the host's choice.
class Properties {
 public:
  explicit Properties(ofx::PropertySet set = nullptr) : set_(set) {}

  ofx::PropertySet handle() const { return set_; }
  std::string text(const char* name, int index = 0) const;
  double number(const char* name, int index, double otherwise) const;
  int integer(const char* name, int index, int otherwise) const;
  void* pointer(const char* name) const;
  bool has_text(const char* name, const char* wanted) const;
  /// The four integers or doubles of a rectangle; false where one is missing.
  bool rectangle(const char* name, ofx::RectI& to) const;

  const Properties& set(const char* name, const char* value, int index = 0) const;
  const Properties& set(const char* name, int value, int index = 0) const;
  const Properties& set(const char* name, double value, int index = 0) const;
  const Properties& set_pointer(const char* name, void* value) const;

 private:
  ofx::PropertySet set_;
};

/// The host of this process; hosts send `load` as often as they like.
class Host {
 public:
  /// What setHost was given; nothing is asked of it yet.
  static void set_host(ofx::Host* host);

  /// Fetches suites. Returns kErrMissingHostFeature where one that is needed is missing.
  static ofx::Status load();
  static const Host& get();

  const ofx::PropertySuiteV1* property = nullptr;
  const ofx::ImageEffectSuiteV1* effect = nullptr;
  const ofx::ParameterSuiteV1* param = nullptr;
  const ofx::MessageSuiteV1* message1 = nullptr;
  const ofx::MessageSuiteV2* message2 = nullptr;
  const ofx::ProgressSuiteV1* progress1 = nullptr;
  const ofx::ProgressSuiteV2* progress2 = nullptr;

  const ofx::InteractSuiteV1* interact = nullptr;
  const ofx::DrawSuiteV1* draw = nullptr;

  std::string name;
  bool overlays = false;  // whether a node may draw in the viewer
  bool temporal_access = false;
  bool alpha_output = false;
  bool colour_management = false;
  Quirks quirks;

  Properties properties() const;
  bool aborted(ofx::Effect instance) const { return effect->abort(instance) != 0; }

  /// Shows a sentence on the node until `clear_message`; as a plain message where the host has no
  /// persistent ones.
  void show_message(ofx::Effect instance, const char* type, const std::string& text) const;
  void clear_message(ofx::Effect instance) const;
};

/// A progress bar of the host with a cancel button; without the suite, nothing is shown.
class ProgressBar {
 public:
  ProgressBar(ofx::Effect instance, const char* label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Shows how far it is, 0..1; true where the artist has cancelled.
  bool cancelled_at(double fraction);

 private:
  ofx::Effect instance_;
  bool cancelled_ = false;
};

}  // namespace gvm::node
