#include "io/background_writer.hpp"

#include <utility>

namespace bridgetower::detail {

BackgroundWriter::BackgroundWriter(OutputFile& file)
    : file_(file), filling_(kBlockBytes), writing_(kBlockBytes), thread_([this] { work(); }) {}

BackgroundWriter::~BackgroundWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

unsigned char* BackgroundWriter::reserve(std::size_t bytes) {
  if (filled_ + bytes > kBlockBytes) hand_over();
  filled_ += bytes;
  return filling_.data() + filled_ - bytes;
}

void BackgroundWriter::finish() {
  hand_over();
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_ == 0; });
  if (failure_) std::rethrow_exception(failure_);
}

void BackgroundWriter::hand_over() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_ == 0; });
  if (failure_) std::rethrow_exception(failure_);
  std::swap(filling_, writing_);
  waiting_ = std::exchange(filled_, 0);
  changed_.notify_all();
}

void BackgroundWriter::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || waiting_ > 0; });
    if (waiting_ == 0) return;
    lock.unlock();
    try {
      file_.write(writing_.data(), waiting_);
    } catch (...) {
      failure_ = std::current_exception();
    }
    lock.lock();
    waiting_ = 0;
    changed_.notify_all();
  }
}

}  // namespace bridgetower::detail
