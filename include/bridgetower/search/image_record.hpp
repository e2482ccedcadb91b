#pragma once

#include <array>
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

/// A file that is no picture, and why.
struct FailedImage {
  std::string path;
  std::string code;  ///< of the Error, as to_string(ErrorCode) gives it
  std::string message;
};

}  // namespace bridgetower
