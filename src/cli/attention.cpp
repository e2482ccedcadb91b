// attention: which patches of a picture each word of a sentence looks at, as a picture and numbers.
#include <bridgetower/pipeline/attention.hpp>

#include "cli/attention_sheet.hpp"
#include "cli/common.hpp"
#include "cli/write_image.hpp"
#include "core/file.hpp"
#include "search/path_json.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::string image;
  std::string text;
  std::string output;
  std::optional<std::string> json;  // empty: beside the output
  AttentionOptions attention;
};

Json numbers_of(const Tensor<float>& patches) {
  Json rows = Json::array();
  for (std::int64_t row = 0; row < patches.dim(0); ++row) {
    const float* const values = patches.data() + row * patches.dim(1);
    rows.push_back(std::vector<float>(values, values + patches.dim(1)));
  }
  return rows;
}

Json to_json(const WordAttention& word) {
  Json record{{"word", word.word}, {"tokens", word.tokens}, {"start", word.begin},
              {"end", word.end},   {"cls", word.cls},       {"patches", numbers_of(word.patches)}};
  if (word.candidates.empty()) return record;
  record["candidates"] = Json::array();
  for (const MaskCandidate& candidate : word.candidates) {
    record["candidates"].push_back({{"token_id", candidate.token_id},
                                    {"token", candidate.token},
                                    {"score", candidate.score},
                                    {"sequence", candidate.sequence}});
  }
  return record;
}

/// What the summary and the file of numbers have in common.
Json head_of(const Options& options, const AttentionMap& map) {
  Json record;
  detail::put_path(record, options.image);
  record["text"] = options.text;
  record["layer"] = map.layer;
  record["head"] = map.head ? Json(*map.head) : Json("mean");
  return record;
}

std::string numbers_file(const Options& options, const AttentionMap& map) {
  Json record = head_of(options, map);
  record["grid"] = map.words.front().patches.shape();
  record["words"] = Json::array();
  for (const WordAttention& word : map.words) record["words"].push_back(to_json(word));
  return record.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// The names of the files to write. Throws UsageError for names that cannot both be meant.
std::vector<std::string> output_files(const Options& options) {
  const std::filesystem::path png = options.output;
  if (png.extension() != ".png") {
    throw UsageError("--output " + options.output + ": expected a name that ends in .png");
  }
  std::vector<std::string> files{options.output};
  if (!options.json) return files;
  files.push_back(options.json->empty()
                      ? std::filesystem::path(png).replace_extension(".json").string()
                      : *options.json);
  if (files[0] == files[1]) throw UsageError("--json and --output name the same file");
  return files;
}

void check_range(const Options& options, const std::filesystem::path& model) {
  const BridgeTowerConfig config =
      BridgeTowerConfig::from_pretrained(model, options.model.load_options().revision);
  try {
    options.attention.check(config);
  } catch (const InputError& error) {
    throw UsageError(std::string("--") + error.what());
  }
}

std::string to_text(const Json& record) {
  std::string line;
  for (const Json& file : record["files"]) {
    line += (line.empty() ? "" : "\n") + file.get<std::string>();
  }
  return line;
}

Status attention(Options& options) {
  const std::vector<std::string> files = output_files(options);
  const std::filesystem::path model = options.model.directory();
  check_range(options, model);
  // Opened before the work: what cannot be written is noticed at once.
  detail::OutputFile sheet(files[0]);
  std::optional<detail::OutputFile> numbers;
  if (options.json) numbers.emplace(files[1]);

  const Image image = Image::load(options.image);
  const auto explainer = AttentionExplainer::from_pretrained(model, options.model.load_options());
  const AttentionMap map = explainer.explain(image, options.text, options.attention);
  const auto write = [](detail::OutputFile& file, const std::string& bytes) {
    file.write(bytes.data(), bytes.size());
  };
  write(sheet, png_bytes(attention_sheet(map, options.text)));
  if (numbers) write(*numbers, numbers_file(options, map));
  sheet.commit();
  if (numbers) numbers->commit();

  Json record = head_of(options, map);
  record["files"] = files;
  options.results.write(record, to_text);
  return options.results.finish();
}

}  // namespace

Command add_attention(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "attention", "Which parts of a picture does each word look at? (cross-attention)");
  command->footer(
      "Writes one panel a word. Each is scaled to its own peak; the numbers are in the --json "
      "file.\n"
      "Example:\n  bridgetower attention --model DIR --image cat.jpg "
      "--text \"a <mask> on a chair\" --output cat.png --json");
  const auto options = std::make_shared<Options>();
  command->add_option("--image", options->image, "PNG or JPEG file")->required();
  command->add_option("--text", options->text, "a sentence; <mask> in it is filled")->required();
  command->add_option("--output", options->output, "PNG file to write")->required();
  command
      ->add_option("--layer", options->attention.layer,
                   "cross-modal layer, from 0; negative counts from the last")
      ->capture_default_str();
  command->add_option("--head", options->attention.head,
                      "one attention head, from 0 (default: the mean of all)");
  command
      ->add_option("--json", options->json,
                   "write the numbers too: to this file, else beside the output")
      ->expected(0, 1);
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options] { return attention(*options); };
}

}  // namespace bridgetower::cli
