// run: tensors in, tensors out; the raw forward of one Hugging Face class.
#include "cli/common.hpp"
#include "cli/forward.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  ForwardRequest request;
  std::string inputs;
  std::string outputs;
  std::string scalar = "float";
};

template <class Scalar>
Status run_in(const Options& options) {
  const auto outputs = forward<Scalar>(options.request, SafetensorsFile(options.inputs),
                                       options.model.directory(), options.model.load_options());
  write_safetensors(options.outputs, outputs, {});
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
  command->add_option("--head", options->request.head, "base, itm, mlm or itc")
      ->required()
      ->check(CLI::IsMember({"base", "itm", "mlm", "itc"}));
  command->add_option("--inputs", options->inputs, "safetensors file of arguments")->required();
  command->add_option("--outputs", options->outputs, "safetensors file to write")->required();
  command->add_option("--scalar", options->scalar, "float to run, double to check")
      ->check(CLI::IsMember({"float", "double"}))
      ->capture_default_str();
  command->add_flag("--hidden-states", options->request.hidden_states, "write every hidden state");
  command->add_flag("--attentions", options->request.attentions,
                    "write the cross-modal self-attentions");
  options->model.add_model(*command);
  options->model.add_compute(*command);
  return [options] {
    return options->scalar == "double" ? run_in<double>(*options) : run_in<float>(*options);
  };
}

}  // namespace bridgetower::cli
