# Read by libzmq's own CMakeLists after its project(): several of its sources are compiled at once
# (CMAKE_UNITY_BUILD), which takes a third of the time, but for those of C, whose macros clash.
set_source_files_properties(src/tweetnacl.c external/sha1/sha1.c PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
