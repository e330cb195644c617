// An OpenFX plug-in that does what FAULT says, for the scan of `gvm doctor --hosts`.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "openfx/core.h"
#include "openfx/effect.h"
#include "openfx/param.h"
#include "openfx/property.h"

namespace {

enum Fault {
  kNone,
  kDies,
  kHangs,
  kLeaves,
  kRefuses,
  kPrints,
  kHeir,
  kNoContext,
  kNoOutput,
  kNoPlugin,
  kNoneHeld,
  kDiesOnLoading,
  kForeign,
  kAborts,
  kStrange,
  kDiesOnUnloading,
};

ofx::Host* host = nullptr;

template <class Suite>
const Suite* suite(const char* name) {
  return static_cast<const Suite*>(host->fetchSuite(host->host, name, 1));
}

void fall() { *static_cast<volatile int*>(nullptr) = 1; }

/// Uses the suites as no plug-in should; each must be an answer, and none a fault.
void try_strange_things(ofx::PropertySet set) {
  const auto* property = suite<ofx::PropertySuiteV1>("OfxPropertySuite");
  int number = 0;
  char* text = nullptr;
  property->propSetString(set, "text", 0, "x");
  property->propSetString(set, "text", 3, nullptr);
  if (property->propGetInt(set, "text", 0, &number) == 0) std::exit(1);
  if (property->propGetString(set, "text", 9, &text) == 0) std::exit(2);
  if (property->propGetString(set, "none", 0, &text) == 0) std::exit(3);
  if (property->propGetString(nullptr, "none", 0, &text) == 0) std::exit(4);
  if (property->propGetDimension(set, "text", &number) != 0 || number != 4) std::exit(5);
  if (property->propGetString(set, "text", 0, &text) != 0 || std::strcmp(text, "x")) std::exit(6);
  if (property->propReset(set, "text") != 0) std::exit(7);
  if (host->fetchSuite(host->host, "OfxNoSuite", 1)) std::exit(8);
}

ofx::Status describe(ofx::Effect effect) {
  if (FAULT == kDies) fall();
  if (FAULT == kAborts) std::abort();
  if (FAULT == kLeaves) _exit(0);
  if (FAULT == kRefuses) return 4;
  if (FAULT == kPrints) std::puts("{\"step\": \"done\"}\nnoise"), std::fflush(stdout);
  while (FAULT == kHangs) sleep(1);
  if (FAULT == kHeir && fork() == 0) sleep(60), _exit(0);
  ofx::PropertySet set = nullptr;
  suite<ofx::ImageEffectSuiteV1>("OfxImageEffectSuite")->getPropertySet(effect, &set);
  if (FAULT == kStrange) try_strange_things(set);
  const auto* property = suite<ofx::PropertySuiteV1>("OfxPropertySuite");
  if (FAULT != kNoContext) {
    property->propSetString(set, "OfxImageEffectPropSupportedContexts", 0,
                            "OfxImageEffectContextFilter");
  }
  return 0;
}

ofx::Status in_context(ofx::Effect effect) {
  ofx::PropertySet set = nullptr;
  ofx::ParamSet params = nullptr;
  const auto* effects = suite<ofx::ImageEffectSuiteV1>("OfxImageEffectSuite");
  if (FAULT != kNoOutput) effects->clipDefine(effect, "Output", &set);
  effects->getParamSet(effect, &params);
  suite<ofx::ParameterSuiteV1>("OfxParameterSuite")
      ->paramDefine(params, "OfxParamTypeDouble", "gain", &set);
  return 0;
}

using Set = ofx::PropertySet;

ofx::Status main_entry(const char* action, const void* handle, Set, Set) {
  auto effect = static_cast<ofx::Effect>(const_cast<void*>(handle));
  if (FAULT == kDiesOnUnloading && !std::strcmp(action, "OfxActionUnload")) fall();
  if (!std::strcmp(action, "OfxActionDescribe")) return describe(effect);
  if (!std::strcmp(action, "OfxImageEffectActionDescribeInContext")) return in_context(effect);
  return 0;
}

void remember(ofx::Host* from) { host = from; }

constexpr const char* kIdentifier = FAULT == kForeign ? "com.example" : "org.gvmbridge.matte";
ofx::Plugin plugin{"OfxImageEffectPluginAPI", 1, kIdentifier, 1, 0, remember, main_entry};

struct Loading {
  Loading() {
    if (FAULT == kDiesOnLoading) fall();
  }
} loading;

}  // namespace

extern "C" int OfxGetNumberOfPlugins() { return FAULT == kNoneHeld ? 0 : 1; }
extern "C" ofx::Plugin* OfxGetPlugin(int) { return FAULT == kNoPlugin ? nullptr : &plugin; }
