// preprocess: the image processor alone.
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/preprocessing/image/image_processor.hpp>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::vector<std::string> images;
  std::vector<std::string> settings;
  std::string output;
};

ImageProcessorConfig config_of(const Options& options) {
  ImageProcessorConfig config;
  if (options.model.is_chosen()) {
    config = ImageProcessorConfig::from_pretrained(options.model.directory());
  }
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) throw UsageError("--set " + setting + ": expected KEY=JSON");
    config.set(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return config;
}

Status preprocess(Options& options) {
  const BridgeTowerImageProcessor processor(config_of(options));
  std::vector<Image> images;
  for (const std::string& file : options.images) images.push_back(Image::load(file));
  ImageFeatures features = processor(images);
  std::map<std::string, AnyTensor> tensors;
  const bool bytes = !features.pixel_bytes.empty();
  const Shape shape = bytes ? features.pixel_bytes.shape() : features.pixel_values.shape();
  if (bytes) {
    tensors.emplace("pixel_values", std::move(features.pixel_bytes));
  } else {
    tensors.emplace("pixel_values", std::move(features.pixel_values));
  }
  if (!features.pixel_mask.empty()) tensors.emplace("pixel_mask", std::move(features.pixel_mask));
  write_safetensors(options.output, tensors, {});
  options.results.write({{"output", options.output}, {"images", images.size()}, {"shape", shape}},
                        [](const Json& record) {
                          return record["output"].get<std::string>() + ": pixel_values " +
                                 record["shape"].dump();
                        });
  return options.results.finish();
}

}  // namespace

Command add_preprocess(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("preprocess", "Pictures to pixel tensors");
  command->footer(
      "Without a model, Hugging Face's default settings.\n"
      "Example:\n  bridgetower preprocess --image cat.jpg --output cat.safetensors --set size=384");
  const auto options = std::make_shared<Options>();
  command->add_option("--image", options->images, "PNG or JPEG files, one batch")->required();
  command->add_option("--output", options->output, "safetensors file to write")->required();
  command
      ->add_option("--set", options->settings,
                   "KEY=JSON, a key of preprocessor_config.json that replaces the model's")
      ->allow_extra_args(false);
  options->model.add_model(*command);
  options->results.add_to(*command);
  return [options] { return preprocess(*options); };
}

}  // namespace bridgetower::cli
