#include <bridgetower/core/error.hpp>
#include <bridgetower/mpi/communicator.hpp>
#include <limits>

namespace bridgetower::mpi {
namespace {

constexpr int kTag = 1;

int length_of(const std::string& bytes) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (bytes.size() <= kMost) return static_cast<int>(bytes.size());
  throw LimitError("MPI", "message", "at most " + std::to_string(kMost) + " bytes",
                   std::to_string(bytes.size()));
}

/// The message that `status` tells of.
std::string take(MPI_Comm communicator, const MPI_Status& status) {
  int length = 0;
  MPI_Get_count(&status, MPI_BYTE, &length);
  std::string bytes(static_cast<std::size_t>(length), '\0');
  MPI_Recv(bytes.data(), length, MPI_BYTE, status.MPI_SOURCE, kTag, communicator,
           MPI_STATUS_IGNORE);
  return bytes;
}

}  // namespace

Communicator::Communicator(MPI_Comm communicator) : communicator_(communicator) {
  MPI_Comm_rank(communicator_, &rank_);
  MPI_Comm_size(communicator_, &size_);
}

void Communicator::send(const std::string& bytes, int to) const {
  MPI_Send(bytes.data(), length_of(bytes), MPI_BYTE, to, kTag, communicator_);
}

std::string Communicator::receive(int from) const {
  MPI_Status status;
  MPI_Probe(from, kTag, communicator_, &status);
  return take(communicator_, status);
}

std::optional<std::pair<int, std::string>> Communicator::poll() const {
  int found = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, kTag, communicator_, &found, &status);
  if (found == 0) return std::nullopt;
  return std::pair(status.MPI_SOURCE, take(communicator_, status));
}

std::string Communicator::broadcast(std::string bytes) const {
  int length = length_of(bytes);
  MPI_Bcast(&length, 1, MPI_INT, 0, communicator_);
  bytes.resize(static_cast<std::size_t>(length));
  MPI_Bcast(bytes.data(), length, MPI_BYTE, 0, communicator_);
  return bytes;
}

std::vector<std::string> Communicator::gather(const std::string& bytes) const {
  if (rank_ != 0) {
    send(bytes, 0);
    return {};
  }
  std::vector<std::string> all = {bytes};
  for (int rank = 1; rank < size_; ++rank) all.push_back(receive(rank));
  return all;
}

}  // namespace bridgetower::mpi
