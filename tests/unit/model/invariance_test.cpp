// A pair's float bits depend on the pair alone: not on its batch, its padding, the threads or the
// path.
#include <gtest/gtest.h>

#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/pipeline/retrieval.hpp>

#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

const std::string kModel = testing::test_data() + "/tiny_model";

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

struct Kept {
  DType dtype;
  Backend backend;
};

/// Matrices in each of the types, on the library's own kernels and, where it has them, on oneDNN.
std::vector<Kept> all_kept() {
  std::vector<Kept> all;
  for (const DType dtype : {DType::kF32, DType::kBF16, DType::kI8}) {
    all.push_back({dtype, Backend::kAuto});
    try {
      ops::check_weight_dtype<float>(dtype, Backend::kOneDnn);
      all.push_back({dtype, Backend::kOneDnn});
    } catch (const InputError&) {  // this build or this processor has none
    }
  }
  return all;
}

class Invariance : public ::testing::TestWithParam<Kept> {};
INSTANTIATE_TEST_SUITE_P(Types, Invariance, ::testing::ValuesIn(all_kept()), [](const auto& kept) {
  return std::string(to_string(kept.param.dtype)) +
         (kept.param.backend == Backend::kOneDnn ? "OneDnn" : "");
});

BridgeTowerForImageAndTextRetrieval<float> load(int threads, Kept kept) {
  LoadOptions options;
  options.threads = threads;
  options.dtype = kept.dtype;
  options.backend = kept.backend;
  return BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kModel, options);
}

TEST_P(Invariance, CompanyOrderAndPaddingChangeNoBit) {
  const auto model = load(2, GetParam());
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

TEST_P(Invariance, ThreadsChangeNoBit) {
  const auto inputs = batch_of({1, 2}, {kText, kLong});
  const Tensor<float> expected = load(1, GetParam()).forward(inputs).logits;
  for (const int threads : {2, 3, 4}) {
    const Tensor<float> logits = load(threads, GetParam()).forward(inputs).logits;
    EXPECT_TRUE(std::equal(logits.begin(), logits.end(), expected.begin())) << threads;
  }
}

TEST_P(Invariance, StatesFusedOneByOneGiveTheBitsOfTheBatch) {
  const auto model = load(2, GetParam());
  const auto inputs = batch_of({1, 2}, {kText, kLong});
  const Tensor<float> expected = model.forward(inputs).logits;
  for (std::int64_t b = 0; b < 2; ++b) {
    const Tensor<float> logits = model.score(model.model().encode_image(inputs, b),
                                             model.model().encode_text(inputs, b, true));
    EXPECT_EQ(logits(0), expected(b, 0));
    EXPECT_EQ(logits(1), expected(b, 1));
  }
}

/// Pictures of 257 tokens, so many that the cross-modal layers take them one after the other.
TEST_P(Invariance, LargePicturesGiveTheSameBitsInAnyCompany) {
  const auto model = load(2, GetParam());
  const auto large = [](std::vector<std::uint32_t> pictures) {
    ForwardInputs<float> inputs = batch_of(pictures, std::vector<Text>(pictures.size(), kText));
    const auto batch = static_cast<std::int64_t>(pictures.size());
    inputs.pixel_values.emplace(Shape{batch, 3, 256, 256});
    inputs.interpolate_pos_encoding = true;
    for (std::int64_t b = 0; b < batch; ++b) {
      const auto pixels =
          testing::random_tensor<float>({3, 256, 256}, pictures[static_cast<std::size_t>(b)]);
      std::copy(pixels.begin(), pixels.end(), inputs.pixel_values->data() + b * 3 * 256 * 256);
    }
    return inputs;
  };
  const Tensor<float> three = model.forward(large({1, 2, 3})).logits;
  for (std::uint32_t picture = 1; picture <= 3; ++picture) {
    const Tensor<float> alone = model.forward(large({picture})).logits;
    EXPECT_EQ(alone(0, 0), three(picture - 1, 0));
    EXPECT_EQ(alone(0, 1), three(picture - 1, 1));
  }
}

/// The tiny model's weights with 514 positions, the first ones again and again.
class LongPositions : public WeightSource {
 public:
  explicit LongPositions(const WeightSource& source) : source_(source) {}
  std::string place() const override { return source_.place(); }
  std::vector<std::string> names() const override { return source_.names(); }
  std::optional<Info> find(const std::string& name) const override {
    auto info = source_.find(name);
    if (info && is_positions(name)) info->shape[0] = 514;
    return info;
  }
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            float* out) const override {
    copy(name, first, count, out);
  }
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            double* out) const override {
    copy(name, first, count, out);
  }

 private:
  static bool is_positions(const std::string& name) {
    return name == "bridgetower.text_model.embeddings.position_embeddings.weight";
  }
  template <class Scalar>
  void copy(const std::string& name, std::int64_t first, std::int64_t count, Scalar* out) const {
    if (!is_positions(name)) return source_.read(name, first, count, out);
    const std::int64_t there = element_count(source_.find(name)->shape);
    for (std::int64_t i = 0; i < count; ++i) source_.read(name, (first + i) % there, 1, out + i);
  }
  const WeightSource& source_;
};

TEST_P(Invariance, TextsOf512TokensRunAndOneMoreIsRefused) {
  Checkpoint checkpoint = Checkpoint::open(kModel);
  checkpoint.config.text_config.max_position_embeddings = 514;
  const auto model = load_model<BridgeTowerForImageAndTextRetrieval, float>(
      checkpoint.config, LongPositions(*checkpoint.weights));
  Text text;
  for (std::int64_t i = 0; i < 512; ++i) text.ids.push_back(i == 0 ? 0 : 60 + i % 200);
  const Tensor<float> alone = model.forward(batch_of({1}, {text})).logits;
  const Tensor<float> both = model.forward(batch_of({1, 2}, {text, kText})).logits;
  EXPECT_EQ(alone(0, 0), both(0, 0));
  EXPECT_EQ(alone(0, 1), both(0, 1));
  auto full = batch_of({1}, {text});
  full.output_hidden_states = true;
  const Tensor<float> all = model.forward(full).logits;
  EXPECT_NEAR(all(0, 0), alone(0, 0), 2e-6F * std::max(1.0F, std::abs(all(0, 0))));
  text.ids.push_back(99);
  EXPECT_THROW(model.forward(batch_of({1}, {text})), InputError);
}

}  // namespace
}  // namespace bridgetower
