// What Hugging Face's own suite for this model (tests/models/bridgetower of transformers) states,
// told for this library. docs/from_hugging_face.md lists every case, those that are elsewhere
// included.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/bridgetower.hpp>
#include <bridgetower/io/convert.hpp>
#include <random>

#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::TemporaryDirectory;

const std::string kModel = testing::test_data() + "/tiny_model";

constexpr std::int64_t kTokens = 4;
constexpr std::int64_t kImage = 48;
constexpr std::int64_t kPositions = 10;  // 3 x 3 patches of 16 pixels and the class token
constexpr std::int64_t kHidden = 64;

ForwardInputs<float> random_inputs(std::int64_t batch) {
  std::mt19937 chance(1);
  ForwardInputs<float> inputs;
  inputs.input_ids = Tensor<std::int64_t>({batch, kTokens});
  for (std::int64_t& id : *inputs.input_ids) id = static_cast<std::int64_t>(chance() % 320);
  inputs.attention_mask = Tensor<std::int64_t>({batch, kTokens});
  for (std::int64_t& seen : *inputs.attention_mask) seen = chance() % 2;
  for (std::int64_t b = 0; b < batch; ++b) inputs.attention_mask->data()[b * kTokens] = 1;
  inputs.pixel_values = Tensor<float>({batch, 3, kImage, kImage});
  for (float& pixel : *inputs.pixel_values) pixel = static_cast<float>(chance() % 256) / 255.0F;
  return inputs;
}

template <class Model>
Model load(const std::filesystem::path& directory = kModel) {
  LoadOptions options;
  options.threads = 1;
  return Model::from_pretrained(directory, options);
}

template <class T>
std::vector<T> values(const Tensor<T>& tensor) {
  return {tensor.begin(), tensor.end()};
}

TEST(HuggingFaceSuite, ModelGivesFeaturesOfBothSidesAndThePooled) {
  const auto out = load<BridgeTowerModel<float>>().forward(random_inputs(2));
  EXPECT_EQ(out.text_features.shape(), (Shape{2, kTokens, kHidden}));
  EXPECT_EQ(out.image_features.shape(), (Shape{2, kPositions, kHidden}));
  EXPECT_EQ(out.pooler_output.shape(), (Shape{2, 2 * kHidden}));
}

TEST(HuggingFaceSuite, APixelMaskChangesNothing) {
  const auto model = load<BridgeTowerModel<float>>();
  ForwardInputs<float> inputs = random_inputs(1);
  const auto without = model.forward(inputs);
  inputs.pixel_mask = Tensor<std::int64_t>({1, kImage, kImage});
  EXPECT_EQ(values(model.forward(inputs).pooler_output), values(without.pooler_output));
}

TEST(HuggingFaceSuite, HeadsGiveLogits) {
  const auto inputs = random_inputs(2);
  EXPECT_EQ(load<BridgeTowerForImageAndTextRetrieval<float>>().forward(inputs).logits.shape(),
            (Shape{2, 2}));
  EXPECT_EQ(load<BridgeTowerForMaskedLM<float>>().forward(inputs).logits.shape(),
            (Shape{2, kTokens, 320}));
}

/// Hugging Face's class returns the three vectors of a pair as its logits.
TEST(HuggingFaceSuite, ContrastiveLogitsAreTheThreeVectors) {
  const auto out = load<BridgeTowerForContrastiveLearning<float>>().forward(random_inputs(2));
  ASSERT_EQ(out.logits.shape(), (Shape{2, 3, 16}));
  for (std::int64_t b = 0; b < 2; ++b) {
    std::int64_t side = 0;
    for (const Tensor<float>* vectors : {&out.text_embeds, &out.image_embeds, &out.cross_embeds}) {
      ASSERT_EQ(vectors->shape(), (Shape{2, 16}));
      const float* const row = vectors->data() + b * 16;
      EXPECT_TRUE(std::equal(row, row + 16, out.logits.data() + (b * 3 + side++) * 16));
    }
  }
}

TEST(HuggingFaceSuite, HiddenStatesOfTextImageAndFusion) {
  const auto model = load<BridgeTowerModel<float>>();
  ForwardInputs<float> inputs = random_inputs(1);
  EXPECT_FALSE(model.forward(inputs).hidden_states);
  inputs.output_hidden_states = true;
  const auto states = model.forward(inputs).hidden_states;
  ASSERT_TRUE(states);
  const BridgeTowerConfig config = BridgeTowerConfig::from_pretrained(kModel);
  // Each tower's embeddings and layers, and a pair for every cross-modal layer.
  EXPECT_EQ(states->text.size() + states->image.size() + states->cross_text.size(),
            static_cast<std::size_t>(config.text_config.num_hidden_layers + 1 +
                                     config.vision_config.num_hidden_layers + 1 +
                                     config.num_hidden_layers));
  EXPECT_EQ(states->cross_image.size(), states->cross_text.size());
  EXPECT_EQ(states->text.front().shape(), (Shape{1, kTokens, kHidden}));
  EXPECT_EQ(states->image.front().shape(),
            (Shape{kPositions, 1, config.vision_config.hidden_size}));
  EXPECT_EQ(states->cross_text.front().shape(), (Shape{1, kTokens, kHidden}));
  EXPECT_EQ(states->cross_image.front().shape(), (Shape{1, kPositions, kHidden}));
}

