#include <gtest/gtest.h>

#include <bridgetower/pipeline/from_pretrained.hpp>
#include <cmath>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::random_tensor;
using Ids = Tensor<std::int64_t>;

const std::string kModel = testing::test_data() + "/tiny_model";

/// 320 words, 38 tokens at most, pictures of 48 pixels in 10 positions, everything 64 wide.
const BridgeTowerModel<float>& base() {
  static const auto model = BridgeTowerModel<float>::from_pretrained(kModel);
  return model;
}
const BridgeTowerForImageAndTextRetrieval<float>& matching() {
  static const auto model = BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kModel);
  return model;
}
const BridgeTowerForMaskedLM<float>& masked() {
  static const auto model = BridgeTowerForMaskedLM<float>::from_pretrained(kModel);
  return model;
}
const BridgeTowerForContrastiveLearning<float>& contrastive() {
  static const auto model = BridgeTowerForContrastiveLearning<float>::from_pretrained(kModel);
  return model;
}

ForwardInputs<float> pair_of(std::int64_t batch) {
  ForwardInputs<float> inputs;
  inputs.input_ids = Ids({batch, 4});
  for (std::int64_t i = 0; i < batch * 4; ++i) inputs.input_ids->data()[i] = i % 5 == 1 ? 2 : i + 3;
  inputs.pixel_values = random_tensor<float>({batch, 3, 48, 48}, 1);
  return inputs;
}

/// Every class must refuse what `change` makes of two good pairs, in the same words.
template <class Change>
void expect_refused(ErrorCode code, const std::string& message, const Change& change) {
  SCOPED_TRACE(message);
  ForwardInputs<float> inputs = pair_of(2);
  change(inputs);
  expect_error(code, message, [&] { base().forward(inputs); });
  expect_error(code, message, [&] { matching().forward(inputs); });
  expect_error(code, message, [&] { masked().forward(inputs); });
  expect_error(code, message, [&] { contrastive().forward(inputs); });
}

