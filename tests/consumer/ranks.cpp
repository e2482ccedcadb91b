// The MPI component in a user's program, as far as it builds.
#include <bridgetower/mpi/index_images.hpp>
#include <bridgetower/mpi/search.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  std::printf("%d\n", bridgetower::mpi::Communicator(MPI_COMM_WORLD).size());
  MPI_Finalize();
}
