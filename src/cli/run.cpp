// run: tensors in, tensors out; the raw forward of one Hugging Face class.
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string head = "base";
  std::string inputs;
  std::string outputs;
  std::string scalar = "float";
  bool hidden_states = false;
  bool attentions = false;
};

/// A file of tensors named "inputs.<argument>".
class InputFile {
 public:
  explicit InputFile(const std::string& file) : file_(file) {}

  template <class Scalar>
  std::optional<Tensor<Scalar>> tensor(const std::string& argument) const {
    const std::string name = "inputs." + argument;
    if (!file_.find(name)) return std::nullopt;
    return file_.tensor<Scalar>(name);
  }

  /// A plain argument: a tensor of rank 0.
  std::int64_t integer(const std::string& argument, std::int64_t otherwise) const {
    const auto value = tensor<std::int64_t>(argument);
    if (!value) return otherwise;
    if (value->rank() != 0) {
      throw ShapeError(file_.place(), "inputs." + argument, "a tensor of rank 0",
                       to_string(value->shape()));
    }
    return *value->data();
  }

 private:
  SafetensorsFile file_;
};

template <class Scalar>
ForwardInputs<Scalar> read_inputs(const Options& options) {
  const InputFile file(options.inputs);
  ForwardInputs<Scalar> inputs;
  inputs.input_ids = file.tensor<std::int64_t>("input_ids");
  inputs.attention_mask = file.tensor<std::int64_t>("attention_mask");
  inputs.token_type_ids = file.tensor<std::int64_t>("token_type_ids");
  inputs.pixel_values = file.tensor<Scalar>("pixel_values");
  inputs.pixel_mask = file.tensor<std::int64_t>("pixel_mask");
  inputs.inputs_embeds = file.tensor<Scalar>("inputs_embeds");
  inputs.image_embeds = file.tensor<Scalar>("image_embeds");
  inputs.labels = file.tensor<std::int64_t>("labels");
  inputs.image_token_type_idx = file.integer("image_token_type_idx", 1);
  inputs.interpolate_pos_encoding = file.integer("interpolate_pos_encoding", 0) != 0;
  inputs.return_loss = file.integer("return_loss", 0) != 0;
  inputs.output_hidden_states = options.hidden_states;
  inputs.output_attentions = options.attentions;
  return inputs;
}

/// Outputs under Hugging Face's names; what HF nests is joined with dots.
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

  void save(const std::string& file) const { write_safetensors(file, tensors_, {}); }

 private:
  void add_all(const std::string& start, std::vector<Tensor<Scalar>>& tensors,
               const std::string& end) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      add(start + std::to_string(i) + end, std::move(tensors[i]));
    }
  }

  std::map<std::string, AnyTensor> tensors_;
};

template <class Scalar>
void run_head(const Options& options, const ForwardInputs<Scalar>& inputs, Outputs<Scalar>& out) {
  const std::filesystem::path directory = options.model.directory();
  const LoadOptions load = options.model.load_options();
  if (options.head == "base") {
    auto output = BridgeTowerModel<Scalar>::from_pretrained(directory, load).forward(inputs);
    out.add("text_features", std::move(output.text_features));
    out.add("image_features", std::move(output.image_features));
    out.add("pooler_output", std::move(output.pooler_output));
    out.add_common(output);
  } else if (options.head == "itc") {
    auto output =
        BridgeTowerForContrastiveLearning<Scalar>::from_pretrained(directory, load).forward(inputs);
    out.add("logits", std::move(output.logits));
    out.add("text_embeds", std::move(output.text_embeds));
    out.add("image_embeds", std::move(output.image_embeds));
    out.add("cross_embeds", std::move(output.cross_embeds));
    out.add_loss(output.loss);
    out.add_common(output);
  } else {
    auto output =
        options.head == "itm"
            ? BridgeTowerForImageAndTextRetrieval<Scalar>::from_pretrained(directory, load)
                  .forward(inputs)
            : BridgeTowerForMaskedLM<Scalar>::from_pretrained(directory, load).forward(inputs);
    out.add("logits", std::move(output.logits));
    out.add_loss(output.loss);
    out.add_common(output);
  }
}

template <class Scalar>
Status run_in(const Options& options) {
  Outputs<Scalar> outputs;
  run_head(options, read_inputs<Scalar>(options), outputs);
  outputs.save(options.outputs);
  return Status::kDone;
}

}  // namespace

Command add_run(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("run", "Tensors in, tensors out: the forward of one Hugging Face class");
  command->footer(
      "Reads the tensors inputs.<argument> of a safetensors file; a tensor of rank 0 is a plain\n"
      "argument (return_loss, interpolate_pos_encoding, image_token_type_idx).\n"
      "Example:\n  bridgetower run --model DIR --head itm --inputs in.safetensors --outputs "
      "out.safetensors");
  const auto options = std::make_shared<Options>();
  command->add_option("--head", options->head, "base, itm, mlm or itc")
      ->required()
      ->check(CLI::IsMember({"base", "itm", "mlm", "itc"}));
  command->add_option("--inputs", options->inputs, "safetensors file of arguments")->required();
  command->add_option("--outputs", options->outputs, "safetensors file to write")->required();
  command->add_option("--scalar", options->scalar, "float to run, double to check")
      ->check(CLI::IsMember({"float", "double"}))
      ->capture_default_str();
  command->add_flag("--hidden-states", options->hidden_states, "write every hidden state");
  command->add_flag("--attentions", options->attentions, "write the cross-modal self-attentions");
  options->model.add_model(*command);
  options->model.add_compute(*command);
  return [options] {
    return options->scalar == "double" ? run_in<double>(*options) : run_in<float>(*options);
  };
}

}  // namespace bridgetower::cli
