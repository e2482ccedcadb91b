// What the layers do with tensors that do not fit them.
#include <gtest/gtest.h>

#include <bridgetower/encoders/cross_modal/link_tower.hpp>
#include <bridgetower/encoders/text/text_layer.hpp>
#include <bridgetower/layers/pooler.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/map_weights.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::MapWeights;

/// Weights of ones under every name that is asked for, of the shape that is asked for.
class AnyWeights : public MapWeights {
 public:
  AnyWeights() : MapWeights({}) {}
  std::optional<Info> find(const std::string& name) const override {
    const bool matrix =
        name.find("weight") != std::string::npos && name.find("LayerNorm") == std::string::npos;
    return Info{DType::kF32, matrix ? Shape{4, 4} : Shape{4}};
  }
  void read(const std::string&, std::int64_t, std::int64_t count, float* out) const override {
    std::fill_n(out, count, 1.0F);
  }
};

const AnyWeights weights;

/// Each of these is no [N, 4].
const Shape kWrong[] = {{}, {4}, {2, 3}, {2, 5}, {1, 2, 4}, {4, 0}};

TEST(Layers, RefuseTensorsOfAnotherShape) {
  WeightLoader<float> loader(weights);
  const WeightView<float> root(loader);
  TextConfig config;
  config.hidden_size = config.intermediate_size = 4;
  config.num_attention_heads = 2;
  BridgeTowerConfig whole;
  whole.hidden_size = 4;
  const Linear<float> linear(root / "a", 4, 4);
  const LayerNorm<float> norm(root / "LayerNorm", 4, 1e-5);
  const BridgeTowerTextLayer<float> layer(config, root / "layer");
  const BridgeTowerLinkTower<float> link(whole, root / "link");
  const BridgeTowerPooler<float> pooler(root / "pooler", 4);
  loader.finish();

  const Tensor<float> good({2, 4});
  for (const Shape& shape : kWrong) {
    SCOPED_TRACE(to_string(shape));
    const Tensor<float> wrong(shape);
    EXPECT_THROW(linear.forward(wrong), ShapeError);
    EXPECT_THROW(norm.forward(wrong), ShapeError);
    EXPECT_THROW(norm.forward(good, wrong), ShapeError);
    EXPECT_THROW(layer.forward(Sequences<float>::single(wrong)), ShapeError);
    EXPECT_THROW(link.forward(good, wrong), ShapeError);
    EXPECT_THROW(link.forward(wrong, wrong), ShapeError);
    EXPECT_THROW(pooler.forward(wrong), ShapeError);
  }
  expect_error(ErrorCode::kShape, "Linear: shape: expected [0 or more, 4], got [2, 5]", [&] {
    linear.forward(Tensor<float>({2, 5}));
  });
  expect_error(ErrorCode::kShape, "LayerNorm: shapes: expected [2, 4], got [1, 4]", [&] {
    norm.forward(good, Tensor<float>({1, 4}));
  });
  expect_error(ErrorCode::kShape, "LayerNorm: shapes: expected [2, 4], got [3, 4]", [&] {
    link.forward(good, Tensor<float>({3, 4}));
  });
  EXPECT_EQ(linear.forward(Tensor<float>({0, 4})).shape(), (Shape{0, 4}));
}

}  // namespace
}  // namespace bridgetower
