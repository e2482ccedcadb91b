#pragma once

#include <mpi.h>

#include <chrono>
#include <functional>
#include <memory>

namespace bridgetower::mpi {

/// Notices that another rank does not answer any more: its host is gone, or the network between.
/// MPI itself waits then for as long as TCP has patience, and where nothing is on its way for ever.
/// A thread exchanges signs of life between rank 0 and every other rank, whatever they are working
/// at, so MPI has to be initialised with MPI_THREAD_MULTIPLE.
class Watch {
 public:
  /// Called by all ranks, with the same patience. `silent` is called once, on the watch's thread,
  /// with a rank that has taken no sign of life for that long; it should end the job.
  Watch(MPI_Comm communicator, std::chrono::milliseconds patience,
        std::function<void(int rank)> silent);

  /// Called by all ranks when they have done their work. Waits for the others, and watches them
  /// meanwhile.
  ~Watch();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bridgetower::mpi
