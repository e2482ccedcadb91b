// convert: a checkpoint as safetensors.
#include <algorithm>
#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/io/convert.hpp>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  std::string source;
  std::string revision = "main";
  std::string destination;
  std::string dtype;
  std::string max_shard_size = "5GB";
  Results results;
};

std::string to_text(const Json& record) {
  std::string text = record["tensors"].dump() + " tensors, " + record["bytes"].dump() + " bytes";
  for (const Json& file : record["files"]) text += "\n  " + file.get<std::string>();
  return text;
}

Status convert(Options& options) {
  ConvertOptions how;
  how.max_shard_bytes = parse_size("--max-shard-size", options.max_shard_size);
  if (!options.dtype.empty()) {
    how.dtype = options.dtype == "float32"   ? DType::kF32
                : options.dtype == "float16" ? DType::kF16
                : options.dtype == "int8"    ? DType::kI8
                                             : DType::kBF16;
  }
  const Converted converted =
      convert_checkpoint(find_model(options.source, options.revision), options.destination, how);
  const Json record{
      {"tensors", converted.tensors}, {"bytes", converted.bytes}, {"files", converted.files}};
  options.results.write(record, to_text);
  return options.results.finish();
}

}  // namespace

Command add_convert(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("convert", "pytorch_model.bin or safetensors to safetensors");
  command->footer(
      "Runs no pickle code. Copies the configuration and the tokenizer's files.\n"
      "Example:\n  bridgetower convert BridgeTower/bridgetower-base-itm-mlm DIR --dtype bfloat16");
  const auto options = std::make_shared<Options>();
  command
      ->add_option(
          "SRC", options->source,
          "model directory, ORG/NAME of a model in the local Hugging Face cache, or a file "
          "of weights")
      ->required();
  command->add_option("DST", options->destination, "directory to write")->required();
  command
      ->add_option("--dtype", options->dtype,
                   "of the weights (default: as stored); int8: matrices with a scale a row, for "
                   "this program")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16", "int8"}));
  command->add_option("--max-shard-size", options->max_shard_size, "of one file of weights")
      ->capture_default_str();
  command
      ->add_option("--revision", options->revision, "branch, tag or commit of a model in the cache")
      ->capture_default_str();
  options->results.add_to(*command);
  return [options] { return convert(*options); };
}

}  // namespace bridgetower::cli
