#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/config/config_json.hpp>
#include <bridgetower/core/weights.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/model/forward_inputs.hpp>
#include <bridgetower/model/model_output.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace bridgetower::testing {

/// What Hugging Face computed: `weights.*`, `inputs.*` and `outputs.*` of one file, see
/// tools/make_goldens.py.
class Golden {
 public:
  explicit Golden(const std::filesystem::path& file) : file_(file) {}

  const SafetensorsFile& file() const { return file_; }
  std::string fact(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? std::string() : found->second;
  }
  BridgeTowerConfig config() const { return config_from_json(fact("config"), file_.place()); }

  bool has_input(const std::string& name) const { return file_.find("inputs." + name).has_value(); }
  template <class Scalar>
  Tensor<Scalar> input(const std::string& name) const {
    return file_.tensor<Scalar>("inputs." + name);
  }
  template <class Scalar>
  std::optional<Tensor<Scalar>> optional_input(const std::string& name) const {
    return has_input(name) ? std::optional(input<Scalar>(name)) : std::nullopt;
  }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const {
    return has_input(name) ? *input<std::int64_t>(name).data() : otherwise;
  }

  std::vector<std::string> outputs() const {
    std::vector<std::string> names;
    for (const std::string& name : file_.names()) {
      if (name.rfind("outputs.", 0) == 0) names.push_back(name.substr(8));
    }
    return names;
  }
  Tensor<double> output(const std::string& name) const {
    return file_.tensor<double>("outputs." + name);
  }

  /// The arguments of a model's forward.
  template <class Scalar>
  ForwardInputs<Scalar> forward_inputs() const {
    ForwardInputs<Scalar> inputs;
    inputs.input_ids = optional_input<std::int64_t>("input_ids");
    inputs.attention_mask = optional_input<std::int64_t>("attention_mask");
    inputs.token_type_ids = optional_input<std::int64_t>("token_type_ids");
    inputs.pixel_values = optional_input<Scalar>("pixel_values");
    inputs.pixel_mask = optional_input<std::int64_t>("pixel_mask");
    inputs.inputs_embeds = optional_input<Scalar>("inputs_embeds");
    inputs.image_embeds = optional_input<Scalar>("image_embeds");
    inputs.labels = optional_input<std::int64_t>("labels");
    inputs.image_token_type_idx = integer("image_token_type_idx", 1);
    inputs.interpolate_pos_encoding = integer("interpolate_pos_encoding", 0) != 0;
    inputs.return_loss = integer("return_loss", 0) != 0;
    const std::vector<std::string> names = outputs();
    const auto any = [&names](const std::string& start) {
      return std::any_of(names.begin(), names.end(),
                         [&start](const std::string& name) { return name.rfind(start, 0) == 0; });
    };
    inputs.output_hidden_states = any("hidden_states.");
    inputs.output_attentions = any("attentions.");
    return inputs;
  }

 private:
  SafetensorsFile file_;
};

/// The `weights.*` of a golden as a checkpoint of their own.
class GoldenWeights : public WeightSource {
 public:
  explicit GoldenWeights(const std::filesystem::path& file) : file_(file) {}

  std::string place() const override { return file_.place(); }
  std::vector<std::string> names() const override {
    std::vector<std::string> own;
    for (const std::string& name : file_.names()) {
      if (name.rfind(kStart, 0) == 0) own.push_back(name.substr(kStart.size()));
    }
    return own;
  }
  std::optional<Info> find(const std::string& name) const override {
    return file_.find(kStart + name);
  }
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            float* out) const override {
    file_.read(kStart + name, first, count, out);
  }
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            double* out) const override {
    file_.read(kStart + name, first, count, out);
  }

 private:
  const std::string kStart = "weights.";
  SafetensorsFile file_;
};

/// float: |difference| <= atol + rtol |expected|, the golden's own. double: the golden's rounding
/// to float32, 1e-7 of the tensor's largest value; losses, which are stored as doubles, 1e-9.
template <class Scalar>
void expect_near(const std::string& name, const Tensor<Scalar>& actual,
                 const Tensor<double>& expected, double atol, double rtol) {
  SCOPED_TRACE(name);
  ASSERT_EQ(actual.shape(), expected.shape());
  if constexpr (std::is_same_v<Scalar, double>) {
    double largest = 0;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    atol = name == "loss" ? 1e-9 * std::max(1.0, largest) : 1e-7 * largest;
    rtol = 0;
  }
  std::size_t wrong = 0;
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double want = expected.data()[i];
    const auto got = static_cast<double>(actual.data()[i]);
    if (std::isnan(want) && std::isnan(got)) continue;
    const double difference = std::abs(got - want);
    if (difference <= atol + rtol * std::abs(want)) continue;  // false for NaN
    ++wrong;
    worst = std::max(worst, difference);
  }
  EXPECT_EQ(wrong, 0U) << "of " << expected.size() << " values, off by up to " << worst;
}

template <class Scalar>
void expect_near(const Golden& golden, const std::string& name, const Tensor<Scalar>& actual) {
  expect_near(name, actual, golden.output(name), std::stod(golden.fact("atol")),
              std::stod(golden.fact("rtol")));
}

/// Outputs by the goldens' names: what Hugging Face nests is joined with dots.
template <class Scalar>
class NamedOutputs {
 public:
  explicit NamedOutputs(const BridgeTowerModelOutput<Scalar>& output) {
    all_ = {{"text_features", output.text_features},
            {"image_features", output.image_features},
            {"pooler_output", output.pooler_output}};
    add_states(output);
  }
  explicit NamedOutputs(const BridgeTowerLogitsOutput<Scalar>& output) {
    all_ = {{"logits", output.logits}};
    add_loss(output.loss);
    add_states(output);
  }
  explicit NamedOutputs(const BridgeTowerContrastiveOutput<Scalar>& output) {
    all_ = {{"logits", output.logits},
            {"text_embeds", output.text_embeds},
            {"image_embeds", output.image_embeds},
            {"cross_embeds", output.cross_embeds}};
    add_loss(output.loss);
    add_states(output);
  }

  /// Every output that the golden holds must be there and near.
  void expect_all_near(const Golden& golden) const {
    for (const std::string& name : golden.outputs()) expect_one_near(golden, name);
  }
  void expect_one_near(const Golden& golden, const std::string& name) const {
    const auto found = all_.find(name);
    if (found == all_.end()) {
      ADD_FAILURE() << name << " is missing";
    } else {
      expect_near(golden, name, found->second);
    }
  }

  const Tensor<Scalar>& operator[](const std::string& name) const { return all_.at(name); }

 private:
  void add_loss(const std::optional<Scalar>& loss) {
    if (loss) all_.emplace("loss", Tensor<Scalar>(Shape{}, {*loss}));
  }
  void add_states(const CommonOutput<Scalar>& output) {
    if (output.hidden_states) {
      add_list("hidden_states.text.", output.hidden_states->text, "");
      add_list("hidden_states.image.", output.hidden_states->image, "");
      add_list("hidden_states.cross.", output.hidden_states->cross_text, ".text");
      add_list("hidden_states.cross.", output.hidden_states->cross_image, ".image");
    }
    if (output.attentions) {
      add_list("attentions.", output.attentions->text, ".text");
      add_list("attentions.", output.attentions->image, ".image");
    }
  }
  void add_list(const std::string& start, const std::vector<Tensor<Scalar>>& list,
                const std::string& end) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      all_.emplace(start + std::to_string(i) + end, list[i]);
    }
  }

  std::map<std::string, Tensor<Scalar>> all_;
};

}  // namespace bridgetower::testing
