// Every kind of layer against Hugging Face's class on the same weights: double up to the goldens'
// own rounding, float within their tolerance.
#include <bridgetower/encoders/cross_modal/bert_cross_layer.hpp>
#include <bridgetower/encoders/cross_modal/link_tower.hpp>
#include <bridgetower/encoders/text/text_embeddings.hpp>
#include <bridgetower/encoders/text/text_layer.hpp>
#include <bridgetower/encoders/vision/residual_attention.hpp>
#include <bridgetower/encoders/vision/vision_embeddings.hpp>
#include <bridgetower/heads/mlm_head.hpp>
#include <bridgetower/layers/pooler.hpp>
#include <bridgetower/model/detail/stack.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

using testing::expect_near;
using testing::Golden;
using testing::GoldenWeights;

const std::filesystem::path kFolder = std::filesystem::path(testing::test_data()) / "golden";

template <class Scalar>
class LayerParity : public ::testing::Test {
 protected:
  /// Builds a layer on the golden's weights with make(config, weights) and compares what
  /// run(layer, golden) gives with `outputs.states`. Batches there have one item.
  template <class Make, class Run>
  static void compare(const std::string& name, const Make& make, const Run& run) {
    SCOPED_TRACE(name);
    const Golden golden(kFolder / (name + ".safetensors"));
    const GoldenWeights weights(kFolder / (name + ".safetensors"));
    WeightLoader<Scalar> loader(weights);
    const auto layer = make(golden.config(), WeightView<Scalar>(loader));
    loader.finish();
    Tensor<Scalar> result = run(layer, golden);
    const Shape shape = golden.output("states").shape();
    expect_near(golden, "states", std::move(result).reshaped(shape));
  }

  static Tensor<Scalar> rows(const Golden& golden, const std::string& name) {
    return golden.input<Scalar>(name).row(0);
  }

  /// Positions that the golden's mask leaves visible.
  static std::optional<ops::KeyList> attended(const Golden& golden) {
    if (!golden.has_input("mask")) return std::nullopt;
    const auto mask = golden.input<std::int64_t>("mask");
    ops::KeyList keys;
    for (std::int64_t i = 0; i < mask.dim(0); ++i) {
      if (mask(i) != 0) keys.push_back(i);
    }
    return keys;
  }
};

using Scalars = ::testing::Types<double, float>;
TYPED_TEST_SUITE(LayerParity, Scalars);

TYPED_TEST(LayerParity, TextEmbeddings) {
  using Layer = BridgeTowerTextEmbeddings<TypeParam>;
  this->compare(
      "text_embeddings",
      [](const BridgeTowerConfig& config, const auto& weights) {
        return Layer(config.text_config, weights);
      },
      [](const Layer& layer, const Golden& golden) {
        const auto ids = golden.input<std::int64_t>("input_ids");
        return layer.forward(ids.data(), ids.dim(1), ops::all_rows(ids.dim(1)));
      });
}

TYPED_TEST(LayerParity, TextLayer) {
  using Layer = BridgeTowerTextLayer<TypeParam>;
  for (const char* name : {"text_layer_all", "text_layer_masked"}) {
    this->compare(
        name,
        [](const BridgeTowerConfig& config, const auto& weights) {
          return Layer(config.text_config, weights);
        },
        [this](const Layer& layer, const Golden& golden) {
          const auto keys = this->attended(golden);
          return layer.forward(
              Sequences<TypeParam>::single(this->rows(golden, "states"), keys ? &*keys : nullptr));
        });
  }
}

TYPED_TEST(LayerParity, CrossLayer) {
  using Layer = BridgeTowerBertCrossLayer<TypeParam>;
  this->compare(
      "cross_layer",
      [](const BridgeTowerConfig& config, const auto& weights) {
        return Layer(config.text_config, weights);
      },
      [this](const Layer& layer, const Golden& golden) {
        const auto keys = this->attended(golden);
        auto own = Sequences<TypeParam>::single(this->rows(golden, "states"));
        const auto other = Sequences<TypeParam>::single(this->rows(golden, "other"), &*keys);
        own.rows = layer.attend_own(own, own);
        return layer.attend_other(own, other);
      });
}

TYPED_TEST(LayerParity, VisionEmbeddings) {
  using Layer = BridgeTowerVisionEmbeddings<TypeParam>;
  for (const char* name : {"same", "tall", "small"}) {
    this->compare(
        std::string("vision_embeddings_") + name,
        [](const BridgeTowerConfig& config, const auto& weights) {
          return Layer(config.vision_config, weights);
        },
        [name](const Layer& layer, const Golden& golden) {
          const auto pixels = golden.input<TypeParam>("pixel_values");
          return layer.forward(pixels.data(), pixels.dim(2), pixels.dim(3),
                               std::string(name) != "same");
        });
  }
}

TYPED_TEST(LayerParity, VisionBlock) {
  using Layer = BridgeTowerResidualAttention<TypeParam>;
  this->compare(
      "vision_block",
      [](const BridgeTowerConfig& config, const auto& weights) {
        return Layer(config.vision_config, weights);
      },
      [this](const Layer& layer, const Golden& golden) {
        return layer.forward(this->rows(golden, "states"));
      });
}

TYPED_TEST(LayerParity, LinkTower) {
  using Layer = BridgeTowerLinkTower<TypeParam>;
  for (const char* type : {"add", "scaled_add", "interpolate"}) {
    this->compare(
        std::string("link_tower_") + type,
        [](const BridgeTowerConfig& config, const auto& weights) { return Layer(config, weights); },
        [this](const Layer& layer, const Golden& golden) {
          return layer.forward(this->rows(golden, "states"), this->rows(golden, "other"));
        });
  }
}

TYPED_TEST(LayerParity, Pooler) {
  using Layer = BridgeTowerPooler<TypeParam>;
  this->compare(
      "pooler",
      [](const BridgeTowerConfig& config, const auto& weights) {
        return Layer(weights, config.hidden_size);
      },
      [this](const Layer& layer, const Golden& golden) {
        return layer.forward(detail::first_row(this->rows(golden, "states")));
      });
}

TYPED_TEST(LayerParity, MLMHead) {
  using Layer = BridgeTowerMLMHead<TypeParam>;
  for (const char* activation : {"gelu", "gelu_new", "tanh"}) {
    this->compare(
        std::string("mlm_head_") + activation,
        [](const BridgeTowerConfig& config, const auto& weights) {
          return Layer(config, weights, nullptr);
        },
        [this](const Layer& layer, const Golden& golden) {
          return layer.forward(this->rows(golden, "states"));
        });
  }
}

TYPED_TEST(LayerParity, Activations) {
  const Golden golden(kFolder / "activations.safetensors");
  for (const std::string& name : golden.outputs()) {
    auto values = golden.input<TypeParam>("values");
    const auto activate = ops::activation_function<TypeParam>(ops::activation_from_name(name));
    if (activate != nullptr) activate(values.data(), values.dim(0));
    expect_near(golden, name, values);
  }
}

}  // namespace
}  // namespace bridgetower
