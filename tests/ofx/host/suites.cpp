// The fake host's suites: real C functions, real varargs.

#include <chrono>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "objects.hpp"
#include "openfx/effect.h"
#include "openfx/param.h"
#include "openfx/property.h"
#include "openfx/message.h"

namespace fake {

World& world() {
  static World the;
  return the;
}

RenderState& render_state() {
  static thread_local RenderState state;
  return state;
}

std::atomic<bool> abort_all{false};

ofx::RectI region_at(int frame) {
  const Plate& plate = world().plate;
  if (std::getenv("FAKE_SMALL_FIRST") && frame == plate.first) return {0, 0, 8, 8};
  const auto& regions = world().behaviour.regions;
  const auto found = regions.find(std::to_string(frame));
  if (found == regions.end()) return {0, 0, plate.width, plate.height};
  return {found->second.at(0), found->second.at(1), found->second.at(2), found->second.at(3)};
}

double now_ms() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

namespace {

using ofx::Status;

// ---- properties
// ----------------------------------------------------------------------------------

template <class T>
Status set_one(ofx::PropertySet set, const char* name, int index, T value) {
  if (!set) return ofx::kErrBadHandle;
  set->set(name, index, value);
  return ofx::kOk;
}

template <class T, class Out>
Status get_one(ofx::PropertySet set, const char* name, int index, Out* out) {
  if (!set) return ofx::kErrBadHandle;
  const std::lock_guard lock(set->mutex);
  const auto found = set->values.find(name);
  if (found == set->values.end()) return ofx::kErrUnknown;
  if (index < 0 || static_cast<std::size_t>(index) >= found->second.size()) {
    return ofx::kErrBadIndex;
  }
  T* value = std::get_if<T>(&found->second[index]);
  if (!value) return ofx::kErrValue;
  if constexpr (std::is_same_v<T, std::string>) {
    *out = value->data();
  } else {
    *out = *value;
  }
  return ofx::kOk;
}

Status set_pointer(ofx::PropertySet s, const char* n, int i, void* v) {
  return set_one<void*>(s, n, i, v);
}
Status set_string(ofx::PropertySet s, const char* n, int i, const char* v) {
  return set_one<std::string>(s, n, i, v);
}
Status set_double(ofx::PropertySet s, const char* n, int i, double v) {
  return set_one(s, n, i, v);
}
Status set_int(ofx::PropertySet s, const char* n, int i, int v) { return set_one(s, n, i, v); }
Status get_pointer(ofx::PropertySet s, const char* n, int i, void** v) {
  return get_one<void*>(s, n, i, v);
}
Status get_string(ofx::PropertySet s, const char* n, int i, char** v) {
  return get_one<std::string>(s, n, i, v);
}
Status get_double(ofx::PropertySet s, const char* n, int i, double* v) {
  return get_one<double>(s, n, i, v);
}
Status get_int(ofx::PropertySet s, const char* n, int i, int* v) {
  return get_one<int>(s, n, i, v);
}

template <class T, class In, Status (*one)(ofx::PropertySet, const char*, int, T)>
Status set_many(ofx::PropertySet set, const char* name, int count, In values) {
  for (int index = 0; index < count; ++index) one(set, name, index, values[index]);
  return ofx::kOk;
}
template <class T, Status (*one)(ofx::PropertySet, const char*, int, T*)>
Status get_many(ofx::PropertySet set, const char* name, int count, T* values) {
  for (int index = 0; index < count; ++index) {
    if (const Status status = one(set, name, index, values + index)) return status;
  }
  return ofx::kOk;
}

Status reset(ofx::PropertySet set, const char* name) {
  const std::lock_guard lock(set->mutex);
  set->values.erase(name);
  return ofx::kOk;
}
Status dimension(ofx::PropertySet set, const char* name, int* count) {
  const std::lock_guard lock(set->mutex);
  const auto found = set->values.find(name);
  *count = found == set->values.end() ? 0 : static_cast<int>(found->second.size());
  return ofx::kOk;
}

const ofx::PropertySuiteV1 kProperties{
    set_pointer,
    set_string,
    set_double,
    set_int,
    set_many<void*, void* const*, set_pointer>,
    set_many<const char*, const char* const*, set_string>,
    set_many<double, const double*, set_double>,
    set_many<int, const int*, set_int>,
    get_pointer,
    get_string,
    get_double,
    get_int,
    get_many<void*, get_pointer>,
    get_many<char*, get_string>,
    get_many<double, get_double>,
    get_many<int, get_int>,
    reset,
    dimension,
};

// ---- the effect
// ----------------------------------------------------------------------------------

Status effect_properties(ofx::Effect effect, ofx::PropertySet* out) {
  if (!effect) return ofx::kErrBadHandle;
  *out = &effect->properties;
  return ofx::kOk;
}
Status effect_params(ofx::Effect effect, ofx::ParamSet* out) {
  if (!effect) return ofx::kErrBadHandle;
  *out = &effect->params;
  return ofx::kOk;
}
Status define_clip(ofx::Effect effect, const char* name, ofx::PropertySet* out) {
  auto& clip = effect->clips[name];
  if (clip) return ofx::kErrValue;  // defined twice
  clip = std::make_unique<ofx::ClipStruct>();
  clip->name = name;
  clip->effect = effect;
  effect->clip_order.push_back(name);
  *out = &clip->properties;
  return ofx::kOk;
}
Status clip_handle(ofx::Effect effect, const char* name, ofx::Clip* clip, ofx::PropertySet* out) {
  const auto found = effect->clips.find(name);
  if (found == effect->clips.end()) return ofx::kErrBadHandle;
  *clip = found->second.get();
  if (out) *out = &found->second->properties;
  return ofx::kOk;
}
Status clip_properties(ofx::Clip clip, ofx::PropertySet* out) {
  *out = &clip->properties;
  return ofx::kOk;
}
Status clip_image(ofx::Clip clip, double time, const ofx::RectD*, ofx::PropertySet* out) {
  return get_image(clip, time, out);
}
Status clip_region(ofx::Clip clip, double time, ofx::RectD* out) {
  const Behaviour& how = world().behaviour;
  const Plate& plate = world().plate;
  const bool is_source = clip->name == ofx::kSourceClip;
  if (is_source && how.infinite) {
    constexpr double kEndless = std::numeric_limits<int>::max();
    *out = {-kEndless, -kEndless, kEndless, kEndless};
    return ofx::kOk;
  }
  const ofx::RectI part = is_source ? region_at(static_cast<int>(std::lround(time)))
                                    : ofx::RectI{0, 0, plate.width, plate.height};
  *out = {(how.offset_x + part.x1) * how.pixel_aspect, static_cast<double>(how.offset_y + part.y1),
          (how.offset_x + part.x2) * how.pixel_aspect,
          static_cast<double>(how.offset_y + part.y2)};
  return ofx::kOk;
}

int aborted(ofx::Effect) {
  RenderState& state = render_state();
  const double now = now_ms();
  if (state.polls > 0 && now - state.last_poll_ms > state.longest_gap_ms) {
    state.longest_gap_ms = now - state.last_poll_ms;
  }
  state.last_poll_ms = now;
  ++state.polls;
  return abort_all || (state.abort_after >= 0 && state.polls > state.abort_after);
}

Status no_memory(ofx::Effect, std::size_t, ofx::ImageMemory*) { return ofx::kErrUnsupported; }
Status no_memory_free(ofx::ImageMemory) { return ofx::kErrUnsupported; }
Status no_memory_lock(ofx::ImageMemory, void**) { return ofx::kErrUnsupported; }

const ofx::ImageEffectSuiteV1 kEffects{
    effect_properties, effect_params,  define_clip,    clip_handle, clip_properties,
    clip_image,        release_image,  clip_region,    aborted,     no_memory,
    no_memory_free,    no_memory_lock, no_memory_free,
};

// ---- parameters
// ----------------------------------------------------------------------------------

Status define_param(ofx::ParamSet set, const char* type, const char* name, ofx::PropertySet* out) {
  auto& param = set->params[name];
  if (param) return ofx::kErrValue;  // defined twice
  param = std::make_unique<ofx::ParamStruct>();
  param->type = type;
  set->order.push_back(name);
  *out = &param->properties;
  return ofx::kOk;
}
Status param_handle(ofx::ParamSet set, const char* name, ofx::Param* out,
                    ofx::PropertySet* properties) {
  const auto found = set->params.find(name);
  if (found == set->params.end()) return ofx::kErrUnknown;
  *out = found->second.get();
  if (properties) *properties = &found->second->properties;
  return ofx::kOk;
}
Status set_properties(ofx::ParamSet set, ofx::PropertySet* out) {
  *out = &set->properties;
  return ofx::kOk;
}
Status param_properties(ofx::Param param, ofx::PropertySet* out) {
  *out = &param->properties;
  return ofx::kOk;
}

Status read_value(ofx::Param param, va_list arguments) {
  const std::lock_guard lock(param->mutex);
  if (const int* whole = std::get_if<int>(&param->value)) {
    *va_arg(arguments, int*) = *whole;
  } else if (const double* real = std::get_if<double>(&param->value)) {
    *va_arg(arguments, double*) = *real;
  } else if (const ofx::PointD* place = std::get_if<ofx::PointD>(&param->value)) {
    *va_arg(arguments, double*) = place->x;
    *va_arg(arguments, double*) = place->y;
  } else {
    *va_arg(arguments, char**) = std::get<std::string>(param->value).data();
  }
  return ofx::kOk;
}
Status write_value(ofx::Param param, va_list arguments) {
  const std::lock_guard lock(param->mutex);
  if (int* whole = std::get_if<int>(&param->value)) {
    *whole = va_arg(arguments, int);
  } else if (double* real = std::get_if<double>(&param->value)) {
    *real = va_arg(arguments, double);
  } else if (ofx::PointD* place = std::get_if<ofx::PointD>(&param->value)) {
    place->x = va_arg(arguments, double);
    place->y = va_arg(arguments, double);
  } else {
    param->value = std::string(va_arg(arguments, const char*));
  }
  return ofx::kOk;
}

Status get_value(ofx::Param param, ...) {
  va_list arguments;
  va_start(arguments, param);
  const Status status = read_value(param, arguments);
  va_end(arguments);
  return status;
}
Status get_value_at(ofx::Param param, double time, ...) {
  va_list arguments;
  va_start(arguments, time);
  const Status status = read_value(param, arguments);
  va_end(arguments);
  return status;
}
Status set_value(ofx::Param param, ...) {
  va_list arguments;
  va_start(arguments, param);
  const Status status = write_value(param, arguments);
  va_end(arguments);
  return status;
}
Status set_value_at(ofx::Param param, double time, ...) {
  va_list arguments;
  va_start(arguments, time);
  const Status status = write_value(param, arguments);
  va_end(arguments);
  return status;
}
Status no_calculus(ofx::Param, double, ...) { return ofx::kErrUnsupported; }
Status no_integral(ofx::Param, double, double, ...) { return ofx::kErrUnsupported; }
Status no_keys(ofx::Param, unsigned* count) {
  *count = 0;
  return ofx::kOk;
}
Status no_key_time(ofx::Param, unsigned, double*) { return ofx::kErrBadIndex; }
Status no_key_index(ofx::Param, double, int, int*) { return ofx::kFailed; }
Status delete_key(ofx::Param, double) { return ofx::kErrBadIndex; }
Status delete_keys(ofx::Param) { return ofx::kOk; }
Status no_copy(ofx::Param, ofx::Param, double, const ofx::RangeD*) { return ofx::kOk; }
Status edit_begin(ofx::ParamSet, const char*) { return ofx::kOk; }
Status edit_end(ofx::ParamSet) { return ofx::kOk; }

const ofx::ParameterSuiteV1 kParams{
    define_param, param_handle, set_properties, param_properties, get_value,  get_value_at,
    no_calculus,  no_integral,  set_value,      set_value_at,     no_keys,    no_key_time,
    no_key_index, delete_key,   delete_keys,    no_copy,          edit_begin, edit_end,
};

// ---- talk
// ----------------------------------------------------------------------------------------

std::string formatted(const char* format, va_list arguments) {
  char text[8192];
  if (world().behaviour.arguments_as_one) {
    // The list itself goes on as the one argument of a variadic function: its text is lost.
    std::snprintf(text, sizeof text, format, "");
  } else {
    std::vsnprintf(text, sizeof text, format, arguments);
  }
  return text;
}

Status message(void* handle, const char*, const char*, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  auto* effect = static_cast<ofx::EffectStruct*>(handle);
  const std::lock_guard lock(effect->message_mutex);
  effect->messages.push_back(formatted(format, arguments));
  va_end(arguments);
  return ofx::kOk;
}
Status set_persistent(void* handle, const char*, const char*, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  auto* effect = static_cast<ofx::EffectStruct*>(handle);
  const std::lock_guard lock(effect->message_mutex);
  effect->persistent = formatted(format, arguments);
  effect->messages.push_back(effect->persistent);
  va_end(arguments);
  return ofx::kOk;
}
Status clear_persistent(void* handle) {
  auto* effect = static_cast<ofx::EffectStruct*>(handle);
  const std::lock_guard lock(effect->message_mutex);
  effect->persistent.clear();
  return ofx::kOk;
}

const ofx::MessageSuiteV1 kMessages1{message};
const ofx::MessageSuiteV2 kMessages2{message, set_persistent, clear_persistent};
const ofx::MessageSuiteV2 kHollowMessages{message, nullptr, nullptr};

int progress_updates = 0;
Status progress_start1(void*, const char*) { return progress_updates = 0, ofx::kOk; }
Status progress_start2(void*, const char*, const char*) { return progress_updates = 0, ofx::kOk; }
Status progress_update(void*, double) {
  const int limit = world().behaviour.progress_cancel_after;
  return limit >= 0 && ++progress_updates > limit ? ofx::kReplyNo : ofx::kOk;
}
Status progress_end(void*) { return ofx::kOk; }
const ofx::ProgressSuiteV1 kProgress1{progress_start1, progress_update, progress_end};
const ofx::ProgressSuiteV2 kProgress2{progress_start2, progress_update, progress_end};

}  // namespace

const void* fetch_suite(ofx::PropertySet, const char* name, int version) {
  const Behaviour& how = world().behaviour;
  const std::string wanted = name;
  if (wanted == ofx::kPropertySuite && version == 1) return &kProperties;
  if (wanted == ofx::kImageEffectSuite && version == 1) return &kEffects;
  if (wanted == ofx::kParameterSuite && version == 1) return &kParams;
  if (wanted == ofx::kMessageSuite && version <= how.message_suite) {
    if (version == 1) return &kMessages1;
    return how.hollow_message_suite ? &kHollowMessages : &kMessages2;
  }
  if (wanted == ofx::kInteractSuite && version == 1 && how.overlays) return interact_suite();
  if (wanted == ofx::kDrawSuite && version == 1 && how.draw_suite) return draw_suite();
  if (wanted == ofx::kProgressSuite && version <= how.progress_suite) {
    return version == 1 ? static_cast<const void*>(&kProgress1) : &kProgress2;
  }
  return nullptr;
}

}  // namespace fake
