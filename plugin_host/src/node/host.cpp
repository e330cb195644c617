#include "node/host.hpp"

#include <mutex>

namespace gvm::node {
namespace {

ofx::Host* given = nullptr;
Host host;
std::mutex loading;

template <class Suite>
const Suite* fetch(const char* name, int version) {
  return static_cast<const Suite*>(given->fetchSuite(given->host, name, version));
}

/// A text as a format that needs no arguments: Natron passes them on as one, and `%s` loses its
/// text.
std::string as_format(const std::string& text) {
  std::string format;
  for (const char letter : text) format.append(letter == '%' ? 2 : 1, letter);
  return format;
}

/// Old hosts answer version 2 with a table that is not filled.
const ofx::MessageSuiteV2* whole(const ofx::MessageSuiteV2* suite) {
  const bool filled = suite && suite->setPersistentMessage && suite->clearPersistentMessage;
  return filled ? suite : nullptr;
}

}  // namespace

std::string Properties::text(const char* name, int index) const {
  char* value = nullptr;
  if (!set_ || host.property->propGetString(set_, name, index, &value) != ofx::kOk) return "";
  return value ? value : "";
}

double Properties::number(const char* name, int index, double otherwise) const {
  double value = otherwise;
  if (!set_ || host.property->propGetDouble(set_, name, index, &value) != ofx::kOk) {
    return otherwise;
  }
  return value;
}

int Properties::integer(const char* name, int index, int otherwise) const {
  int value = otherwise;
  if (!set_ || host.property->propGetInt(set_, name, index, &value) != ofx::kOk) return otherwise;
  return value;
}

void* Properties::pointer(const char* name) const {
  void* value = nullptr;
  if (!set_ || host.property->propGetPointer(set_, name, 0, &value) != ofx::kOk) return nullptr;
  return value;
}

bool Properties::has_text(const char* name, const char* wanted) const {
  int count = 0;
  if (!set_ || host.property->propGetDimension(set_, name, &count) != ofx::kOk) return false;
  for (int index = 0; index < count; ++index) {
    if (text(name, index) == wanted) return true;
  }
  return false;
}

bool Properties::rectangle(const char* name, ofx::RectI& to) const {
  int* const sides[] = {&to.x1, &to.y1, &to.x2, &to.y2};
  for (int index = 0; index < 4; ++index) {
    const ofx::Status status = host.property->propGetInt(set_, name, index, sides[index]);
    if (status != ofx::kOk) return false;
  }
  return true;
}

const Properties& Properties::set(const char* name, const char* value, int index) const {
  host.property->propSetString(set_, name, index, value);
  return *this;
}

const Properties& Properties::set(const char* name, int value, int index) const {
  host.property->propSetInt(set_, name, index, value);
  return *this;
}

const Properties& Properties::set(const char* name, double value, int index) const {
  host.property->propSetDouble(set_, name, index, value);
  return *this;
}

const Properties& Properties::set_pointer(const char* name, void* value) const {
  host.property->propSetPointer(set_, name, 0, value);
  return *this;
}

void Host::set_host(ofx::Host* from) {
  const std::lock_guard lock(loading);
  if (from != given) host = Host{};  // another host in the same process has suites of its own
  given = from;
}

ofx::Status Host::load() {
  const std::lock_guard lock(loading);
  if (!given || !given->fetchSuite) return ofx::kErrMissingHostFeature;
  if (host.effect) return ofx::kOk;
  host.property = fetch<ofx::PropertySuiteV1>(ofx::kPropertySuite, 1);
  host.param = fetch<ofx::ParameterSuiteV1>(ofx::kParameterSuite, 1);
  const auto* effects = fetch<ofx::ImageEffectSuiteV1>(ofx::kImageEffectSuite, 1);
  if (!host.property || !host.param || !effects) return ofx::kErrMissingHostFeature;
  host.message1 = fetch<ofx::MessageSuiteV1>(ofx::kMessageSuite, 1);
  host.message2 = whole(fetch<ofx::MessageSuiteV2>(ofx::kMessageSuite, 2));
  host.progress1 = fetch<ofx::ProgressSuiteV1>(ofx::kProgressSuite, 1);
  host.progress2 = fetch<ofx::ProgressSuiteV2>(ofx::kProgressSuite, 2);
  host.interact = fetch<ofx::InteractSuiteV1>(ofx::kInteractSuite, 1);
  host.draw = fetch<ofx::DrawSuiteV1>(ofx::kDrawSuite, 1);
  const Properties properties(given->host);
  host.overlays = host.interact && properties.integer(ofx::kSupportsOverlays, 0, 0) != 0;
  host.name = properties.text(ofx::kPropName);
  host.quirks = quirks_of(host.name);
  host.temporal_access = properties.integer(ofx::kTemporalClipAccess, 0, 0) != 0;
  host.alpha_output = properties.has_text(ofx::kSupportedComponents, ofx::kComponentsAlpha);
  const std::string style = properties.text(ofx::kColourManagementStyle);
  host.colour_management =
      host.quirks.colour_management && !style.empty() && style != ofx::kColourManagementNone;
  host.effect = effects;
  return ofx::kOk;
}

const Host& Host::get() { return host; }

Properties Host::properties() const { return Properties(given->host); }

void Host::show_message(ofx::Effect instance, const char* type, const std::string& text) const {
  const std::string format = as_format(text);
  if (message2) {
    message2->setPersistentMessage(instance, type, "", format.c_str());
  } else if (message1) {
    // It may be a window that waits for a click: only for what an artist must read.
    const bool grave = std::string(type) == ofx::kMessageError;
    message1->message(instance, grave ? type : ofx::kMessageLog, "", format.c_str());
  }
}

void Host::clear_message(ofx::Effect instance) const {
  if (message2) message2->clearPersistentMessage(instance);
}

ProgressBar::ProgressBar(ofx::Effect instance, const char* label) : instance_(instance) {
  if (host.progress2) {
    host.progress2->progressStart(instance, label, "");
  } else if (host.progress1) {
    host.progress1->progressStart(instance, label);
  }
}

ProgressBar::~ProgressBar() {
  if (host.progress2) {
    host.progress2->progressEnd(instance_);
  } else if (host.progress1) {
    host.progress1->progressEnd(instance_);
  }
}

bool ProgressBar::cancelled_at(double fraction) {
  ofx::Status status = ofx::kOk;
  if (host.progress2) {
    status = host.progress2->progressUpdate(instance_, fraction);
  } else if (host.progress1) {
    status = host.progress1->progressUpdate(instance_, fraction);
  }
  cancelled_ = cancelled_ || status == ofx::kReplyNo;
  return cancelled_;
}

}  // namespace gvm::node
