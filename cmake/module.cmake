# The headers that nearly every source reads, parsed once for all targets: half of a build's time.
# Headers are still compiled alone without them (CW_HEADER_CHECK), and so is everything in a build
# with CW_PRECOMPILE=OFF.
function(cw_precompiled target)
  if(NOT CW_PRECOMPILE)
    return()
  endif()
  if(NOT TARGET cw_precompile)
    set(file ${CMAKE_BINARY_DIR}/alone/precompile.cpp)
    file(WRITE ${file} "")
    add_library(cw_precompile OBJECT ${file})
    target_link_libraries(cw_precompile PRIVATE cw_flags Boost::json spdlog::spdlog)
    target_precompile_headers(cw_precompile PRIVATE <boost/json.hpp> <algorithm> <atomic> <chrono>
      <condition_variable> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <set>
      <shared_mutex> <sstream> <string> <string_view> <thread> <unordered_map> <variant> <vector>)
  endif()
  target_precompile_headers(${target} REUSE_FROM cw_precompile)
endfunction()

# cw_module(NAME PUBLIC header... [DEPENDS module...] [LIBS target...] [TEST_DEPENDS module...]
#           [TEST_LIBS target...] [TEST_SHARDS n])
#
# Declares src/NAME as a static library. The layering is enforced here, not by review:
#   - CW_MODULES (top-level CMakeLists.txt) lists the modules in dependency order; a module may
#     depend only on those before it, so a cycle cannot be written down;
#   - each module is compiled against an include farm that holds only the public headers of the
#     modules it declares: an undeclared module or another module's internals are not found;
#   - each public header is compiled alone (CW_HEADER_CHECK), so it cannot leak its needs.
# Sources are every *.cpp in the folder; *_test.cpp go to NAME_test.
function(cw_module name)
  cmake_parse_arguments(M "" "TEST_SHARDS" "PUBLIC;DEPENDS;LIBS;TEST_DEPENDS;TEST_LIBS" ${ARGN})
  list(FIND CW_MODULES ${name} position)
  if(position EQUAL -1)
    message(FATAL_ERROR "module '${name}' is not listed in CW_MODULES")
  endif()
  foreach(dep IN LISTS M_DEPENDS M_TEST_DEPENDS)
    list(FIND CW_MODULES ${dep} dep_position)
    if(dep_position EQUAL -1)
      message(FATAL_ERROR "module '${name}' depends on unknown module '${dep}'")
    elseif(NOT dep_position LESS position)
      message(FATAL_ERROR "module '${name}' may not depend on '${dep}': it comes later in CW_MODULES")
    endif()
  endforeach()

  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  set(farm ${CMAKE_BINARY_DIR}/farm/${name})
  file(REMOVE_RECURSE ${farm})
  file(MAKE_DIRECTORY ${farm}/${name})
  foreach(header IN LISTS M_PUBLIC)
    file(CREATE_LINK ${dir}/${header} ${farm}/${name}/${header} SYMBOLIC)
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")

  set(includes ${farm})
  set(libraries ${M_LIBS})
  foreach(dep IN LISTS M_DEPENDS)
    list(APPEND includes ${CMAKE_BINARY_DIR}/farm/${dep})
    list(APPEND libraries cw_${dep})
  endforeach()

  if(NOT sources)  # a module of headers only
    set(sources ${CMAKE_BINARY_DIR}/alone/${name}_empty.cpp)
    file(WRITE ${sources} "")
  endif()
  add_library(cw_${name} STATIC ${sources})
  target_include_directories(cw_${name} PRIVATE ${includes})
  target_link_libraries(cw_${name} PUBLIC ${libraries} cw_flags)
  cw_precompiled(cw_${name})
  if(CW_BATCH GREATER 1)  # half of a clean build's time; a name may not stand in two files then
    set_target_properties(cw_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${CW_BATCH})
  endif()

  if(CW_HEADER_CHECK)
    set(alone)
    foreach(header IN LISTS M_PUBLIC)
      string(REPLACE "." "_" stem ${header})
      set(file ${CMAKE_BINARY_DIR}/alone/${name}_${stem}.cpp)
      if(NOT EXISTS ${file})
        file(WRITE ${file} "#include \"${name}/${header}\"\n")
      endif()
      list(APPEND alone ${file})
    endforeach()
    add_library(cw_${name}_headers OBJECT ${alone})
    target_include_directories(cw_${name}_headers PRIVATE ${includes})
    target_link_libraries(cw_${name}_headers PRIVATE ${M_LIBS} cw_flags)
  endif()

  if(tests AND BUILD_TESTING)
    add_executable(${name}_test ${tests})
    target_include_directories(${name}_test PRIVATE ${includes} ${dir})
    target_link_libraries(${name}_test PRIVATE cw_${name} ${M_TEST_LIBS} GTest::gmock GTest::gtest_main)
    foreach(dep IN LISTS M_TEST_DEPENDS)
      target_include_directories(${name}_test PRIVATE ${CMAKE_BINARY_DIR}/farm/${dep})
      target_link_libraries(${name}_test PRIVATE cw_${dep})
    endforeach()
    cw_precompiled(${name}_test)
    target_compile_definitions(${name}_test PRIVATE CW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    if(NOT M_TEST_SHARDS)
      set(M_TEST_SHARDS 1)
    endif()
    foreach(shard RANGE 1 ${M_TEST_SHARDS})  # a long program is several tests, begun first
      math(EXPR index "${shard} - 1")
      set(test ${name})
      if(shard GREATER 1)
        set(test ${name}_${shard})
      endif()
      add_test(NAME ${test} COMMAND ${name}_test)
      set_tests_properties(${test} PROPERTIES TIMEOUT 600 COST ${M_TEST_SHARDS}
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${M_TEST_SHARDS};GTEST_SHARD_INDEX=${index};TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")
    endforeach()
  endif()
endfunction()

# cw_program(NAME SOURCES file... DEPENDS module...): an executable outside the modules (benchmarks,
# fuzz targets, fault harnesses), seeing only the public headers of the modules it names.
function(cw_program name)
  cmake_parse_arguments(P "" "" "SOURCES;DEPENDS;LIBS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  foreach(dep IN LISTS P_DEPENDS)
    target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/farm/${dep})
    target_link_libraries(${name} PRIVATE cw_${dep})
  endforeach()
  target_link_libraries(${name} PRIVATE ${P_LIBS} cw_flags)
  target_compile_definitions(${name} PRIVATE CW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endfunction()
