#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/mpi/index_images.hpp>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "mpi/encoded_images.hpp"

namespace bridgetower::mpi {
namespace {

using Block = std::vector<std::string>;

constexpr std::size_t kMostOfBlock = 64;  // what a rank that dies takes with it

/// The files that nobody has taken yet. Blocks get smaller towards the end, so that all ranks
/// finish together.
class Queue {
 public:
  Queue(std::vector<std::string> files, int ranks, int threads)
      : files_(std::move(files)),
        shares_(4 * static_cast<std::size_t>(ranks)),
        least_(static_cast<std::size_t>(threads)),
        most_(least_ * std::max<std::size_t>(1, kMostOfBlock / least_)) {}

  /// Empty where there are no more.
  Block next() {
    const std::size_t left = files_.size() - taken_;
    const std::size_t fair = std::max(least_, std::min(most_, left / shares_));
    const auto first = files_.begin() + static_cast<std::ptrdiff_t>(taken_);
    const std::size_t count = std::min(left, fair);
    taken_ += count;
    return Block(first, first + static_cast<std::ptrdiff_t>(count));
  }

 private:
  std::vector<std::string> files_;
  std::size_t shares_;
  std::size_t least_;  // one for each thread
  std::size_t most_;   // as many for each, so that none waits for the others
  std::size_t taken_ = 0;
};

std::vector<EncodedImage> encode(const Embedder& embedder, const Block& block,
                                 ThreadPool& threads) {
  std::vector<EncodedImage> images(block.size());
  threads.run(static_cast<std::int64_t>(block.size()), [&](std::int64_t i) {
    const auto place = static_cast<std::size_t>(i);
    images[place] = encode_image_file(embedder, block[place]);
  });
  return images;
}

/// Rank 0's own work, beside the thread that answers the others.
class OwnWork {
 public:
  OwnWork(const Embedder& embedder, ThreadPool& threads) : embedder_(embedder), threads_(threads) {}

  bool active() const { return work_.valid(); }

  void start(Block block) {
    work_ = std::async(std::launch::async, [this, block = std::move(block)] {
      return encode(embedder_, block, threads_);
    });
  }

  /// What it has made, if it is done.
  std::optional<std::vector<EncodedImage>> poll() {
    if (!active() || work_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      return std::nullopt;
    }
    return work_.get();
  }

 private:
  const Embedder& embedder_;
  ThreadPool& threads_;
  std::future<std::vector<EncodedImage>> work_;
};

}  // namespace

IndexingResult index_images(const Communicator& ranks, IndexBuilder& builder,
                            const Embedder& embedder, const ImageFiles& images,
                            const IndexingOptions& options) {
  IndexingPlan plan = plan_indexing(builder, images);
  IndexingResult result;
  result.removed = plan.removed;
  if (options.start) options.start(plan.todo.size());
  ThreadPool threads(options.threads);
  Queue queue(std::move(plan.todo), ranks.size(), threads.threads());
  const auto stopped = [&] { return options.stop != nullptr && *options.stop; };
  const auto next = [&] { return stopped() ? Block() : queue.next(); };
  const auto keep = [&](const std::vector<EncodedImage>& done) {
    for (const EncodedImage& image : done) {
      result.added += add_encoded(builder, image) ? 1 : 0;
      if (options.advance) options.advance();
    }
  };
  OwnWork own(embedder, threads);
  const auto start_own = [&] {
    if (Block block = next(); !block.empty()) own.start(std::move(block));
  };
  start_own();
  // A message of another rank has what it made of its last block and asks for the next.
  for (int others = ranks.size() - 1; others > 0 || own.active();) {
    const auto message = ranks.poll();
    if (message) {
      const Block block = next();
      ranks.send(pack_paths(block), message->first);
      if (block.empty()) --others;
      keep(unpack_images(message->second));
    }
    const auto made = own.poll();
    if (made) {
      start_own();
      keep(*made);
    }
    if (!message && !made) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  result.interrupted = stopped();
  return result;
}

void serve_index_images(const Communicator& ranks, const Embedder& embedder, int threads) {
  ThreadPool pool(threads);
  for (std::vector<EncodedImage> done;;) {
    ranks.send(pack_images(done), 0);
    const Block block = unpack_paths(ranks.receive(0));
    if (block.empty()) return;
    done = encode(embedder, block, pool);
  }
}

}  // namespace bridgetower::mpi
