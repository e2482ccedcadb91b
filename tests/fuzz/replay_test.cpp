// Every fuzzing target on its seeds, on what fuzzing once found, and on changed seeds, the same
// ones in every run.
#include <gtest/gtest.h>

#include <random>

#include "tests/fuzz/targets.hpp"

namespace bridgetower::fuzz {
namespace {

class Replay : public ::testing::TestWithParam<Target> {};
INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, ::testing::ValuesIn(targets()),
                         [](const auto& target) { return target.param.name; });

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
    const std::string& input = inputs[chance() % inputs.size()];
    const bool framed = GetParam().mutate != nullptr && chance() % 2 == 0;
    GetParam().run(framed ? GetParam().mutate(input, chance) : changed(input, chance));
  }
}

}  // namespace
}  // namespace bridgetower::fuzz
