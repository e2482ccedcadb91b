// How well does a sentence describe a picture?   match MODEL IMAGE TEXT
#include <bridgetower/bridgetower.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: match MODEL IMAGE TEXT\n", stderr);
    return 2;
  }
  try {
    const auto matcher = bridgetower::ImageTextMatcher::from_pretrained(argv[1]);
    const auto image = matcher.encode(bridgetower::Image::load(argv[2]));
    const auto scores = matcher.match({image}, {matcher.encode(argv[3])});
    std::printf("%.4f\n", static_cast<double>(scores(0, 0)));
  } catch (const bridgetower::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
