// Whole models with each head against Hugging Face: double up to the goldens' own rounding, float
// within their tolerance.
#include <bridgetower/pipeline/from_pretrained.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

using testing::Golden;
using testing::GoldenWeights;
using testing::NamedOutputs;

const std::filesystem::path kFolder = std::filesystem::path(testing::test_data()) / "golden";

/// The files of one head: model-<model>-<head>[-<variation>].safetensors.
std::vector<std::filesystem::path> cases(const std::string& model, const std::string& head) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().stem().string();
    const std::string start = "model-" + model + "-" + head;
    if (name == start || name.rfind(start + "-", 0) == 0) files.push_back(entry.path());
  }
  return files;
}

template <class Scalar>
class ModelParity : public ::testing::Test {
 protected:
  template <template <class> class Model>
  static std::size_t compare(const std::string& model_name, const std::string& head) {
    const std::filesystem::path weights_file = kFolder / ("model-" + model_name + ".safetensors");
    const GoldenWeights weights(weights_file);
    const auto model = load_model<Model, Scalar>(Golden(weights_file).config(), weights);
    const auto files = cases(model_name, head);
    for (const std::filesystem::path& file : files) {
      SCOPED_TRACE(file.filename());
      const Golden golden(file);
      const auto output = model.forward(golden.forward_inputs<Scalar>());
      NamedOutputs<Scalar>(output).expect_all_near(golden);
    }
    return files.size();
  }
};

using Scalars = ::testing::Types<double, float>;
TYPED_TEST_SUITE(ModelParity, Scalars);

const std::vector<std::string> kModels = {"plain", "scaled-add-eps-tied", "interpolate-unshared-k0",
                                          "n1", "odd"};

TYPED_TEST(ModelParity, Base) {
  std::size_t count = 0;
  for (const std::string& name : kModels) {
    count += this->template compare<BridgeTowerModel>(name, "base");
  }
  EXPECT_EQ(count, 8U);
}

TYPED_TEST(ModelParity, ImageAndTextRetrieval) {
  for (const std::string& name : kModels) {
    EXPECT_EQ(this->template compare<BridgeTowerForImageAndTextRetrieval>(name, "itm"), 1U);
  }
}

TYPED_TEST(ModelParity, MaskedLM) {
  for (const std::string& name : kModels) {
    EXPECT_EQ(this->template compare<BridgeTowerForMaskedLM>(name, "mlm"), 1U);
  }
}

TYPED_TEST(ModelParity, ContrastiveLearning) {
  for (const char* name : {"plain", "scaled-add-eps-tied", "n1"}) {
    EXPECT_EQ(this->template compare<BridgeTowerForContrastiveLearning>(name, "itc"), 1U);
  }
}

}  // namespace
}  // namespace bridgetower
