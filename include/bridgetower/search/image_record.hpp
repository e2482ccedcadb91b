#pragma once

#include <array>
#include <bridgetower/core/dtype.hpp>
#include <cstdint>
#include <string>

namespace bridgetower {

/// A picture's file as it was when its vector was made.
struct ImageRecord {
  std::string path;              ///< bytes as the system knows them, whatever they are
  std::uint64_t bytes = 0;       ///< of the file
  std::int64_t modified_ns = 0;  ///< since 1970
  std::array<unsigned char, 32> sha256{};
};

/// The states (pipeline/state_file.hpp) that an index keeps beside its vectors, so that reranking
/// need not run the vision tower: those of its first pictures, as many as fit.
struct KeptStates {
  std::uint64_t max_bytes = 0;   ///< for all of them
  std::uint64_t bytes_each = 0;  ///< StateBytes::packed
  DType dtype = DType::kBF16;    ///< or kF32

  /// How many pictures' states there is room for.
  std::int64_t limit() const noexcept {
    return bytes_each == 0 ? 0 : static_cast<std::int64_t>(max_bytes / bytes_each);
  }
};

/// A file that is no picture, and why.
struct FailedImage {
  std::string path;
  std::string code;  ///< of the Error, as to_string(ErrorCode) gives it
  std::string message;
};

}  // namespace bridgetower
