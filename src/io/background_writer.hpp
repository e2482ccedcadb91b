#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/file.hpp"

namespace bridgetower::detail {

/// Writes blocks to a file on a thread of its own, while the next ones are being filled.
class BackgroundWriter {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

  explicit BackgroundWriter(OutputFile& file);
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  /// Without finish(), what is left is not written.
  ~BackgroundWriter();

  /// Room for the next `bytes` of the file, at most kBlockBytes, to be filled before the next call.
  /// Throws what the writing of an earlier block threw.
  unsigned char* reserve(std::size_t bytes);

  /// Returns when everything is written. Throws as reserve().
  void finish();

 private:
  static constexpr std::size_t kBlocks = 4;

  struct Block {
    std::vector<unsigned char> bytes;
    std::size_t used = 0;
  };

  void work();
  void hand_over();

  OutputFile& file_;
  std::array<Block, kBlocks> blocks_;  // used in turn
  std::size_t filling_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::size_t waiting_ = 0;  // blocks before the one being filled that are not yet written
  bool stop_ = false;
  std::exception_ptr failure_;

  std::thread thread_;
};

}  // namespace bridgetower::detail
