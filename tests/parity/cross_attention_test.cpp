// What the words of a text attend to in a picture, against Hugging Face's modules: layer by layer
// on random weights, and the demo model with a picture and a sentence.
#include <bridgetower/pipeline/attention.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::Golden;
using testing::GoldenWeights;

const fs::path kData = testing::test_data();
const fs::path kDemoModel = kData / "../../models/demo";
const fs::path kPictures = kData / "../../examples/pictures";

fs::path golden_file(const std::string& name) { return kData / "golden" / (name + ".safetensors"); }

template <class Scalar>
class CrossAttentionParity : public ::testing::Test {};
using Scalars = ::testing::Types<double, float>;
TYPED_TEST_SUITE(CrossAttentionParity, Scalars);

TYPED_TEST(CrossAttentionParity, EveryLayerAndHead) {
  for (const std::string name : {"plain", "interpolate-unshared-k0", "n1"}) {
    SCOPED_TRACE(name);
    const GoldenWeights weights(golden_file("model-" + name));
    const auto model = load_model<BridgeTowerModel, TypeParam>(
        Golden(golden_file("model-" + name)).config(), weights);
    const Golden golden(golden_file("cross_attentions-" + name));
    const auto inputs = golden.forward_inputs<TypeParam>();
    std::vector<Tensor<TypeParam>> all;
    for (std::int64_t b = 0; b < inputs.batch(); ++b) {
      Wanted wanted;
      wanted.cross_attentions = true;
      const FusedState<TypeParam> fused =
          model.fuse(model.encode_image(inputs, b), model.encode_text(inputs, b, true), wanted);
      all.resize(fused.text_cross_attentions.size());
      for (std::size_t j = 0; j < all.size(); ++j) {
        detail::set_item(all[j], inputs.batch(), b, fused.text_cross_attentions[j]);
      }
    }
    EXPECT_EQ(golden.outputs().size(), all.size());
    for (std::size_t j = 0; j < all.size(); ++j) {
      expect_near(golden, "cross_attentions." + std::to_string(j), all[j]);
    }
  }
}

/// The mean of some heads and tokens of the golden [1, H, L, P], in double.
std::vector<double> expected_row(const Tensor<double>& all, const std::vector<std::int64_t>& heads,
                                 const std::vector<std::int64_t>& tokens) {
  std::vector<double> row(static_cast<std::size_t>(all.dim(3)));
  for (const std::int64_t head : heads) {
    for (const std::int64_t token : tokens) {
      for (std::size_t p = 0; p < row.size(); ++p) {
        row[p] += all(std::int64_t{0}, head, token, p) /
                  static_cast<double>(heads.size() * tokens.size());
      }
    }
  }
  return row;
}

void expect_row(const WordAttention& word, const std::vector<double>& expected) {
  SCOPED_TRACE(word.word);
  ASSERT_EQ(word.patches.shape(), (Shape{6, 6}));
  EXPECT_NEAR(word.cls, expected[0], 2e-5);
  for (std::size_t p = 0; p < word.patches.size(); ++p) {
    EXPECT_NEAR(word.patches.data()[p], expected[p + 1], 2e-5);
  }
}

class AttentionOfTheDemoModel : public ::testing::Test {
 protected:
  Golden golden_{golden_file("cross_attentions-demo")};
  AttentionExplainer explainer_ = AttentionExplainer::from_pretrained(kDemoModel);
  Image picture_ = Image::load(kPictures / golden_.fact("picture"));
  std::string text_ = golden_.fact("text");
};

