#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace bridgetower::testing {

/// What a run of the program left behind.
struct Outcome {
  int status;
  std::string out;
  std::string error;

  std::vector<nlohmann::json> records() const {
    std::vector<nlohmann::json> all;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
};

/// Runs a program through the shell, `input` on its standard input. `redirections` come last, so
/// that they win.
inline Outcome run_program(const std::string& program, const std::string& arguments,
                           const std::string& input = "", const std::string& redirections = "") {
  const TemporaryDirectory directory;
  directory.write("in", input);
  const std::string base = directory.path().string();
  const std::string command = program + " " + arguments + " <" + base + "/in >" + base + "/out 2>" +
                              base + "/err " + redirections;
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(base + "/out"),
          read_all(base + "/err")};
}

}  // namespace bridgetower::testing
