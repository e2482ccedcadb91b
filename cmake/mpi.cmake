# MPI, for the optional component; its C interface is what is used.
if(BRIDGETOWER_MPI)
  find_package(MPI QUIET COMPONENTS CXX)
  if(NOT MPI_CXX_FOUND)
    message(STATUS "MPI was not found: BridgeTower::mpi and bridgetower-mpi are not built")
  endif()
endif()
