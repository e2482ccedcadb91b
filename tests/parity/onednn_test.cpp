// Whole models whose matrices oneDNN multiplies, against Hugging Face, within the goldens' float
// tolerance.
#include <bridgetower/pipeline/from_pretrained.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

using testing::Golden;

const std::filesystem::path kFolder = std::filesystem::path(testing::test_data()) / "golden";

template <template <class> class Model>
void compare(const std::string& model_name, const std::string& head) {
  SCOPED_TRACE(model_name + " " + head);
  const std::filesystem::path weights_file = kFolder / ("model-" + model_name + ".safetensors");
  const testing::GoldenWeights weights(weights_file);
  LoadOptions options;
  options.threads = 2;
  options.backend = Backend::kOneDnn;
  const auto model = load_model<Model, float>(Golden(weights_file).config(), weights, options);
  const Golden golden(kFolder / ("model-" + model_name + "-" + head + ".safetensors"));
  const auto output = model.forward(golden.forward_inputs<float>());
  testing::NamedOutputs<float>(output).expect_all_near(golden);
}

TEST(OneDnnParity, EveryHead) {
  for (const char* name : {"plain", "scaled-add-eps-tied", "n1"}) {
    compare<BridgeTowerModel>(name, "base");
    compare<BridgeTowerForImageAndTextRetrieval>(name, "itm");
    compare<BridgeTowerForMaskedLM>(name, "mlm");
    compare<BridgeTowerForContrastiveLearning>(name, "itc");
  }
}

}  // namespace
}  // namespace bridgetower
