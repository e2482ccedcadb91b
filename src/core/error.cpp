#include <bridgetower/core/error.hpp>
#include <utility>

namespace bridgetower {

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
}

}  // namespace bridgetower
