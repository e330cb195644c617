// The host as this plug-in uses it: its suites, what it says of itself, properties and messages.
#pragma once

#include <string>

#include "host_quirks.hpp"
#include "openfx/core.h"
#include "openfx/effect.h"
#include "openfx/param.h"
#include "openfx/property.h"
#include "openfx/talk.h"

namespace gvm::plugin {

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
  static void remember(ofx::Host* host);

  /// Fetches suites. Returns kErrMissingHostFeature where one that is needed is missing.
  static ofx::Status load();
  static const Host& the();

  const ofx::PropertySuiteV1* property = nullptr;
  const ofx::ImageEffectSuiteV1* effect = nullptr;
  const ofx::ParameterSuiteV1* param = nullptr;
  const ofx::MessageSuiteV1* message1 = nullptr;
  const ofx::MessageSuiteV2* message2 = nullptr;
  const ofx::ProgressSuiteV1* progress1 = nullptr;
  const ofx::ProgressSuiteV2* progress2 = nullptr;

  std::string name;
  bool temporal_access = false;
  bool alpha_output = false;
  bool colour_management = false;
  Quirks quirks;

  Properties properties() const;
  bool aborted(ofx::Effect instance) const { return effect->abort(instance) != 0; }

  /// Shows a sentence on the node, until `unsay`; as a plain message where the host has no better.
  void say(ofx::Effect instance, const char* type, const std::string& text) const;
  void unsay(ofx::Effect instance) const;
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

}  // namespace gvm::plugin
