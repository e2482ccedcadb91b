#include <gtest/gtest.h>

#include <bridgetower/core/error.hpp>
#include <string>

#include "tests/support/expect_error.hpp"

namespace bridgetower {
namespace {

/// A name from a file may hold anything; a message stays one line that a terminal can show.
TEST(Error, PrintsControlCharactersAsNumbers) {
  const std::string place("\0 !~\x7f\x80\x1f", 7);
  testing::expect_error(ErrorCode::kInput,
                        "\\x00 !~\\x7f\x80\\x1f: \\x0a: expected \\x1b, got \\x09",
                        [&] { throw InputError(place, "\n", "\x1b", "\t"); });
}

}  // namespace
}  // namespace bridgetower
