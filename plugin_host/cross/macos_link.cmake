# How LLVM's linker makes a module of macOS, by itself: no compiler drives it.
set(CMAKE_CXX_LINKER_WRAPPER_FLAG "")
set(CMAKE_CXX_LINKER_WRAPPER_FLAG_SEP "")
set(CMAKE_CXX_CREATE_SHARED_MODULE
  "$ENV{GVM_LINKER} -bundle -arch $ENV{GVM_ARCH} -platform_version macos 11.0 14.0 -adhoc_codesign \
<LINK_FLAGS> -o <TARGET> <OBJECTS> <LINK_LIBRARIES> \"$ENV{GVM_TOOLS}/libc++.a\" \"$ENV{GVM_TOOLS}/libc++abi.a\" \
\"$ENV{GVM_TOOLS}/libcompiler_rt.a\" \"$ENV{GVM_TOOLS}/libSystem.tbd\"")