TEST_F(AttentionOfTheDemoModel, IsHuggingFaces) {
  const AttentionMap map = explainer_.explain(picture_, text_);
  EXPECT_EQ(map.layer, 2);
  EXPECT_EQ(map.picture.height(), 96);
  // The words and their tokens as word_ids of Hugging Face's tokenizer gives them.
  const std::vector<std::pair<std::string, std::vector<std::int64_t>>> words = {
      {"the", {1}},     {"red", {2}},     {"car", {3}},    {"is", {4}}, {"right", {5}},
      {"of", {6}},      {"a", {7}},       {"<mask>", {8}}, {",", {9}},  {"and", {10}},
      {"it", {11, 12}}, {"'s", {13, 14}}, {"big", {16}}};
  ASSERT_EQ(map.words.size(), words.size());
  const Tensor<double> last = golden_.output("cross_attentions.2");
  const Tensor<double> first = golden_.output("cross_attentions.0");
  AttentionOptions one_head;
  one_head.layer = 0;
  one_head.head = 3;
  const AttentionMap single = explainer_.explain(picture_, text_, one_head);
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(map.words[i].word, words[i].first);
    EXPECT_EQ(map.words[i].tokens.size(), words[i].second.size());
    EXPECT_EQ(text_.substr(static_cast<std::size_t>(map.words[i].begin),
                           static_cast<std::size_t>(map.words[i].end - map.words[i].begin)),
              words[i].first);
    expect_row(map.words[i], expected_row(last, {0, 1, 2, 3}, words[i].second));
    expect_row(single.words[i], expected_row(first, {3}, words[i].second));
  }
}

TEST_F(AttentionOfTheDemoModel, ProposesWordsForMasks) {
  const std::vector<FilledMask> filled =
      MaskFiller::from_pretrained(kDemoModel).fill(picture_, text_, 3);
  AttentionOptions options;
  options.top_k = 3;
  const AttentionMap map = explainer_.explain(picture_, text_, options);
  for (const WordAttention& word : map.words) {
    ASSERT_EQ(word.candidates.size(), word.word == "<mask>" ? 3U : 0U);
  }
  const std::vector<MaskCandidate>& candidates = map.words[7].candidates;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    EXPECT_EQ(candidates[i].sequence, filled.at(0).candidates[i].sequence);
    EXPECT_NEAR(candidates[i].score, filled.at(0).candidates[i].score, 1e-5);
  }
}

TEST_F(AttentionOfTheDemoModel, CountsCodePoints) {
  const AttentionMap map = explainer_.explain(picture_, "caf\xc3\xa9  red");
  ASSERT_EQ(map.words.size(), 2U);
  EXPECT_EQ(map.words[0].word, "caf\xc3\xa9");
  EXPECT_EQ(map.words[1].word, "red");
  EXPECT_EQ(map.words[1].begin, 6);
  EXPECT_EQ(map.words[1].end, 9);
}

TEST_F(AttentionOfTheDemoModel, RefusesWhatItCannotExplain) {
  const auto explain = [this](const std::string& text, std::int64_t layer, std::int64_t head) {
    return [this, text, layer, head] {
      AttentionOptions options;
      options.layer = layer;
      options.head = head;
      explainer_.explain(picture_, text, options);
    };
  };
  expect_error(ErrorCode::kInput, "layer: index: expected -3 to 2, got 3", explain("a car", 3, 0));
  expect_error(ErrorCode::kInput, "layer: index: expected -3 to 2, got -4",
               explain("a car", -4, 0));
  expect_error(ErrorCode::kInput, "head: index: expected 0 to 3, got 4", explain("a car", 0, 4));
  expect_error(ErrorCode::kInput, "text: words: expected at least one, got none",
               explain(" \n ", 0, 0));
  EXPECT_THROW(explain("a \xff car", 0, 0)(), InputError);
  EXPECT_THROW(explain(std::string(40, 'a') + " car car car car car car", 0, 0)(), InputError);
}

TEST_F(AttentionOfTheDemoModel, NeedsTheHeadOfMaskedWordsForMasksOnly) {
  const testing::TemporaryDirectory directory;
  for (const auto& entry : fs::directory_iterator(kDemoModel)) {
    if (entry.path().extension() == ".json") fs::copy(entry.path(), directory.path());
  }
  const SafetensorsFile all(kDemoModel / "model.safetensors");
  std::map<std::string, AnyTensor> tensors;
  for (const std::string& name : all.names()) {
    if (name.rfind("mlm_score", 0) != 0) tensors.emplace(name, all.tensor<float>(name));
  }
  write_safetensors(directory.path() / "model.safetensors", tensors, {});
  const auto headless = AttentionExplainer::from_pretrained(directory.path());
  EXPECT_EQ(headless.explain(picture_, "a car").words.size(), 2U);
  expect_error(ErrorCode::kInput,
               "text: mask tokens: expected none: the model has no mlm_score to fill them, got 1",
               [&] { headless.explain(picture_, text_); });
}

}  // namespace
}  // namespace bridgetower