bool equal(const Tensor<float>& a, const Tensor<float>& b) {
  return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

TEST(ForwardInputs, NeedATextAndAnImage) {
  expect_refused(ErrorCode::kInput, "input_ids: missing", [](auto& in) { in.input_ids.reset(); });
  expect_refused(ErrorCode::kInput, "input_ids: missing; inputs_embeds cannot replace them",
                 [](auto& in) {
                   in.input_ids.reset();
                   in.inputs_embeds = Tensor<float>({2, 4, 64});
                 });
  expect_refused(ErrorCode::kInput, "pixel_values: missing, and image_embeds too",
                 [](auto& in) { in.pixel_values.reset(); });
  expect_refused(ErrorCode::kInput, "input_ids: missing",
                 [](auto& in) { in = ForwardInputs<float>(); });
  expect_refused(ErrorCode::kShape,
                 "input_ids: shape: expected [batch, tokens], none of them 0, got [0]",
                 [](auto& in) { in = ForwardInputs<float>(BatchEncoding()); });
}

TEST(ForwardInputs, RefuseIdsOfAnotherShape) {
  const auto refuse = [](const Shape& shape) {
    expect_refused(
        ErrorCode::kShape,
        "input_ids: shape: expected [batch, tokens], none of them 0, got " + to_string(shape),
        [&](auto& in) { in.input_ids = Ids(shape); });
  };
  for (const Shape& shape : {Shape{}, {0}, {4}, {2, 0}, {0, 4}, {2, 4, 1}}) refuse(shape);
  for (const std::int64_t batch : {1, 3}) {
    expect_refused(ErrorCode::kShape,
                   "input_ids: texts, one for each image: expected 2, got " + std::to_string(batch),
                   [&](auto& in) {
                     in.input_ids = Ids({batch, 4});
                   });
  }
}

TEST(ForwardInputs, RefuseIdsOutsideTheVocabulary) {
  for (const std::int64_t id :
       {std::int64_t{320}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    expect_refused(ErrorCode::kInput,
                   "input_ids: token 3: expected 0 to 319, got " + std::to_string(id),
                   [&](auto& in) { in.input_ids->data()[7] = id; });
    // A hidden token is looked up as well.
    expect_refused(ErrorCode::kInput,
                   "input_ids: token 3: expected 0 to 319, got " + std::to_string(id),
                   [&](auto& in) {
                     in.input_ids->data()[3] = id;
                     in.attention_mask = Ids({2, 4}, {1, 1, 1, 0, 1, 1, 1, 1});
                   });
  }
}

TEST(ForwardInputs, RefuseMoreTokensThanPositions) {
  const auto of_length = [](std::int64_t length) {
    ForwardInputs<float> inputs = pair_of(1);
    inputs.input_ids = Ids({1, length});
    std::fill(inputs.input_ids->begin(), inputs.input_ids->end(), 5);
    return inputs;
  };
  EXPECT_NO_THROW(matching().forward(of_length(38)));
  for (const std::int64_t length : {39, 1000}) {
    expect_error(
        ErrorCode::kInput,
        "input_ids: tokens other than padding: expected at most 38, got " + std::to_string(length),
        [&] { matching().forward(of_length(length)); });
  }
  // Padding takes no position of its own.
  ForwardInputs<float> padded = of_length(60);
  std::fill(padded.input_ids->begin() + 38, padded.input_ids->end(), 1);
  EXPECT_NO_THROW(matching().forward(padded));
  padded.input_ids->data()[50] = 5;
  expect_error(ErrorCode::kInput,
               "input_ids: tokens other than padding: expected at most 38, got 39",
               [&] { matching().forward(padded); });
}

TEST(ForwardInputs, RefuseMasksOfAnotherShape) {
  for (const Shape& shape :
       {Shape{}, {4}, {2, 3}, {2, 5}, {1, 4}, {2, 0}, {2, 4, 4}, {2, 1, 1, 4}}) {
    expect_refused(ErrorCode::kShape,
                   "attention_mask: shape: expected [2, 4], got " + to_string(shape),
                   [&](auto& in) { in.attention_mask = Ids(shape); });
  }
}

TEST(ForwardInputs, TakeEveryMaskValueButZeroAsAttended) {
  ForwardInputs<float> inputs = pair_of(2);
  inputs.attention_mask = Ids({2, 4}, {1, 1, 0, 1, 1, 1, 1, 1});
  const Tensor<float> expected = matching().forward(inputs).logits;
  inputs.attention_mask =
      Ids({2, 4}, {2, -1, 0, std::numeric_limits<std::int64_t>::min(), -1, 1, 7, 1});
  EXPECT_TRUE(equal(matching().forward(inputs).logits, expected));
}

TEST(ForwardInputs, RefusePixelsOfAnotherShape) {
  for (const Shape& shape : {Shape{},
                             {0},
                             {2, 3, 48},
                             {3, 48, 48},
                             {2, 3, 0, 48},
                             {0, 3, 48, 48},
                             {2, 3, 48, 48, 1},
                             {2, 0, 48, 48}}) {
    expect_refused(ErrorCode::kShape,
                   "pixel_values: shape: expected [batch, channels, height, width], none of them "
                   "0, got " +
                       to_string(shape),
                   [&](auto& in) { in.pixel_values = Tensor<float>(shape); });
  }
  for (const std::int64_t channels : {1, 4}) {
    expect_refused(ErrorCode::kShape,
                   "pixel_values: shape: expected [2, 3, 48, 48], got " +
                       to_string(Shape{2, channels, 48, 48}),
                   [&](auto& in) {
                     in.pixel_values = Tensor<float>({2, channels, 48, 48});
                   });
  }
  expect_refused(ErrorCode::kShape, "input_ids: texts, one for each image: expected 3, got 2",
                 [](auto& in) {
                   in.pixel_values = Tensor<float>({3, 3, 48, 48});
                 });
}

TEST(ForwardInputs, RefusePicturesOfAnotherSizeUnlessTheyMayBeInterpolated) {
  const auto sized = [](std::int64_t height, std::int64_t width, bool interpolate) {
    return [=](auto& in) {
      in.pixel_values = Tensor<float>({2, 3, height, width});
      in.interpolate_pos_encoding = interpolate;
    };
  };
  for (const std::int64_t side : {32, 47, 49, 64}) {
    expect_refused(ErrorCode::kShape,
                   "pixel_values: height and width without interpolate_pos_encoding: expected 48 x "
                   "48, got 48 x " +
                       std::to_string(side),
                   sized(48, side, false));
  }
  expect_refused(ErrorCode::kShape,
                 "pixel_values: height and width: expected at least one patch of 16 pixels, got 15 "
                 "x 64",
                 sized(15, 64, true));
  ForwardInputs<float> inputs = pair_of(2);
  sized(16, 70, true)(inputs);
  EXPECT_EQ(base().forward(inputs).image_features.shape(), (Shape{2, 1 + 4, 64}));
}

TEST(ForwardInputs, RefuseImageEmbedsOfAnotherShape) {
  for (const Shape& shape : {Shape{}, {0}, {10, 64}, {2, 0, 64}, {2, 1, 10, 64}}) {
    expect_refused(
        ErrorCode::kShape,
        "image_embeds: shape: expected [batch, positions, hidden], none of them 0, got " +
            to_string(shape),
        [&](auto& in) { in.image_embeds = Tensor<float>(shape); });
  }
  expect_refused(ErrorCode::kShape, "image_embeds: shape: expected [2, 10, 64], got [2, 10, 65]",
                 [](auto& in) {
                   in.image_embeds = Tensor<float>({2, 10, 65});
                 });
  expect_refused(ErrorCode::kShape, "input_ids: texts, one for each image: expected 1, got 2",
                 [](auto& in) {
                   in.image_embeds = Tensor<float>({1, 10, 64});
                 });
  // As in Hugging Face they win over pixels, and may have any number of positions.
  ForwardInputs<float> inputs = pair_of(2);
  inputs.pixel_values = Tensor<float>({7});
  inputs.image_embeds = random_tensor<float>({2, 3, 64}, 3);
  EXPECT_EQ(base().forward(inputs).image_features.shape(), (Shape{2, 3, 64}));
}

TEST(ForwardInputs, KnowOneTokenTypeForImages) {
  for (const std::int64_t index :
       {std::int64_t{2}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    expect_refused(ErrorCode::kInput,
                   "image_token_type_idx: value: expected 0 or 1, got " + std::to_string(index),
                   [&](auto& in) { in.image_token_type_idx = index; });
  }
  ForwardInputs<float> inputs = pair_of(1);
  const Tensor<float> expected = base().forward(inputs).pooler_output;
  inputs.image_token_type_idx = 0;
  EXPECT_TRUE(equal(base().forward(inputs).pooler_output, expected));
}

TEST(ForwardInputs, IgnoreWhatHuggingFaceIgnores) {
  ForwardInputs<float> inputs = pair_of(2);
  const Tensor<float> expected = base().forward(inputs).pooler_output;
  inputs.token_type_ids = Ids({1}, {99});
  inputs.pixel_mask = Ids({2, 48, 48});
  inputs.inputs_embeds = Tensor<float>({1, 2, 3});
  inputs.labels = Ids({9}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_TRUE(equal(base().forward(inputs).pooler_output, expected));
}

TEST(ForwardInputs, RefuseLabelsOfAnotherShape) {
  ForwardInputs<float> inputs = pair_of(2);
  for (const Shape& shape : {Shape{}, {1}, {3}, {2, 1}, {0}}) {
    inputs.labels = Ids(shape);
    expect_error(ErrorCode::kShape, "labels: shape: expected [2], got " + to_string(shape),
                 [&] { matching().forward(inputs); });
  }
  for (const Shape& shape : {Shape{}, {8}, {2, 3}, {1, 4}, {2, 4, 1}}) {
    inputs.labels = Ids(shape);
    expect_error(ErrorCode::kShape, "labels: shape: expected [2, 4], got " + to_string(shape),
                 [&] { masked().forward(inputs); });
  }
}

TEST(ForwardInputs, RefuseLabelsOutOfRange) {
  ForwardInputs<float> inputs = pair_of(2);
  for (const std::int64_t label : {2, -1, -101}) {
    inputs.labels = Ids({2}, {1, label});
    expect_error(ErrorCode::kInput,
                 "labels: label 1: expected -100 or 0 to 1, got " + std::to_string(label),
                 [&] { matching().forward(inputs); });
  }
  inputs.labels = Ids({2, 4}, {-100, 0, 0, 0, 0, 320, 0, 0});
  expect_error(ErrorCode::kInput, "labels: label 5: expected -100 or 0 to 319, got 320",
               [&] { masked().forward(inputs); });
  inputs.labels = Ids({2}, {-100, -100});
  EXPECT_TRUE(std::isnan(*matching().forward(inputs).loss));  // as PyTorch's mean of nothing
}

// The reference computes on: numbers that are none spread, and nothing breaks.
TEST(ForwardInputs, LetPixelsThatAreNoNumbersThrough) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::max()}) {
    ForwardInputs<float> inputs = pair_of(2);
    inputs.pixel_values->data()[5] = value;
    inputs.output_hidden_states = inputs.output_attentions = inputs.return_loss = true;
    const auto logits = matching().forward(inputs).logits;
    EXPECT_EQ(logits.shape(), (Shape{2, 2}));
    if (!std::isfinite(value)) {
      EXPECT_TRUE(std::isnan(logits(0, 0)));
    }
    EXPECT_TRUE(std::isfinite(logits(1, 0)));  // the other pair is not touched
    EXPECT_NO_THROW(contrastive().forward(inputs));
    inputs.labels = *inputs.input_ids;
    EXPECT_NO_THROW(masked().forward(inputs));
  }
}

TEST(ForwardInputs, AreCheckedByTheSingleStepsToo) {
  ForwardInputs<float> inputs = pair_of(2);
  for (const std::int64_t item : {-1, 2}) {
    const std::string message = "inputs: item: expected 0 to 1, got " + std::to_string(item);
    expect_error(ErrorCode::kInput, message, [&] { base().encode_image(inputs, item); });
    expect_error(ErrorCode::kInput, message, [&] { base().encode_text(inputs, item, true); });
  }
  // Each step looks at its own side only.
  inputs.pixel_values.reset();
  EXPECT_NO_THROW(base().encode_text(inputs, 1, true));
  expect_error(ErrorCode::kInput, "pixel_values: missing, and image_embeds too",
               [&] { base().encode_image(inputs, 0); });
  inputs = pair_of(2);
  inputs.input_ids.reset();
  EXPECT_NO_THROW(base().encode_image(inputs, 1));
  expect_error(ErrorCode::kInput, "input_ids: missing",
               [&] { base().encode_text(inputs, 0, true); });
  inputs = pair_of(2);
  inputs.attention_mask = Ids({1, 4});
  expect_error(ErrorCode::kShape, "attention_mask: shape: expected [2, 4], got [1, 4]",
               [&] { base().encode_text(inputs, 1, true); });
}

/// States of one good pair.
struct States {
  ImageState<float> image = base().encode_image(pair_of(1), 0);
  TextState<float> text = base().encode_text(pair_of(1), 0, true);
};

TEST(States, OfAnotherModelAreRefused) {
  const auto refuse = [](const char* which, const auto& change) {
    States states;
    change(states);
    const std::string message = std::string("fuse: ") + which +
                                " state: expected one of this model, got another "
                                "model's";
    Wanted wanted;
    wanted.pooler_output = true;
    expect_error(ErrorCode::kInput, message,
                 [&] { base().fuse(states.image, states.text, wanted); });
    expect_error(ErrorCode::kInput, message, [&] { matching().score(states.image, states.text); });
    expect_error(ErrorCode::kInput, message,
                 [&] { masked().masked_logits(states.image, states.text, {0}); });
  };
  refuse("image", [](States& s) { s.image = {}; });
  refuse("text", [](States& s) { s.text = {}; });
  refuse("image", [](States& s) { s.image.layers.pop_back(); });
  refuse("image", [](States& s) { s.image.layers.push_back(s.image.layers[0]); });
  refuse("text", [](States& s) { s.text.layers[1] = Tensor<float>({4, 65}); });
  refuse("text", [](States& s) { s.text.layers[0] = Tensor<float>({3, 64}); });
  refuse("image", [](States& s) { s.image.layers[1] = Tensor<float>({9, 64}); });
  refuse("image", [](States& s) { s.image.layers[1] = Tensor<float>(); });
  refuse("image", [](States& s) { s.image.layers[0] = Tensor<float>(Shape{}); });
  refuse("image", [](States& s) {
    s.image.layers[0] = s.image.layers[1] = Tensor<float>({0, 64});
  });
  refuse("text", [](States& s) { s.text.layers[0] = Tensor<float>({2, 2, 64}); });
  refuse("text", [](States& s) { s.text.attended = ops::KeyList{0, 4}; });
  refuse("text", [](States& s) { s.text.attended = ops::KeyList{-1}; });
  refuse("text", [](States& s) { s.text.attended = ops::KeyList{2, 1}; });
}

TEST(States, MustHoldWhatTheFusionReads) {
  States states;
  states.text.attended_own = Tensor<float>({3, 64});
  Wanted wanted;
  wanted.text_features = true;
  expect_error(ErrorCode::kInput,
               "fuse: text state: expected one of this model, got another model's",
               [&] { base().fuse(states.image, states.text, wanted); });
  // A fusion whose pooler output was not wanted.
  states = States();
  const auto fused = base().fuse(states.image, states.text, wanted);
  expect_error(ErrorCode::kShape, "Linear: shape: expected [0 or more, 128], got [0]",
               [&] { contrastive().cross_embed(fused); });
}

TEST(Vectors, OfOneSideAreMadeFromCheckedInputs) {
  ForwardInputs<float> inputs = pair_of(2);
  const std::string message = "inputs: item: expected 0 to 1, got 2";
  expect_error(ErrorCode::kInput, message, [&] { contrastive().image_embed(inputs, 2); });
  expect_error(ErrorCode::kInput, message, [&] { contrastive().text_embeds(inputs, {0, 2}); });
  inputs.pixel_values.reset();
  EXPECT_EQ(contrastive().text_embeds(inputs, {1}).shape(), (Shape{1, 16}));
  expect_error(ErrorCode::kInput, "pixel_values: missing, and image_embeds too",
               [&] { contrastive().image_embed(inputs, 0); });
}

TEST(States, HaveTheRowsThatAreAskedFor) {
  const States states;
  EXPECT_EQ(masked().masked_logits(states.image, states.text, {3, 0, 3}).shape(), (Shape{3, 320}));
  EXPECT_EQ(masked().masked_logits(states.image, states.text, {}).shape(), (Shape{0, 320}));
  for (const std::int64_t position : {-1, 4}) {
    expect_error(ErrorCode::kInput,
                 "positions: row: expected 0 to 3, got " + std::to_string(position), [&] {
                   masked().masked_logits(states.image, states.text, {0, position});
                 });
  }
}

}  // namespace
}  // namespace bridgetower
