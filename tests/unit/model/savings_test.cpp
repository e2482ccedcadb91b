// What is not computed: each saving is taken (the multiply-adds are counted) and changes nothing
// but rounding.
#include <gtest/gtest.h>

#include <bridgetower/pipeline/from_pretrained.hpp>
#include <cmath>

#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

const std::string kModel = testing::test_data() + "/tiny_model";

// The tiny model: two layers in each tower and two cross-modal layers, so the first of them takes
// the first tower layers' output.
constexpr std::int64_t kD = 64, kF = 48, kHeads = 4, kVisionHeads = 1, kTokens = 6;
constexpr std::int64_t kPatchValues = 3 * 16 * 16, kPositions = 10, kVocabulary = 320, kE = 16;

std::int64_t attention_work(std::int64_t queries, std::int64_t keys, std::int64_t heads = kHeads) {
  return std::min({ops::plain_work(queries, keys, kD), ops::folded_work(queries, keys, kD, heads),
                   ops::query_folded_work(queries, keys, kD, heads)});
}
std::int64_t text_layer_work(std::int64_t rows, std::int64_t tokens) {
  return attention_work(rows, tokens) + 2 * rows * kD * kF;
}
std::int64_t vision_block_work(std::int64_t rows) {
  return attention_work(rows, kPositions, kVisionHeads) + 8 * rows * kD * kD;
}
std::int64_t encode_image_work() {
  return (kPositions - 1) * kPatchValues * kD + 2 * vision_block_work(kPositions) +
         2 * kPositions * kD * kD + attention_work(kPositions, kPositions);
}
std::int64_t encode_text_work(std::int64_t tokens) {
  return 2 * text_layer_work(tokens, tokens) + 2 * tokens * kD * kD +
         attention_work(tokens, tokens);
}
/// The second half of one modality's cross-modal layer.
std::int64_t cross_work(std::int64_t rows, std::int64_t others) {
  return attention_work(rows, others) + 2 * rows * kD * kF;
}
/// Both cross-modal layers with so many rows of the last one.
std::int64_t fuse_work(std::int64_t tokens, std::int64_t last_text, std::int64_t last_image) {
  std::int64_t work = cross_work(tokens, kPositions) + cross_work(kPositions, tokens);
  if (last_text > 0) work += attention_work(last_text, tokens) + cross_work(last_text, kPositions);
  if (last_image > 0) {
    work += attention_work(last_image, kPositions) + cross_work(last_image, tokens);
  }
  return work;
}
constexpr std::int64_t kPoolerWork = 2 * kD * kD;

template <class Work>
std::int64_t counted(const Work& work) {
  const std::uint64_t before = multiply_adds();
  work();
  return static_cast<std::int64_t>(multiply_adds() - before);
}

template <class Scalar>
ForwardInputs<Scalar> make_inputs(std::int64_t batch, std::int64_t padding = 0) {
  ForwardInputs<Scalar> inputs;
  inputs.pixel_values = testing::random_tensor<Scalar>({batch, 3, 48, 48}, 1);
  inputs.input_ids.emplace(Shape{batch, kTokens + padding});
  inputs.attention_mask.emplace(inputs.input_ids->shape());
  std::fill(inputs.input_ids->begin(), inputs.input_ids->end(), 1);
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t i = 0; i < kTokens; ++i) {
      (*inputs.input_ids)(b, i) = i == 0 ? 0 : 60 + 7 * i + b;
      (*inputs.attention_mask)(b, i) = 1;
    }
  }
  return inputs;
}

template <class Scalar>
void expect_close(const Tensor<Scalar>& actual, const Tensor<Scalar>& expected) {
  ASSERT_EQ(actual.shape(), expected.shape());
  double largest = 0;
  for (const Scalar v : expected) largest = std::max(largest, std::abs(static_cast<double>(v)));
  const double tolerance = (std::is_same_v<Scalar, double> ? 1e-12 : 2e-6) * largest;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual.data()[i]), static_cast<double>(expected.data()[i]),
                tolerance);
  }
}

class Savings : public ::testing::Test {
 protected:
  template <template <class> class Model, class Scalar = float>
  static Model<Scalar> load() {
    LoadOptions options;
    options.threads = 2;
    return Model<Scalar>::from_pretrained(kModel, options);
  }
};

TEST_F(Savings, MatchingReadsOneRowOfTheLastLayer) {
  const auto model = load<BridgeTowerForImageAndTextRetrieval>();
  const auto inputs = make_inputs<float>(1);
  EXPECT_EQ(counted([&] { model.forward(inputs); }),
            encode_image_work() + encode_text_work(kTokens) + fuse_work(kTokens, 1, 1) +
                kPoolerWork + 4 * kD);
}

