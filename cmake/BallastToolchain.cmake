# Compiler settings that every Ballast library shares, and the one way to declare a library.

add_library(ballast_settings INTERFACE)
target_include_directories(ballast_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(ballast_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  $<$<BOOL:${BALLAST_WERROR}>:-Werror>)
# GCC copies structs of more than 128 bytes by `rep movs`, which takes longer to start than the copying does: a decision
# was a quarter slower.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  target_compile_options(ballast_settings INTERFACE -mstringop-strategy=libcall)
endif()
target_compile_definitions(ballast_settings INTERFACE BALLAST_VERSION="${PROJECT_VERSION}")

if(BALLAST_SANITIZE)
  add_compile_options(-fsanitize=${BALLAST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BALLAST_SANITIZE})
  # GCC's instrumentation confuses its own flow analysis: false positives inside the standard library.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(ballast_settings INTERFACE -Wno-maybe-uninitialized)
  endif()
  # The thread sanitizer does not know fences. Asio's are only needed beside lock-free schedulers; this one has a mutex.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  set(BALLAST_STATIC_AGENT OFF)  # the sanitizer runtimes do not link statically
endif()

# Some presets compile a target's sources joined (CMAKE_UNITY_BUILD), in a third of the time. Names in unnamed namespaces
# then meet; where each file is a little world of its own and they may repeat, the target says SEPARATE. GCC inlines more
# of what it sees at once, and then takes the members of a variant for uninitialized.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(ballast_settings INTERFACE -Wno-subobject-linkage -Wno-maybe-uninitialized)
endif()

# ballast_library(NAME SOURCES file... DEPENDS target... [SEPARATE]): one static library a folder.
function(ballast_library name)
  cmake_parse_arguments(arg "SEPARATE" "" "SOURCES;DEPENDS" ${ARGN})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    if(arg_SEPARATE)
      set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
    endif()
    target_link_libraries(${name} PUBLIC ${arg_DEPENDS} PRIVATE ballast_settings)
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_DEPENDS})
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
  endif()
endfunction()

# ballast_test(NAME SOURCES file... DEPENDS target... [LABELS label...] [TIMEOUT seconds] [SERIAL] [ONE_THREAD]
# [SEPARATE]):
# one GoogleTest binary, its cases found by ctest one by one (with a sanitizer: all at once). Labels: unit, property, process, vm, house. ONE_THREAD: what
# it tests lives in folders that may not start a thread (tests/house sees to that), so the thread sanitizer leaves it out.
function(ballast_test name)
  cmake_parse_arguments(arg "SERIAL;ONE_THREAD;SEPARATE" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(arg_ONE_THREAD AND BALLAST_SANITIZE STREQUAL thread)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  add_executable(${name} ${arg_SOURCES})
  if(arg_SEPARATE)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} GTest::gmock GTest::gtest_main ballast_settings)
  target_compile_definitions(${name} PRIVATE BALLAST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set(serial "")
  if(arg_SERIAL)
    set(serial RUN_SERIAL TRUE)
  endif()
  # Starting a sanitized program takes longer than most cases: there a program's cases run in one go.
  if(BALLAST_SANITIZE)
    math(EXPR all_of_them "10 * ${arg_TIMEOUT}")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${all_of_them} ${serial})
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ${serial})
endfunction()
