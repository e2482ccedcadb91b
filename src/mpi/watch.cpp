#include <algorithm>
#include <bridgetower/mpi/watch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace bridgetower::mpi {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTag = 1;

/// A rank that is watched. A sign of life is a message without content, sent in MPI's synchronous
/// mode: it is complete when the other rank has taken it, and there is one on its way at a time.
class Peer {
 public:
  Peer(MPI_Comm communicator, int rank) : communicator_(communicator), rank_(rank) {}

  int rank() const noexcept { return rank_; }

  /// Whether it has taken all that was sent.
  bool answered() {
    int done = 1;
    if (request_ != MPI_REQUEST_NULL) MPI_Test(&request_, &done, MPI_STATUS_IGNORE);
    return done != 0;
  }

  void send() {
    MPI_Issend(nullptr, 0, MPI_BYTE, rank_, kTag, communicator_, &request_);
    sent_ = Clock::now();
  }

  Clock::duration since_sent() const { return Clock::now() - sent_; }

 private:
  MPI_Comm communicator_;
  int rank_;
  MPI_Request request_ = MPI_REQUEST_NULL;
  Clock::time_point sent_ = Clock::now();
};

}  // namespace

struct Watch::State {
  State(MPI_Comm parent, std::chrono::milliseconds most, std::function<void(int)> report)
      : patience(most), silent(std::move(report)) {
    MPI_Comm_dup(parent, &communicator);
    int rank = 0;
    int size = 0;
    MPI_Comm_rank(communicator, &rank);
    MPI_Comm_size(communicator, &size);
    if (rank != 0) peers.emplace_back(communicator, 0);
    for (int other = 1; rank == 0 && other < size; ++other) peers.emplace_back(communicator, other);
    thread = std::thread([this] { run(); });
  }

  ~State() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      leaving = true;
    }
    changed.notify_one();
    thread.join();
    MPI_Comm_free(&communicator);
  }

  void run() {
    for (std::unique_lock<std::mutex> lock(mutex); !leaving; changed.wait_for(lock, beat)) {
      exchange(true);
    }
    // All go on answering until all have come here, and then until nothing is on its way.
    meet([&] {
      exchange(true);
      return true;
    });
    meet([&] {
      exchange(false);
      return std::all_of(peers.begin(), peers.end(), [](Peer& peer) { return peer.answered(); });
    });
  }

  /// Takes what has come, and sends again where the last was taken.
  void exchange(bool send) {
    for (;;) {
      int found = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, kTag, communicator, &found, &status);
      if (found == 0) break;
      MPI_Recv(nullptr, 0, MPI_BYTE, status.MPI_SOURCE, kTag, communicator, MPI_STATUS_IGNORE);
    }
    for (Peer& peer : peers) {
      if (peer.answered()) {
        if (send && peer.since_sent() >= beat) peer.send();
      } else if (peer.since_sent() > patience && !std::exchange(reported, true)) {
        silent(peer.rank());
      }
    }
  }

  /// Enters a barrier once `ready` is true, and calls it until all have entered.
  template <class Ready>
  void meet(const Ready& ready) {
    MPI_Request barrier = MPI_REQUEST_NULL;
    bool entered = false;
    for (int done = 0; done == 0; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      if (ready() && !std::exchange(entered, true)) MPI_Ibarrier(communicator, &barrier);
      if (entered) MPI_Test(&barrier, &done, MPI_STATUS_IGNORE);
    }
  }

  std::chrono::milliseconds patience;
  std::chrono::milliseconds beat = patience / 30;
  std::function<void(int)> silent;
  bool reported = false;
  MPI_Comm communicator = MPI_COMM_NULL;
  std::vector<Peer> peers;
  std::mutex mutex;
  std::condition_variable changed;
  bool leaving = false;
  std::thread thread;
};

Watch::Watch(MPI_Comm communicator, std::chrono::milliseconds patience,
             std::function<void(int)> silent)
    : state_(std::make_unique<State>(communicator, patience, std::move(silent))) {}

Watch::~Watch() = default;

}  // namespace bridgetower::mpi
