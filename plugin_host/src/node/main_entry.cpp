// What the host sees of this binary: two C functions, and the entry that every action comes
// through.

#include <exception>
#include <map>
#include <new>
#include <string_view>

#include "bridge/errors.hpp"
#include "bridge/job_tracker.hpp"
#include "node/definitions.hpp"
#include "node/host.hpp"
#include "node/plugin.hpp"
#include "node/plugin_factory.hpp"
#include "node/source_clip.hpp"

#define GVM_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace gvm::node;
namespace bridge = gvm::bridge;

/// Calls an action and returns a status for whatever it throws: no exception crosses the border to
/// C, so this is the only place that catches what it cannot name.
template <class Action>
ofx::Status status_of(Action&& action) noexcept {
  try {
    return action();
  } catch (const bridge::Error&) {  // shown on the node where it happened
    return ofx::kFailed;
  } catch (const std::bad_alloc&) {
    return ofx::kErrMemory;
  } catch (...) {
    return ofx::kErrUnknown;
  }
}

ofx::Effect effect_of(const void* handle) {
  return static_cast<ofx::Effect>(const_cast<void*>(handle));
}

Properties properties_of(const void* handle) {
  ofx::PropertySet set = nullptr;
  Host::get().effect->getPropertySet(effect_of(handle), &set);
  return Properties(set);
}

ofx::Status create(const void* handle) {
  properties_of(handle).set_pointer(ofx::kPropInstanceData, new Plugin(effect_of(handle)));
  return ofx::kOk;
}

ofx::Status destroy(const void* handle) {
  const Properties properties = properties_of(handle);
  delete static_cast<Plugin*>(properties.pointer(ofx::kPropInstanceData));
  properties.set_pointer(ofx::kPropInstanceData, nullptr);
  return ofx::kOk;
}

ofx::Status unload() {
  bridge::close_job_tracker();
  forget_shared_ranges();
  return ofx::kOk;
}

ofx::Status purge() {
  bridge::job_tracker()->clear();
  return ofx::kOk;
}

using InstanceAction = ofx::Status (*)(Plugin&, ofx::PropertySet in, ofx::PropertySet out);
using Set = ofx::PropertySet;

const std::map<std::string_view, InstanceAction>& instance_actions() {
  static const std::map<std::string_view, InstanceAction> actions{
      {ofx::kActionRender, [](Plugin& node, Set in, Set) { return node.render(in); }},
      {ofx::kActionIsIdentity,
       [](Plugin& node, Set in, Set out) { return node.is_identity(in, out); }},
      {ofx::kActionGetFramesNeeded,
       [](Plugin& node, Set in, Set out) { return node.frames_needed(in, out); }},
      {ofx::kActionGetRegionOfDefinition,
       [](Plugin& node, Set in, Set out) { return node.region_of_definition(in, out); }},
      {ofx::kActionGetRegionsOfInterest,
       [](Plugin& node, Set in, Set out) { return node.regions_of_interest(in, out); }},
      {ofx::kActionGetClipPreferences,
       [](Plugin& node, Set, Set out) { return node.clip_preferences(out); }},
      {ofx::kActionBeginSequenceRender,
       [](Plugin& node, Set in, Set) { return node.begin_sequence(in); }},
      {ofx::kActionEndSequenceRender, [](Plugin& node, Set, Set) { return node.end_sequence(); }},
      {ofx::kActionInstanceChanged, [](Plugin& node, Set in, Set) { return node.changed(in); }},
  };
  return actions;
}

ofx::Status dispatch(std::string_view action, const void* handle, Set in, Set out) {
  if (action == ofx::kActionLoad) return Host::load();
  if (!Host::get().effect) return ofx::kErrMissingHostFeature;
  if (action == ofx::kActionUnload) return unload();
  if (action == ofx::kActionPurgeCaches) return purge();
  if (action == ofx::kActionDescribe) return describe(effect_of(handle));
  if (action == ofx::kActionDescribeInContext) return describe_in_context(effect_of(handle), in);
  if (action == ofx::kActionCreateInstance) return create(handle);
  if (action == ofx::kActionDestroyInstance) return destroy(handle);
  const auto known = instance_actions().find(action);
  if (known == instance_actions().end()) return ofx::kReplyDefault;
  // Some hosts go on with an instance whose creation failed.
  auto* node = static_cast<Plugin*>(properties_of(handle).pointer(ofx::kPropInstanceData));
  return node ? known->second(*node, in, out) : ofx::kErrBadHandle;
}

ofx::Status main_entry(const char* action, const void* handle, Set in, Set out) {
  return status_of([&] { return dispatch(action, handle, in, out); });
}

ofx::Plugin plugin{ofx::kImageEffectPluginApi,
                   ofx::kImageEffectPluginApiVersion,
                   kIdentifier,
                   kVersionMajor,
                   kVersionMinor,
                   Host::set_host,
                   main_entry};

}  // namespace

GVM_EXPORT int OfxGetNumberOfPlugins() { return 1; }
GVM_EXPORT ofx::Plugin* OfxGetPlugin(int nth) { return nth == 0 ? &plugin : nullptr; }
