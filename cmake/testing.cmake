# bridgetower_test_program(name source...): one GoogleTest program.
include(GoogleTest)
function(bridgetower_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE BridgeTower::bridgetower nlohmann_json::nlohmann_json GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE
    BRIDGETOWER_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
    BRIDGETOWER_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared"
    BRIDGETOWER_PROGRAM="$<$<TARGET_EXISTS:bridgetower_program>:$<TARGET_FILE:bridgetower_program>>")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  bridgetower_warnings(${name})
  # GoogleTest's own macros end in "..." without an argument.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:Clang>:-Wno-gnu-zero-variadic-macro-arguments>)
endfunction()

# bridgetower_test(name source...): the same, with its tests registered one by one.
function(bridgetower_test name)
  bridgetower_test_program(${name} ${ARGN})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600)
endfunction()
