#include <bridgetower/core/error.hpp>
#include <utility>

namespace bridgetower {
namespace {

/// Names from files may hold anything; a message is one line that a terminal can show.
std::string one_line(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      line += c;
    } else {
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return line;
}

}  // namespace

const char* to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kFormat:
      return "format";
    case ErrorCode::kConfig:
      return "config";
    case ErrorCode::kWeight:
      return "weight";
    case ErrorCode::kShape:
      return "shape";
    case ErrorCode::kInput:
      return "input";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

Error::Error(ErrorCode code, std::string place, std::string subject, std::string expected,
             std::string got)
    : code_(code),
      place_(std::move(place)),
      subject_(std::move(subject)),
      expected_(std::move(expected)),
      got_(std::move(got)),
      message_(place_ + ": " + subject_) {
  if (!expected_.empty()) message_ += ": expected " + expected_ + ", got " + got_;
  message_ = one_line(message_);
}

}  // namespace bridgetower
