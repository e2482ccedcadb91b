// Compiled twice, for the baseline and for this machine's own instructions: both halves of a
// program that picks one at run time. The scores must be the same double.
#include <bridgetower/bridgetower.hpp>

double BRIDGETOWER_HALF(const char* model, const char* picture, const char* text) {
  const auto matching =
      bridgetower::BridgeTowerForImageAndTextRetrieval<double>::from_pretrained(model);
  const auto processor = bridgetower::BridgeTowerProcessor::from_pretrained(model);
  const bridgetower::BatchEncoding inputs = processor(bridgetower::Image::load(picture), text);
  const auto logits = matching.forward(inputs).logits;
  return logits(0, 1) - logits(0, 0);
}
