#include <bridgetower/pipeline/fill_mask.hpp>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::string image;
  std::string text;
  std::int64_t top_k = 5;
};

Json to_json(const std::vector<FilledMask>& masks) {
  Json all = Json::array();
  for (const FilledMask& mask : masks) {
    Json candidates = Json::array();
    for (const MaskCandidate& candidate : mask.candidates) {
      candidates.push_back({{"token_id", candidate.token_id},
                            {"token", candidate.token},
                            {"score", candidate.score},
                            {"sequence", candidate.sequence}});
    }
    all.push_back({{"position", mask.position}, {"candidates", std::move(candidates)}});
  }
  return all;
}

std::string to_text(const Json& record) {
  std::string text = record["text"].get<std::string>();
  for (const Json& mask : record["masks"]) {
    text += "\n  mask at token " + std::to_string(mask["position"].get<std::int64_t>());
    for (const Json& candidate : mask["candidates"]) {
      text += "\n    " + fixed(candidate["score"].get<double>()) + "  " +
              candidate["sequence"].get<std::string>();
    }
  }
  return text;
}

Status fill_mask(Options& options) {
  const auto filler =
      MaskFiller::from_pretrained(options.model.directory(), options.model.load_options());
  Json record{{"image", options.image}, {"text", options.text}};
  record["masks"] = to_json(filler.fill(Image::load(options.image), options.text, options.top_k));
  options.results.write(record, to_text);
  return options.results.finish();
}

}  // namespace

Command add_fill_mask(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("fill-mask", "Which word is masked? (masked-language-model head)");
  command->footer(
      "Example:\n  bridgetower fill-mask --model DIR --image cat.jpg "
      "--text \"a <mask> looking out of the window\"");
  const auto options = std::make_shared<Options>();
  command->add_option("--image", options->image, "PNG or JPEG file")->required();
  command->add_option("--text", options->text, "a sentence with <mask> in it")->required();
  command->add_option("--top-k", options->top_k, "words to propose for each mask")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options] { return fill_mask(*options); };
}

}  // namespace bridgetower::cli
