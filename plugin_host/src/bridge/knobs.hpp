// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once

#include <array>

namespace gvm::bridge {

/// What is done to a finished alpha; none of these runs a model.
struct MatteKnobs {
  double black = 0.0;
  double white = 1.0;
  double gamma = 1.0;
  double grow = 0.0;
  double blur = 0.0;
  bool invert = false;

  /// Throws Error (bad_request) where a value is out of its range.
  void check() const;
};

/// A knob that is a number: its field, and its parameter.
struct RealKnob {
  const char *name, *param, *label, *help;
  double MatteKnobs::*value;
  double low, high, slider_low, slider_high;
  bool is_bounded, is_length;  // of full-size pixels, of which a proxy has fewer
};

/// A knob that is on or off.
struct SwitchKnob {
  const char *name, *param, *label, *help;
  bool MatteKnobs::*value;
};

inline constexpr std::array<RealKnob, 5> kRealKnobs{{
    {"black", "matteBlack", "Black", "Alpha that becomes 0.", &MatteKnobs::black,
     -1000.0, 1000.0, 0.0, 1.0, false, false},
    {"white", "matteWhite", "White", "Alpha that becomes 1.", &MatteKnobs::white,
     -1000.0, 1000.0, 0.0, 1.0, false, false},
    {"gamma", "matteGamma", "Gamma", "Above 1 thickens soft edges.", &MatteKnobs::gamma,
     0.01, 100.0, 0.2, 5.0, true, false},
    {"grow", "matteGrow", "Grow", "Plate pixels, fractions allowed; negative shrinks.", &MatteKnobs::grow,
     -256.0, 256.0, -20.0, 20.0, true, true},
    {"blur", "matteBlur", "Blur", "Gaussian sigma, plate pixels.", &MatteKnobs::blur,
     0.0, 256.0, 0.0, 20.0, true, true},
}};

inline constexpr std::array<SwitchKnob, 1> kSwitchKnobs{{
    {"invert", "matteInvert", "Invert", "1 becomes 0.", &MatteKnobs::invert},
}};

}  // namespace gvm::bridge
