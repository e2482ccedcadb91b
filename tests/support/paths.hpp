#ifndef BRIDGETOWER_TESTS_SUPPORT_PATHS_HPP_
#define BRIDGETOWER_TESTS_SUPPORT_PATHS_HPP_

#include <string>

// Where the tests find things. The places are compiled into paths.cpp alone, so that a clone
// elsewhere takes every other object file from the compiler cache.
namespace bridgetower::testing {

// tests/data of the project.
std::string test_data();

// The goldens beside the project; they may be absent.
std::string shared_directory();

// The built programs; empty where they are not built.
std::string program();
std::string mpi_program();

// What starts MPI programs: mpiexec.
std::string mpi_launcher();

}  // namespace bridgetower::testing

#endif  // BRIDGETOWER_TESTS_SUPPORT_PATHS_HPP_
