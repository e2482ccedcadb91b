// Everything saved against everything computed, in the configurations of the golden models.
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <cmath>

#include "tests/support/golden.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

using testing::Golden;
using testing::GoldenWeights;

const std::filesystem::path kFolder = std::filesystem::path(testing::test_data()) / "golden";
const std::vector<std::string> kModels = {"plain", "scaled-add-eps-tied", "interpolate-unshared-k0",
                                          "n1", "odd"};

/// Up to 2e-6 (float) or 1e-12 (double) of the largest value.
template <class Scalar>
void expect_close(const Tensor<Scalar>& actual, const Tensor<Scalar>& expected) {
  ASSERT_EQ(actual.shape(), expected.shape());
  ASSERT_FALSE(expected.empty());
  double largest = 0;
  for (const Scalar v : expected) largest = std::max(largest, std::abs(static_cast<double>(v)));
  const double tolerance = (std::is_same_v<Scalar, double> ? 1e-12 : 2e-6) * largest;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual.data()[i]), static_cast<double>(expected.data()[i]),
                tolerance);
  }
}

template <class Scalar>
class SavingsOfGoldens : public ::testing::Test {
 protected:
  /// compare(model, inputs) for a head's golden pairs, as they are and with their last token
  /// hidden.
  template <template <class> class Model, class Compare>
  static void each(const std::vector<std::string>& names, const std::string& head,
                   const Compare& compare) {
    for (const std::string& name : names) {
      SCOPED_TRACE(name);
      const std::filesystem::path file = kFolder / ("model-" + name + ".safetensors");
      const GoldenWeights weights(file);
      const auto model = load_model<Model, Scalar>(Golden(file).config(), weights);
      auto inputs = Golden(kFolder / ("model-" + name + "-" + head + ".safetensors"))
                        .forward_inputs<Scalar>();
      inputs.labels.reset();
      inputs.output_hidden_states = inputs.output_attentions = false;
      compare(model, inputs);
      inputs.attention_mask.emplace(inputs.input_ids->shape());
      std::fill(inputs.attention_mask->begin(), inputs.attention_mask->end(), 1);
      (*inputs.attention_mask)(0, inputs.length() - 1) = 0;
      compare(model, inputs);
    }
  }
  static ForwardInputs<Scalar> all_of(ForwardInputs<Scalar> inputs) {
    inputs.output_hidden_states = inputs.output_attentions = true;
    return inputs;
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SavingsOfGoldens, Scalars);

TYPED_TEST(SavingsOfGoldens, Matching) {
  this->template each<BridgeTowerForImageAndTextRetrieval>(
      kModels, "itm", [this](const auto& model, const auto& inputs) {
        expect_close(model.forward(inputs).logits, model.forward(this->all_of(inputs)).logits);
      });
}

TYPED_TEST(SavingsOfGoldens, Pooler) {
  this->template each<BridgeTowerModel>(
      kModels, "base", [this](const auto& model, const auto& inputs) {
        const auto all = model.forward(this->all_of(inputs)).pooler_output;
        Wanted wanted;
        wanted.pooler_output = true;
        for (std::int64_t b = 0; b < inputs.batch(); ++b) {
          const auto fused = model.fuse(model.encode_image(inputs, b),
                                        model.encode_text(inputs, b, false), wanted);
          expect_close(fused.pooler_output.row(0), all.row(b));
        }
      });
}

TYPED_TEST(SavingsOfGoldens, MaskedWordsSeveralMasks) {
  this->template each<BridgeTowerForMaskedLM>(
      kModels, "mlm", [this](const auto& model, const auto& inputs) {
        const auto all = model.forward(this->all_of(inputs)).logits;
        const auto some =
            model.masked_logits(model.model().encode_image(inputs, 0),
                                model.model().encode_text(inputs, 0, false), {2, 0, 1});
        expect_close(some.row(0), all.row(0).row(2));
        expect_close(some.row(1), all.row(0).row(0));
        expect_close(some.row(2), all.row(0).row(1));
      });
}

TYPED_TEST(SavingsOfGoldens, Vectors) {
  this->template each<BridgeTowerForContrastiveLearning>(
      {"plain", "scaled-add-eps-tied", "n1"}, "itc", [this](const auto& model, const auto& inputs) {
        const auto all = model.forward(this->all_of(inputs));
        expect_close(model.text_embeds(inputs, ops::all_rows(inputs.batch())), all.text_embeds);
        expect_close(model.image_embed(inputs, 0), all.image_embeds.row(0));
        expect_close(model.forward(inputs).cross_embeds, all.cross_embeds);
      });
}

}  // namespace
}  // namespace bridgetower
