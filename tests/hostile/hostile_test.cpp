// Hostile files and calls: each ends in the code that it must have, or in its answer, within a
// bound of memory. Prints what took longest (docs/testing.md).
#include "tests/hostile/hostile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>

#include "tests/hostile/memory.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower::hostile {

const std::filesystem::path& scratch() {
  static const testing::TemporaryDirectory directory;
  return directory.path();
}

std::filesystem::path put(const std::string& name, std::string_view bytes) {
  std::ofstream(scratch() / name, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return scratch() / name;
}

std::string file_bytes(const std::filesystem::path& file) { return testing::read_all(file); }

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      {"Safetensors", safetensors_cases},
      {"ShardIndex", shard_index_cases},
      {"Zip", zip_cases},
      {"Pickle", pickle_cases},
      {"Config", config_cases},
      {"ProcessorConfig", processor_config_cases},
      {"Tokenizer", tokenizer_cases},
      {"Vocabulary", vocabulary_cases},
#ifdef BRIDGETOWER_HOSTILE_SENTENCEPIECE
      {"SentencePiece", sentencepiece_cases},
#endif
      {"Text", text_cases},
      {"Png", png_cases},
      {"Jpeg", jpeg_cases},
      {"Pixels", pixel_cases},
      {"Forward", forward_cases},
      {"State", state_cases},
      {"Index", index_cases},
      {"Names", name_cases},
  };
  return all;
}

namespace {

/// Beyond twice the input.
constexpr std::int64_t kMemoryBeside = 16 << 20;

struct Cost {
  double seconds = 0;
  std::int64_t bytes = 0;
};

void check(const Case& hostile, Cost& cost) {
  const std::string bytes = hostile.bytes.make();
  const PeakMemory memory;
  const auto begin = std::chrono::steady_clock::now();
  try {
    const std::string answer = hostile.read(bytes);
    EXPECT_FALSE(hostile.code) << "there was " << answer << " instead of " << hostile.text;
    if (!hostile.code) {
      EXPECT_EQ(answer, hostile.text);
    }
  } catch (const Error& error) {
    EXPECT_TRUE(hostile.code) << error.what();
    if (hostile.code) {
      EXPECT_STREQ(to_string(error.code()), to_string(*hostile.code));
      EXPECT_NE(std::string(error.what()).find(hostile.text), std::string::npos)
          << "the message is " << error.what() << "\nand lacks " << hostile.text;
    }
  }
  const auto end = std::chrono::steady_clock::now();
  cost = {std::chrono::duration<double>(end - begin).count(), memory.bytes()};
  EXPECT_LE(cost.bytes, 2 * static_cast<std::int64_t>(bytes.size()) + kMemoryBeside);
}

class Hostile : public ::testing::TestWithParam<Group> {};
INSTANTIATE_TEST_SUITE_P(Files, Hostile, ::testing::ValuesIn(groups()),
                         [](const auto& group) { return group.param.name; });

/// Cases are numbered through all groups.
std::size_t first_number(const Group& wanted) {
  std::size_t number = 1;
  for (const Group& group : groups()) {
    if (group.name == std::string(wanted.name)) break;
    number += group.cases().size();
  }
  return number;
}

TEST_P(Hostile, EndInTheirCode) {
  std::size_t number = first_number(GetParam());
  std::string slowest, largest;
  Cost most;
  for (const Case& hostile : GetParam().cases()) {
    const std::string what = std::to_string(number++) + " " + hostile.name;
    SCOPED_TRACE(what);
    Cost cost;
    check(hostile, cost);
    if (cost.seconds >= most.seconds) slowest = what;
    if (cost.bytes >= most.bytes) largest = what;
    most = {std::max(cost.seconds, most.seconds), std::max(cost.bytes, most.bytes)};
  }
  std::printf("slowest: %.3f s (%s), largest: %.1f MB (%s)\n", most.seconds, slowest.c_str(),
              static_cast<double>(most.bytes) / 1e6, largest.c_str());
}

TEST(HostileCases, AreManyAndHaveNames) {
  std::set<std::string> names;
  std::size_t count = 0;
  for (const Group& group : groups()) {
    for (const Case& hostile : group.cases()) {
      EXPECT_TRUE(names.insert(hostile.name).second) << hostile.name;
      ++count;
    }
  }
  EXPECT_GE(count, 250U);
  std::printf("%zu cases\n", count);
}

TEST(HostileCases, MemoryIsCounted) {
  const PeakMemory memory;
  { const std::string large(5'000'000, 'x'); }
  { const std::vector<int> other(250'000); }
  EXPECT_GE(memory.bytes(), 5'000'000);
  EXPECT_LT(memory.bytes(), 5'900'000);
}

}  // namespace
}  // namespace bridgetower::hostile
