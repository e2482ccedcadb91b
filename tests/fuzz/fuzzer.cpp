// libFuzzer's entry: the target is named by $BRIDGETOWER_FUZZ_TARGET (docs/fuzzing.md).
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace {

const bridgetower::fuzz::Target* chosen = nullptr;

/// The seeds and kept inputs of the target as files, which libFuzzer starts from.
void write_corpus(const char* directory) {
  int number = 0;
  for (const std::string& bytes : bridgetower::fuzz::corpus(*chosen)) {
    const std::string file = directory + ("/kept-" + std::to_string(number++));
    std::ofstream(file, std::ios::binary) << bytes;
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("BRIDGETOWER_FUZZ_TARGET");
  chosen = name == nullptr ? nullptr : bridgetower::fuzz::find_target(name);
  if (chosen != nullptr) {
    const char* const directory = std::getenv("BRIDGETOWER_FUZZ_CORPUS");
    if (directory != nullptr) write_corpus(directory);
    return 0;
  }
  std::fputs("BRIDGETOWER_FUZZ_TARGET must be one of:", stderr);
  for (const auto& target : bridgetower::fuzz::targets()) std::fprintf(stderr, " %s", target.name);
  std::fputc('\n', stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}

// Every second change is one that knows the format, where the target has such.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  if (chosen->mutate == nullptr || seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::mt19937 chance(seed);
  const std::string changed = chosen->mutate({reinterpret_cast<const char*>(data), size}, chance);
  const std::size_t length = std::min(changed.size(), max_size);
  std::copy_n(changed.data(), length, data);
  return length;
}
