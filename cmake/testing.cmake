# bridgetower_test_program(name source...): one GoogleTest program.
include(GoogleTest)

# Where the tests find things; no other file knows (tests/support/paths.hpp).
function(bridgetower_target_file variable target)
  set(${variable} "$<$<TARGET_EXISTS:${target}>:$<TARGET_FILE:${target}>>" PARENT_SCOPE)
endfunction()
bridgetower_target_file(program bridgetower_program)
bridgetower_target_file(mpi_program bridgetower_mpi_program)
add_library(bridgetower_test_paths STATIC ${PROJECT_SOURCE_DIR}/tests/support/paths.cpp)
target_compile_definitions(bridgetower_test_paths PRIVATE
  BRIDGETOWER_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
  BRIDGETOWER_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared"
  BRIDGETOWER_PROGRAM="${program}"
  BRIDGETOWER_MPI_PROGRAM="${mpi_program}"
  BRIDGETOWER_MPI_LAUNCHER="${MPIEXEC_EXECUTABLE}")
target_include_directories(bridgetower_test_paths PUBLIC ${PROJECT_SOURCE_DIR})

function(bridgetower_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE bridgetower_test_paths
    BridgeTower::bridgetower nlohmann_json::nlohmann_json GTest::gmock GTest::gtest_main)
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