TEST_F(Savings, MaskedWordsNeedNoLastImageLayerAndOnlyTheirRows) {
  const auto model = load<BridgeTowerForMaskedLM>();
  const auto inputs = make_inputs<float>(1);
  EXPECT_EQ(counted([&] { model.forward(inputs); }),
            encode_image_work() + encode_text_work(kTokens) + fuse_work(kTokens, kTokens, 0) +
                kTokens * (kD * kD + kD * kVocabulary));
  const auto image = model.model().encode_image(inputs, 0);
  const auto text = model.model().encode_text(inputs, 0, false);
  EXPECT_EQ(counted([&] {
              model.masked_logits(image, text, {2, 4});
            }),
            fuse_work(kTokens, 2, 0) + 2 * (kD * kD + kD * kVocabulary));
}

TEST_F(Savings, VectorsOfOneSideNeedOneRowOfTheLastTowerLayerAndNoFusion) {
  const auto model = load<BridgeTowerForContrastiveLearning>();
  const auto inputs = make_inputs<float>(2);
  EXPECT_EQ(counted([&] { model.image_embed(inputs, 0); }),
            (kPositions - 1) * kPatchValues * kD + vision_block_work(kPositions) +
                vision_block_work(1) + kD * kD + kD * kE);
  EXPECT_EQ(counted([&] {
              model.text_embeds(inputs, {0, 1});
            }),
            2 * (text_layer_work(kTokens, kTokens) + text_layer_work(1, kTokens) + kD * kE));
}

TEST_F(Savings, PaddingCostsNothing) {
  const auto model = load<BridgeTowerForImageAndTextRetrieval>();
  const auto short_row = make_inputs<float>(1);
  const auto padded = make_inputs<float>(1, 9);
  EXPECT_EQ(counted([&] { model.forward(padded); }), counted([&] { model.forward(short_row); }));
}

TEST_F(Savings, EqualImagesAndTextsAreEncodedOnce) {
  const auto model = load<BridgeTowerForImageAndTextRetrieval>();
  auto inputs = make_inputs<float>(20);
  const std::int64_t image = 3 * 48 * 48;
  for (std::int64_t b = 1; b < 20; ++b) {
    std::copy_n(inputs.pixel_values->data() + b % 2 * image, image,
                inputs.pixel_values->data() + b * image);
    for (std::int64_t i = 0; i < kTokens; ++i) {
      (*inputs.input_ids)(b, i) = (*inputs.input_ids)(b % 3, i);
    }
  }
  EXPECT_EQ(counted([&] { model.forward(inputs); }),
            2 * encode_image_work() + 3 * encode_text_work(kTokens) +
                20 * (fuse_work(kTokens, 1, 1) + kPoolerWork + 4 * kD));
}

TEST_F(Savings, EverythingIsComputedWhereStatesAreAskedFor) {
  const auto model = load<BridgeTowerForImageAndTextRetrieval>();
  auto inputs = make_inputs<float>(1);
  inputs.output_hidden_states = true;
  EXPECT_EQ(counted([&] { model.forward(inputs); }),
            encode_image_work() + encode_text_work(kTokens) +
                fuse_work(kTokens, kTokens, kPositions) + kPoolerWork + 4 * kD);
}

template <class Scalar>
class SavingsAreExact : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SavingsAreExact, Scalars);

TYPED_TEST(SavingsAreExact, Matching) {
  const auto model = BridgeTowerForImageAndTextRetrieval<TypeParam>::from_pretrained(kModel);
  auto inputs = make_inputs<TypeParam>(3, 4);
  const Tensor<TypeParam> saved = model.forward(inputs).logits;
  inputs.output_hidden_states = inputs.output_attentions = true;
  expect_close(saved, model.forward(inputs).logits);
}

TYPED_TEST(SavingsAreExact, MaskedWords) {
  const auto model = BridgeTowerForMaskedLM<TypeParam>::from_pretrained(kModel);
  auto inputs = make_inputs<TypeParam>(1);
  const Tensor<TypeParam> some = model.masked_logits(
      model.model().encode_image(inputs, 0), model.model().encode_text(inputs, 0, false), {4, 2});
  inputs.output_hidden_states = inputs.output_attentions = true;
  const Tensor<TypeParam> all = model.forward(inputs).logits.row(0);
  expect_close(some.row(0), all.row(4));
  expect_close(some.row(1), all.row(2));
}

TYPED_TEST(SavingsAreExact, Vectors) {
  const auto model = BridgeTowerForContrastiveLearning<TypeParam>::from_pretrained(kModel);
  auto inputs = make_inputs<TypeParam>(2, 3);
  inputs.output_hidden_states = inputs.output_attentions = true;
  const auto output = model.forward(inputs);
  expect_close(model.text_embeds(inputs, {0, 1}), output.text_embeds);
  expect_close(model.image_embed(inputs, 1), output.image_embeds.row(1));
}

}  // namespace
}  // namespace bridgetower
