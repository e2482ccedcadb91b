// A shared library of the user's own, into which the static library is linked.
#include <bridgetower/bridgetower.hpp>

float first_score(const char* model, const char* picture, const char* text) {
  const auto matcher = bridgetower::ImageTextMatcher::from_pretrained(model);
  const auto image = matcher.encode(bridgetower::Image::load(picture));
  return matcher.match({image}, {matcher.encode(text)})(0, 0);
}
