#pragma once

#include <mpi.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower::mpi {

/// Messages of bytes between the ranks of a job, each below 2 GiB (LimitError). Failures of MPI
/// itself end the job, as MPI_ERRORS_ARE_FATAL has it. MPI is initialised and finalised by the
/// program; one thread of each rank makes all calls of it.
class Communicator {
 public:
  explicit Communicator(MPI_Comm communicator);

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }

  void send(const std::string& bytes, int to) const;

  /// Waits for the next message of a rank.
  std::string receive(int from) const;

  /// The next message that is there, and its rank. Does not wait.
  std::optional<std::pair<int, std::string>> poll() const;

  /// Called by all: what rank 0 gives.
  std::string broadcast(std::string bytes) const;

  /// Called by all: on rank 0 what each rank gives, in their order; elsewhere nothing.
  std::vector<std::string> gather(const std::string& bytes) const;

 private:
  MPI_Comm communicator_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace bridgetower::mpi
