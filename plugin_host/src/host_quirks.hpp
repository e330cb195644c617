// What hosts do that the standard does not say, each with where it was seen; asked by name,
// because no property tells.
#pragma once

#include <string_view>

namespace gvm::plugin {

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
  /// for scene-linear where they do not say. Resolve: its timeline's Rec.709; MLT: video as
  /// decoded.
  const char* auto_colourspace = "auto";

  /// Instances of one clip report ranges a frame or two apart (Resolve: playback, filmstrip, eyes).
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

}  // namespace gvm::plugin
