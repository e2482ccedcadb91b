// Which words are masked in a sentence about a picture?   fill_mask MODEL IMAGE TEXT
#include <bridgetower/bridgetower.hpp>
#include <cstdio>

using namespace bridgetower;

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: fill_mask MODEL IMAGE TEXT\n", stderr);
    return 2;
  }
  try {
    const auto filler = MaskFiller::from_pretrained(argv[1]);
    for (const FilledMask& mask : filler.fill(Image::load(argv[2]), argv[3], 3)) {
      std::printf("token %d\n", static_cast<int>(mask.position));
      for (const MaskCandidate& candidate : mask.candidates) {
        std::printf("  %.3f %s\n", static_cast<double>(candidate.score), candidate.token.c_str());
      }
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
