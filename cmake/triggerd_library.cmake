# Targets with explicit dependencies; warnings, hardening and sanitizers in one place.

add_library(triggerd_options INTERFACE)
target_include_directories(triggerd_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(triggerd_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror -fno-omit-frame-pointer -fstack-protector-strong
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(triggerd_options INTERFACE
  TRIGGERD_VERSION="${PROJECT_VERSION}" _GLIBCXX_ASSERTIONS)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(triggerd_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(TRIGGERD_SANITIZE)
  target_compile_options(triggerd_options INTERFACE
    -fsanitize=${TRIGGERD_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(triggerd_options INTERFACE -fsanitize=${TRIGGERD_SANITIZE})
endif()
# A quicker linker where there is one; GCC's link-time optimisation needs its own.
find_program(LLD_PROGRAM ld.lld)
if(LLD_PROGRAM AND NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  target_link_options(triggerd_options INTERFACE -fuse-ld=lld)
endif()

# triggerd_library(NAME SOURCES … [DEPS …] [PRIVATE_DEPS …] [PURE])
# PURE: builds without exceptions; the target never does I/O.
function(triggerd_library name)
  cmake_parse_arguments(arg "PURE" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(triggerd_${name} STATIC ${arg_SOURCES})
  add_library(triggerd::${name} ALIAS triggerd_${name})
  target_link_libraries(triggerd_${name} PUBLIC triggerd_options ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  if(arg_PURE)
    target_compile_options(triggerd_${name} PRIVATE -fno-exceptions)
  endif()
endfunction()

# GoogleTest's headers, precompiled once for all test binaries.
if(TRIGGERD_TESTS)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gtest_headers.cc CONTENT "")
  add_executable(triggerd_gtest EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/gtest_headers.cc)
  target_link_libraries(triggerd_gtest PRIVATE triggerd_options GTest::gmock GTest::gtest_main)
  target_compile_options(triggerd_gtest PRIVATE -Wno-conversion -Wno-shadow)
  target_precompile_headers(triggerd_gtest PRIVATE <gtest/gtest.h> <gmock/gmock.h>)
endif()

# triggerd_test(NAME LABELS unit SOURCES … DEPS …): one GoogleTest binary, one ctest per binary.
function(triggerd_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE triggerd_options ${arg_DEPS} GTest::gmock GTest::gtest_main)
  # GoogleTest's and rapidcheck's macros do not meet our own warnings.
  target_compile_options(${name} PRIVATE -Wno-conversion -Wno-shadow)
  target_precompile_headers(${name} REUSE_FROM triggerd_gtest)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
