#include "cli/forward.hpp"

#include <bridgetower/pipeline/from_pretrained.hpp>

namespace bridgetower::cli {
namespace {

template <class Scalar>
std::optional<Tensor<Scalar>> argument(const SafetensorsFile& file, const std::string& name) {
  const std::string full = "inputs." + name;
  if (!file.find(full)) return std::nullopt;
  return file.tensor<Scalar>(full);
}

/// A plain argument: a tensor of rank 0.
std::int64_t integer(const SafetensorsFile& file, const std::string& name, std::int64_t otherwise) {
  const auto value = argument<std::int64_t>(file, name);
  if (!value) return otherwise;
  if (value->rank() != 0) {
    throw ShapeError(file.place(), "inputs." + name, "a tensor of rank 0",
                     to_string(value->shape()));
  }
  return *value->data();
}

template <class Scalar>
ForwardInputs<Scalar> read_inputs(const ForwardRequest& request, const SafetensorsFile& file) {
  ForwardInputs<Scalar> inputs;
  inputs.input_ids = argument<std::int64_t>(file, "input_ids");
  inputs.attention_mask = argument<std::int64_t>(file, "attention_mask");
  inputs.token_type_ids = argument<std::int64_t>(file, "token_type_ids");
  inputs.pixel_values = argument<Scalar>(file, "pixel_values");
  inputs.pixel_mask = argument<std::int64_t>(file, "pixel_mask");
  inputs.inputs_embeds = argument<Scalar>(file, "inputs_embeds");
  inputs.image_embeds = argument<Scalar>(file, "image_embeds");
  inputs.labels = argument<std::int64_t>(file, "labels");
  inputs.image_token_type_idx = integer(file, "image_token_type_idx", 1);
  inputs.interpolate_pos_encoding = integer(file, "interpolate_pos_encoding", 0) != 0;
  inputs.return_loss = integer(file, "return_loss", 0) != 0;
  inputs.output_hidden_states = request.hidden_states;
  inputs.output_attentions = request.attentions;
  return inputs;
}

template <class Scalar>
class Outputs {
 public:
  void add(const std::string& name, Tensor<Scalar> tensor) {
    tensors_.emplace(name, std::move(tensor));
  }

  void add_loss(const std::optional<Scalar>& loss) {
    if (loss) add("loss", Tensor<Scalar>(Shape{}, {*loss}));
  }

  void add_common(CommonOutput<Scalar>& output) {
    if (output.hidden_states) {
      HiddenStates<Scalar>& states = *output.hidden_states;
      add_all("hidden_states.text.", states.text, "");
      add_all("hidden_states.image.", states.image, "");
      add_all("hidden_states.cross.", states.cross_text, ".text");
      add_all("hidden_states.cross.", states.cross_image, ".image");
    }
    if (output.attentions) {
      add_all("attentions.", output.attentions->text, ".text");
      add_all("attentions.", output.attentions->image, ".image");
    }
  }

  std::map<std::string, AnyTensor> take() { return std::move(tensors_); }

 private:
  void add_all(const std::string& start, std::vector<Tensor<Scalar>>& tensors,
               const std::string& end) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      add(start + std::to_string(i) + end, std::move(tensors[i]));
    }
  }

  std::map<std::string, AnyTensor> tensors_;
};

}  // namespace

template <class Scalar>
std::map<std::string, AnyTensor> forward(const ForwardRequest& request, const SafetensorsFile& file,
                                         const std::filesystem::path& model,
                                         const LoadOptions& options) {
  const ForwardInputs<Scalar> inputs = read_inputs<Scalar>(request, file);
  Outputs<Scalar> out;
  if (request.head == "base") {
    auto output = BridgeTowerModel<Scalar>::from_pretrained(model, options).forward(inputs);
    out.add("text_features", std::move(output.text_features));
    out.add("image_features", std::move(output.image_features));
    out.add("pooler_output", std::move(output.pooler_output));
    out.add_common(output);
  } else if (request.head == "itc") {
    auto output =
        BridgeTowerForContrastiveLearning<Scalar>::from_pretrained(model, options).forward(inputs);
    out.add("logits", std::move(output.logits));
    out.add("text_embeds", std::move(output.text_embeds));
    out.add("image_embeds", std::move(output.image_embeds));
    out.add("cross_embeds", std::move(output.cross_embeds));
    out.add_loss(output.loss);
    out.add_common(output);
  } else {
    auto output =
        request.head == "itm"
            ? BridgeTowerForImageAndTextRetrieval<Scalar>::from_pretrained(model, options)
                  .forward(inputs)
            : BridgeTowerForMaskedLM<Scalar>::from_pretrained(model, options).forward(inputs);
    out.add("logits", std::move(output.logits));
    out.add_loss(output.loss);
    out.add_common(output);
  }
  return out.take();
}

template std::map<std::string, AnyTensor> forward<float>(const ForwardRequest&,
                                                         const SafetensorsFile&,
                                                         const std::filesystem::path&,
                                                         const LoadOptions&);
template std::map<std::string, AnyTensor> forward<double>(const ForwardRequest&,
                                                          const SafetensorsFile&,
                                                          const std::filesystem::path&,
                                                          const LoadOptions&);

}  // namespace bridgetower::cli
