#pragma once

#include <unistd.h>

#include <utility>

namespace bridgetower::detail {

/// A file descriptor that is closed with the object; negative: none.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) noexcept : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (is_open()) ::close(value_);
  }

  bool is_open() const noexcept { return value_ >= 0; }
  int get() const noexcept { return value_; }

 private:
  int value_;
};

}  // namespace bridgetower::detail
