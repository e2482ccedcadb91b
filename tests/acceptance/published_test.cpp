// The published checkpoints against the figures that Hugging Face states (docs/checkpoints.md).
// Registered only where BRIDGETOWER_CHECKPOINTS names a directory that holds them.
#include <gtest/gtest.h>

#include <bridgetower/bridgetower.hpp>
#include <filesystem>

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

const fs::path kCheckpoints = BRIDGETOWER_CHECKPOINTS;
const fs::path kBase = kCheckpoints / "bridgetower-base-itm-mlm";
const fs::path kLarge = kCheckpoints / "bridgetower-large-itm-mlm-itc";

Image picture(const std::string& name) {
  const fs::path png = kCheckpoints / (name + ".png");
  return Image::load(fs::exists(png) ? png : kCheckpoints / (name + ".jpg"));
}

TEST(Acceptance, MatchingLossOfBase) {
  const auto processor = BridgeTowerProcessor::from_pretrained(kBase);
  const auto model = BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kBase);
  ForwardInputs<float> inputs(
      processor(picture("000000039769"), "a bunch of cats laying on a tower."));
  inputs.labels = Tensor<std::int64_t>({1}, {1});
  const auto outputs = model.forward(inputs);
  ASSERT_EQ(outputs.logits.shape(), (Shape{1, 2}));
  EXPECT_GT(outputs.logits(0, 1), outputs.logits(0, 0));
  EXPECT_NEAR(*outputs.loss, 0.5108F, 1e-4F);
}

TEST(Acceptance, MaskedWordLossOfBase) {
  const auto processor = BridgeTowerProcessor::from_pretrained(kBase);
  const auto model = BridgeTowerForMaskedLM<float>::from_pretrained(kBase);
  ForwardInputs<float> inputs(
      processor(picture("000000039769"), "a bunch of <mask> laying on a tower."));
  inputs.labels = inputs.input_ids;
  const auto outputs = model.forward(inputs);
  ASSERT_EQ(outputs.logits.shape(), (Shape{1, 11, 50265}));
  const std::int64_t best = argmax(outputs.logits, -1)(0, 4);
  EXPECT_EQ(processor.decode(Tensor<std::int64_t>({1}, {best})), " cats");
  EXPECT_NEAR(*outputs.loss, 5.7373F, 1e-4F);
}

TEST(Acceptance, MaskedCatOfTheDocumentation) {
  const auto processor = BridgeTowerProcessor::from_pretrained(kBase);
  const auto model = BridgeTowerForMaskedLM<float>::from_pretrained(kBase);
  const auto outputs =
      model.forward(processor(picture("000000360943"), "a <mask> looking out of the window"));
  EXPECT_EQ(processor.decode(argmax(outputs.logits, -1).row(0)),
            ".a cat looking out of the window.");
}

TEST(Acceptance, ContrastiveLossesOfLarge) {
  const auto processor = BridgeTowerProcessor::from_pretrained(kLarge);
  const auto model = BridgeTowerForContrastiveLearning<float>::from_pretrained(kLarge);
  const std::vector<Image> pictures{picture("3428278415_81c3e27f15_z"), picture("000000039769")};
  const auto loss = [&](const std::vector<std::string>& texts) {
    ForwardInputs<float> inputs(processor(pictures, texts));
    inputs.return_loss = true;
    return *model.forward(inputs).loss;
  };
  // JPEG files: decoders differ by a few levels.
  EXPECT_NEAR(loss({"two dogs in a car", "two cats sleeping on a couch"}), 0.0019F, 2e-4F);
  EXPECT_NEAR(loss({"two cats sleeping on a couch", "two dogs in a car"}), 2.126F, 5e-3F);
}

}  // namespace
}  // namespace bridgetower
