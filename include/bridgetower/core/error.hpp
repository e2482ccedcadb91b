#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace bridgetower {

/// What kind of thing went wrong. docs/errors.md says when each one comes and what to do.
enum class ErrorCode : std::uint8_t {
  kIo,         ///< a file could not be opened, read or written
  kFormat,     ///< bytes from outside are not what their format demands
  kConfig,     ///< a configuration value is of the wrong type, out of range or not supported
  kWeight,     ///< a checkpoint lacks tensors, or holds them in another shape
  kShape,      ///< a tensor of the wrong shape was given to a public function
  kInput,      ///< any other argument that cannot be used
  kLimit,      ///< something is larger than a stated limit allows
  kCancelled,  ///< the caller asked for the end (core/cancellation.hpp)
};

/// The stable name of a code: "io", "format", "config", "weight", "shape", "input", "limit",
/// "cancelled".
const char* to_string(ErrorCode code) noexcept;

/// Everything the library throws. The message reads
/// `<place>: <subject>: expected <expected>, got <got>`; without an expectation, `<place>:
/// <subject>`. It is one line: control characters are written as `\xNN`.
class Error : public std::exception {
 public:
  ErrorCode code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

  const std::string& place() const noexcept { return place_; }        ///< file, class or argument
  const std::string& subject() const noexcept { return subject_; }    ///< key, tensor or fact
  const std::string& expected() const noexcept { return expected_; }  ///< may be empty
  const std::string& got() const noexcept { return got_; }            ///< may be empty

 protected:
  Error(ErrorCode code, std::string place, std::string subject, std::string expected,
        std::string got);

 private:
  ErrorCode code_;
  std::string place_;
  std::string subject_;
  std::string expected_;
  std::string got_;
  std::string message_;
};

namespace detail {
template <ErrorCode kCode>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(std::string place, std::string subject, std::string expected = {},
                   std::string got = {})
      : Error(kCode, std::move(place), std::move(subject), std::move(expected), std::move(got)) {}
};
}  // namespace detail

using IoError = detail::ErrorOf<ErrorCode::kIo>;
using FormatError = detail::ErrorOf<ErrorCode::kFormat>;
using ConfigError = detail::ErrorOf<ErrorCode::kConfig>;
using WeightError = detail::ErrorOf<ErrorCode::kWeight>;
using ShapeError = detail::ErrorOf<ErrorCode::kShape>;
using InputError = detail::ErrorOf<ErrorCode::kInput>;
using LimitError = detail::ErrorOf<ErrorCode::kLimit>;
using CancelledError = detail::ErrorOf<ErrorCode::kCancelled>;

}  // namespace bridgetower
