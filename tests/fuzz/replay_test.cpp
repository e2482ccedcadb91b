// Every fuzzing target on its seeds, on what fuzzing once found, and on changed seeds, the same
// ones in every run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/fuzz/targets.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower::fuzz {
namespace {

namespace fs = std::filesystem;

class Replay : public ::testing::TestWithParam<Target> {};
INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, ::testing::ValuesIn(targets()),
                         [](const auto& target) { return target.param.name; });

std::vector<std::string> corpus(const Target& target) {
  std::vector<std::string> inputs;
  for (const std::string& seed : target.seeds) inputs.push_back(seed_bytes(seed));
  const fs::path found = fs::path(testing::test_data()) / "fuzz" / target.name;
  std::error_code none;
  for (const auto& file : fs::directory_iterator(found, none)) {
    std::ifstream in(file.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

/// One to four changes: a byte set, a bit turned, a run repeated, taken out or moved.
std::string changed(std::string bytes, std::mt19937& chance) {
  const auto below = [&chance](std::size_t n) { return chance() % std::max<std::size_t>(1, n); };
  for (std::size_t left = 1 + below(4); left > 0 && !bytes.empty(); --left) {
    const std::size_t at = below(bytes.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(bytes.size() - at, 16));
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(chance());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 3:
        bytes.erase(at, length);
        break;
      default:
        bytes.insert(below(bytes.size()), bytes.substr(at, length));
    }
  }
  return bytes;
}

TEST_P(Replay, AnswersEveryInput) {
  const std::vector<std::string> inputs = corpus(GetParam());
  ASSERT_FALSE(inputs.empty());
  for (const std::string& bytes : inputs) GetParam().run(bytes);
  GetParam().run({});
  std::mt19937 chance(1);
  const int runs = std::string(GetParam().name) == "model" ? 30 : 1000;
  for (int i = 0; i < runs; ++i) {
    GetParam().run(changed(inputs[chance() % inputs.size()], chance));
  }
}

}  // namespace
}  // namespace bridgetower::fuzz
