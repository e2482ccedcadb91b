// libFuzzer's entry: the target is named by $BRIDGETOWER_FUZZ_TARGET (docs/fuzzing.md).
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.hpp"

namespace {

const bridgetower::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("BRIDGETOWER_FUZZ_TARGET");
  chosen = name == nullptr ? nullptr : bridgetower::fuzz::find_target(name);
  if (chosen != nullptr) return 0;
  std::fputs("BRIDGETOWER_FUZZ_TARGET must be one of:", stderr);
  for (const auto& target : bridgetower::fuzz::targets()) std::fprintf(stderr, " %s", target.name);
  std::fputc('\n', stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
