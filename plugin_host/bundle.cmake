# Completes the bundle around the plug-in: Info.plist, and the libraries that it needs beside it.
#
# Carried, on Linux, is whatever is not part of every Linux with this glibc; the plug-in finds it by
# $ORIGIN. On other systems the plug-in needs nothing beside it.

if(CARRIES)
  file(GET_RUNTIME_DEPENDENCIES
    LIBRARIES ${PLUGIN}
    RESOLVED_DEPENDENCIES_VAR found
    UNRESOLVED_DEPENDENCIES_VAR missing
    DIRECTORIES ${ZMQ_FOLDER}
    PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\\+\\+|asan|ubsan)\\.so")
  if(missing)
    message(FATAL_ERROR "The bundle needs ${missing}, which cannot be found.")
  endif()

  get_filename_component(binaries ${PLUGIN} DIRECTORY)
  file(GLOB earlier ${binaries}/lib*.so*)
  list(REMOVE_ITEM earlier ${found})
  if(earlier)
    file(REMOVE ${earlier})
  endif()
  foreach(library IN LISTS found)
    get_filename_component(folder ${library} DIRECTORY)
    if(NOT folder STREQUAL binaries)
      file(COPY ${library} DESTINATION ${binaries} FOLLOW_SYMLINK_CHAIN)
    endif()
  endforeach()
endif()

configure_file(${RESOURCES}/Info.plist.in ${BUNDLE}/Contents/Info.plist @ONLY)
