// A pair's float bits depend on the pair alone: not on its batch, its padding, the threads or the
// path.
#include <gtest/gtest.h>

#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/pipeline/retrieval.hpp>

#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

const std::string kModel = std::string(BRIDGETOWER_TEST_DATA) + "/tiny_model";

struct Text {
  std::vector<std::int64_t> ids;
  std::size_t padding = 0;
};

/// Pictures by their seeds; every row padded to the longest.
ForwardInputs<float> batch_of(const std::vector<std::uint32_t>& pictures,
                              const std::vector<Text>& texts) {
  const auto batch = static_cast<std::int64_t>(texts.size());
  std::size_t length = 0;
  for (const Text& text : texts) length = std::max(length, text.ids.size() + text.padding);
  ForwardInputs<float> inputs;
  inputs.input_ids.emplace(Shape{batch, static_cast<std::int64_t>(length)});
  inputs.attention_mask.emplace(inputs.input_ids->shape());
  inputs.pixel_values.emplace(Shape{batch, 3, 48, 48});
  std::fill(inputs.input_ids->begin(), inputs.input_ids->end(), 1);  // <pad>
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::vector<std::int64_t>& ids = texts[static_cast<std::size_t>(b)].ids;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      (*inputs.input_ids)(b, i) = ids[i];
      (*inputs.attention_mask)(b, i) = 1;
    }
    const auto pixels =
        testing::random_tensor<float>({3, 48, 48}, pictures[static_cast<std::size_t>(b)]);
    std::copy(pixels.begin(), pixels.end(), inputs.pixel_values->data() + b * 3 * 48 * 48);
  }
  return inputs;
}

const Text kText{{0, 84, 61, 90, 77, 2}};
const Text kLong{{0, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 2}};

BridgeTowerForImageAndTextRetrieval<float> load(int threads) {
  LoadOptions options;
  options.threads = threads;
  return BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kModel, options);
}

TEST(Invariance, CompanyOrderAndPaddingChangeNoBit) {
  const auto model = load(2);
  const Tensor<float> alone = model.forward(batch_of({1}, {kText})).logits;
  const std::vector<float> expected(alone.begin(), alone.end());
  const auto row = [&](const ForwardInputs<float>& inputs, std::int64_t b) {
    const Tensor<float> logits = model.forward(inputs).logits.row(b);
    return std::vector<float>(logits.begin(), logits.end());
  };
  EXPECT_EQ(row(batch_of({1}, {{kText.ids, 5}}), 0), expected);
  EXPECT_EQ(row(batch_of({1, 2}, {kText, kLong}), 0), expected);
  EXPECT_EQ(row(batch_of({2, 3, 1}, {kLong, kText, kText}), 2), expected);
  EXPECT_NE(row(batch_of({2}, {kText}), 0), expected);
}

TEST(Invariance, ThreadsChangeNoBit) {
  const auto inputs = batch_of({1, 2}, {kText, kLong});
  const Tensor<float> expected = load(1).forward(inputs).logits;
  for (const int threads : {2, 3, 4}) {
    const Tensor<float> logits = load(threads).forward(inputs).logits;
    EXPECT_TRUE(std::equal(logits.begin(), logits.end(), expected.begin())) << threads;
  }
}

TEST(Invariance, StatesFusedOneByOneGiveTheBitsOfTheBatch) {
  const auto model = load(2);
  const auto inputs = batch_of({1, 2}, {kText, kLong});
  const Tensor<float> expected = model.forward(inputs).logits;
  for (std::int64_t b = 0; b < 2; ++b) {
    const Tensor<float> logits = model.score(model.model().encode_image(inputs, b),
                                             model.model().encode_text(inputs, b, true));
    EXPECT_EQ(logits(0), expected(b, 0));
    EXPECT_EQ(logits(1), expected(b, 1));
  }
}

}  // namespace
}  // namespace bridgetower
