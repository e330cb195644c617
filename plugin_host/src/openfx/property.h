// OpenFX 1.5.1: the property suite. Strings that a host returns stay the host's: copy them at
// once.
#pragma once

#include "openfx/core.h"

namespace ofx {

inline constexpr char kPropertySuite[] = "OfxPropertySuite";

struct PropertySuiteV1 {
  Status (*propSetPointer)(PropertySet, const char* property, int index, void* value);
  Status (*propSetString)(PropertySet, const char* property, int index, const char* value);
  Status (*propSetDouble)(PropertySet, const char* property, int index, double value);
  Status (*propSetInt)(PropertySet, const char* property, int index, int value);
  Status (*propSetPointerN)(PropertySet, const char* property, int count, void* const* value);
  Status (*propSetStringN)(PropertySet, const char* property, int count, const char* const* value);
  Status (*propSetDoubleN)(PropertySet, const char* property, int count, const double* value);
  Status (*propSetIntN)(PropertySet, const char* property, int count, const int* value);
  Status (*propGetPointer)(PropertySet, const char* property, int index, void** value);
  Status (*propGetString)(PropertySet, const char* property, int index, char** value);
  Status (*propGetDouble)(PropertySet, const char* property, int index, double* value);
  Status (*propGetInt)(PropertySet, const char* property, int index, int* value);
  Status (*propGetPointerN)(PropertySet, const char* property, int count, void** value);
  Status (*propGetStringN)(PropertySet, const char* property, int count, char** value);
  Status (*propGetDoubleN)(PropertySet, const char* property, int count, double* value);
  Status (*propGetIntN)(PropertySet, const char* property, int count, int* value);
  Status (*propReset)(PropertySet, const char* property);
  Status (*propGetDimension)(PropertySet, const char* property, int* count);
};

}  // namespace ofx
