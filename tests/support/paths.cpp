#include "tests/support/paths.hpp"

namespace bridgetower::testing {

std::string test_data() { return BRIDGETOWER_TEST_DATA; }
std::string shared_directory() { return BRIDGETOWER_SHARED_DIR; }
std::string program() { return BRIDGETOWER_PROGRAM; }
std::string mpi_program() { return BRIDGETOWER_MPI_PROGRAM; }
std::string mpi_launcher() { return BRIDGETOWER_MPI_LAUNCHER; }

}  // namespace bridgetower::testing
