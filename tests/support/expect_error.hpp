#pragma once

#include <gtest/gtest.h>

#include <bridgetower/core/error.hpp>
#include <string>

namespace bridgetower::testing {

/// The call must throw an Error of this code with exactly this message.
template <class Call>
void expect_error(ErrorCode code, const std::string& message, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown; expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(to_string(error.code())), to_string(code));
    EXPECT_EQ(error.what(), message);
  }
}

}  // namespace bridgetower::testing
