#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/file.hpp"

namespace bridgetower::detail {

/// Writes blocks to a file on a thread of its own, while the next one is being filled.
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
  void work();
  void hand_over();

  OutputFile& file_;
  std::vector<unsigned char> filling_;
  std::size_t filled_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<unsigned char> writing_;
  std::size_t waiting_ = 0;  // bytes in writing_
  bool stop_ = false;
  std::exception_ptr failure_;

  std::thread thread_;
};

}  // namespace bridgetower::detail
