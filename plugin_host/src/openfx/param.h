// OpenFX 1.5.1: the parameter suite and the properties of parameters.
#pragma once

#include "openfx/core.h"

namespace ofx {

inline constexpr char kParameterSuite[] = "OfxParameterSuite";

struct ParameterSuiteV1 {
  Status (*paramDefine)(ParamSet, const char* type, const char* name, PropertySet* properties);
  Status (*paramGetHandle)(ParamSet, const char* name, Param* param, PropertySet* properties);
  Status (*paramSetGetPropertySet)(ParamSet, PropertySet* properties);
  Status (*paramGetPropertySet)(Param, PropertySet* properties);
  Status (*paramGetValue)(Param, ...);
  Status (*paramGetValueAtTime)(Param, Time time, ...);
  Status (*paramGetDerivative)(Param, Time time, ...);
  Status (*paramGetIntegral)(Param, Time time1, Time time2, ...);
  Status (*paramSetValue)(Param, ...);
  Status (*paramSetValueAtTime)(Param, Time time, ...);
  Status (*paramGetNumKeys)(Param, unsigned int* count);
  Status (*paramGetKeyTime)(Param, unsigned int nth, Time* time);
  Status (*paramGetKeyIndex)(Param, Time time, int direction, int* index);
  Status (*paramDeleteKey)(Param, Time time);
  Status (*paramDeleteAllKeys)(Param);
  Status (*paramCopy)(Param to, Param from, Time offset, const RangeD* range);
  Status (*paramEditBegin)(ParamSet, const char* name);
  Status (*paramEditEnd)(ParamSet);
};

inline constexpr char kParamInteger[] = "OfxParamTypeInteger";
inline constexpr char kParamDouble[] = "OfxParamTypeDouble";
inline constexpr char kParamDouble2D[] = "OfxParamTypeDouble2D";
inline constexpr char kParamBoolean[] = "OfxParamTypeBoolean";
inline constexpr char kParamChoice[] = "OfxParamTypeChoice";
inline constexpr char kParamString[] = "OfxParamTypeString";
inline constexpr char kParamGroup[] = "OfxParamTypeGroup";
inline constexpr char kParamPushButton[] = "OfxParamTypePushButton";

inline constexpr char kParamHint[] = "OfxParamPropHint";
inline constexpr char kParamScriptName[] = "OfxParamPropScriptName";
inline constexpr char kParamParent[] = "OfxParamPropParent";
inline constexpr char kParamGroupOpen[] = "OfxParamPropGroupOpen";
inline constexpr char kParamAnimates[] = "OfxParamPropAnimates";
inline constexpr char kParamPersistent[] = "OfxParamPropPersistant";
inline constexpr char kParamEvaluateOnChange[] = "OfxParamPropEvaluateOnChange";
inline constexpr char kParamCanUndo[] = "OfxParamPropCanUndo";
inline constexpr char kParamDefault[] = "OfxParamPropDefault";
inline constexpr char kParamMin[] = "OfxParamPropMin";
inline constexpr char kParamMax[] = "OfxParamPropMax";
inline constexpr char kParamDisplayMin[] = "OfxParamPropDisplayMin";
inline constexpr char kParamDisplayMax[] = "OfxParamPropDisplayMax";
inline constexpr char kParamIncrement[] = "OfxParamPropIncrement";
inline constexpr char kParamDoubleType[] = "OfxParamPropDoubleType";
inline constexpr char kDoubleTypePosition[] = "OfxParamDoubleTypeXYAbsolute";
inline constexpr char kParamDigits[] = "OfxParamPropDigits";
inline constexpr char kParamChoiceOption[] = "OfxParamPropChoiceOption";
inline constexpr char kParamStringMode[] = "OfxParamPropStringMode";
inline constexpr char kParamFilePathExists[] = "OfxParamPropStringFilePathExists";
inline constexpr char kStringIsFilePath[] = "OfxParamStringIsFilePath";
inline constexpr char kStringIsLabel[] = "OfxParamStringIsLabel";
inline constexpr char kStringIsSingleLine[] = "OfxParamStringIsSingleLine";

}  // namespace ofx