TEST(HuggingFaceSuite, AttentionsOfEveryCrossModalLayer) {
  ForwardInputs<float> inputs = random_inputs(1);
  inputs.output_attentions = true;
  const auto attentions = load<BridgeTowerModel<float>>().forward(inputs).attentions;
  ASSERT_TRUE(attentions);
  ASSERT_EQ(attentions->text.size(), 2U);
  ASSERT_EQ(attentions->image.size(), 2U);
  EXPECT_EQ(attentions->text.front().shape(), (Shape{1, 4, kTokens, kTokens}));
  EXPECT_EQ(attentions->image.front().shape(), (Shape{1, 4, kPositions, kPositions}));
}

/// Their bound is 1e-5; these are the same weights, so the same bits.
TEST(HuggingFaceSuite, SavedAndLoadedItAnswersTheSame) {
  const TemporaryDirectory directory;
  convert_checkpoint(kModel, directory.path() / "copy");
  const auto inputs = random_inputs(1);
  const auto before = load<BridgeTowerForMaskedLM<float>>().forward(inputs);
  const auto after = load<BridgeTowerForMaskedLM<float>>(directory.path() / "copy").forward(inputs);
  EXPECT_EQ(values(after.logits), values(before.logits));
}

/// Height and width after resizing, by the formula of Hugging Face's tester.
std::pair<std::int64_t, std::int64_t> expected_size(std::int64_t height, std::int64_t width) {
  constexpr double kSize = 288;
  const double scale = kSize / static_cast<double>(std::min(height, width));
  double new_height = height < width ? kSize : scale * static_cast<double>(height);
  double new_width = height < width ? scale * static_cast<double>(width) : kSize;
  const double most = std::floor(1333.0 / 800.0 * kSize);
  if (const double longest = std::max(new_height, new_width); longest > most) {
    new_height *= most / longest;
    new_width *= most / longest;
  }
  return {static_cast<std::int64_t>(new_height + 0.5) / 32 * 32,
          static_cast<std::int64_t>(new_width + 0.5) / 32 * 32};
}

TEST(HuggingFaceSuite, PicturesOfABatchArePaddedToTheLargest) {
  ImageProcessorConfig config;
  config.do_center_crop = false;
  const BridgeTowerImageProcessor processor(config);
  std::mt19937 chance(1);
  for (int round = 0; round < 10; ++round) {
    std::vector<Image> images;
    std::int64_t height = 0, width = 0;
    for (int i = 0; i < 7; ++i) {
      images.emplace_back(30 + chance() % 371, 30 + chance() % 371, 3);
      const auto [h, w] = expected_size(images.back().height(), images.back().width());
      if (h == 0 || w == 0) {
        images.pop_back();
        continue;
      }
      EXPECT_EQ(processor(images.back()).pixel_values.shape(), (Shape{1, 3, h, w}));
      height = std::max(height, h);
      width = std::max(width, w);
    }
    const auto batch = static_cast<std::int64_t>(images.size());
    EXPECT_EQ(processor(images).pixel_values.shape(), (Shape{batch, 3, height, width}));
  }
}

TEST(HuggingFaceSuite, ProcessorTakesACropSizeAndAMaximumLength) {
  const auto loaded = BridgeTowerProcessor::from_pretrained(kModel);
  for (const std::int64_t crop : {214, 224, 234}) {
    ImageProcessorConfig config;
    config.crop_size = crop;
    const BridgeTowerProcessor processor(BridgeTowerImageProcessor(config),
                                         RobertaTokenizer::from_pretrained(kModel));
    EncodeOptions padded;
    padded.padding = Padding::kMaxLength;
    padded.max_length = 76;
    const BatchEncoding one = processor(Image(30, 400, 3), "lower newer", padded);
    EXPECT_EQ(one.pixel_values.dim(2), crop);
    EXPECT_EQ(one.input_ids.shape(), (Shape{1, 76}));
  }
}

TEST(HuggingFaceSuite, ProcessorPadsToTheLongestOfABatch) {
  const auto processor = BridgeTowerProcessor::from_pretrained(kModel);
  const std::vector<std::string> texts{"lower newer", "upper older longer string"};
  const BatchEncoding both = processor({Image(60, 80, 3), Image(80, 60, 3)}, texts);
  EXPECT_EQ(both.input_ids.dim(1), processor.encode_texts({texts[1]}).input_ids.dim(1));
  EXPECT_LT(processor.encode_texts({texts[0]}).input_ids.dim(1), both.input_ids.dim(1));
}

}  // namespace
}  // namespace bridgetower
