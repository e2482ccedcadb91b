#include "io/background_writer.hpp"

#include <bridgetower/core/error.hpp>
#include <system_error>

namespace bridgetower::detail {

BackgroundWriter::BackgroundWriter(OutputFile& file) : file_(file) {
  for (Block& block : blocks_) block.bytes.resize(kBlockBytes);
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error& error) {
    throw LimitError("convert", "threads", "one that writes", error.code().message());
  }
}

BackgroundWriter::~BackgroundWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

unsigned char* BackgroundWriter::reserve(std::size_t bytes) {
  if (blocks_[filling_].used + bytes > kBlockBytes) hand_over();
  Block& block = blocks_[filling_];
  block.used += bytes;
  return block.bytes.data() + block.used - bytes;
}

void BackgroundWriter::finish() {
  hand_over();
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_ == 0 || failure_; });
  if (failure_) std::rethrow_exception(failure_);
}

void BackgroundWriter::hand_over() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_ + 1 < kBlocks || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  ++waiting_;
  filling_ = (filling_ + 1) % kBlocks;
  blocks_[filling_].used = 0;
  changed_.notify_all();
}

void BackgroundWriter::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (std::size_t next = 0;; next = (next + 1) % kBlocks) {
    changed_.wait(lock, [this] { return stop_ || waiting_ > 0; });
    if (stop_) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      file_.write(blocks_[next].bytes.data(), blocks_[next].used);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --waiting_;
    failure_ = failure;
    changed_.notify_all();
    if (failure_) return;
  }
}

}  // namespace bridgetower::detail
