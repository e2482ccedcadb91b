// embed: contrastive vectors of pictures, texts and pairs into a file.
#include <bridgetower/pipeline/embed.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "cli/common.hpp"
#include "cli/vector_file.hpp"
#include "search/path_json.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::vector<std::string> images;
  std::string texts;
  std::string pairs;
  std::string output;
};

/// What one row of the output is made from.
struct Source {
  std::string image;
  std::string text;
  bool has_image = false;
  bool has_text = false;
  std::optional<Error> error = {};  ///< of a line that names no pair; `text` is the line then

  Json to_json() const {
    if (error) return {{"pair", text}};
    Json record;
    if (has_image) detail::put_path(record, image);
    if (has_text) record["text"] = text;
    return record;
  }
};

/// A line with a picture, a text or both.
Source pair_from(const std::string& line, const std::string& place) {
  const Json record = json_line(line, place);
  const auto wrong = [&record](const char* key) {
    return record.contains(key) && !record[key].is_string();
  };
  Source source{};
  source.has_image = record.contains("image") || record.contains("image_hex");
  source.has_text = record.contains("text");
  if (wrong("image") || wrong("text") || (!source.has_image && !source.has_text)) {
    throw FormatError(place, "a line of pairs", "{\"image\": \"…\", \"text\": \"…\"}",
                      line.substr(0, 80));
  }
  if (source.has_image) source.image = detail::path_from(record, place);
  if (source.has_text) source.text = record["text"].get<std::string>();
  return source;
}

Source try_pair_from(const std::string& line, const std::string& place) {
  try {
    return pair_from(line, place);
  } catch (const Error& error) {
    return {"", line, false, false, error};
  }
}

std::vector<Source> sources(const Options& options) {
  std::vector<Source> all;
  for (const std::string& file : image_files(options.images))
    all.push_back({file, "", true, false});
  if (!options.texts.empty()) {
    for (const std::string& line : read_lines(options.texts))
      all.push_back({"", line, false, true});
  }
  if (!options.pairs.empty()) {
    for (const std::string& line : read_lines(options.pairs))
      all.push_back(try_pair_from(line, options.pairs));
  }
  return all;
}

Tensor<float> embed_one(const Embedder& embedder, const Source& source) {
  if (source.error) throw Error(*source.error);
  if (!source.has_image) return embedder.embed(source.text);
  const Image image = Image::load(source.image);
  return source.has_text ? embedder.embed(image, source.text) : embedder.embed(image);
}

/// How many texts without a picture begin at `first`, at most as many as are worth doing at once.
std::size_t texts_from(const std::vector<Source>& all, std::size_t first) {
  constexpr std::size_t kTextsAtOnce = 32;
  std::size_t count = 0;
  while (first + count < all.size() && count < kTextsAtOnce && all[first + count].has_text &&
         !all[first + count].has_image) {
    ++count;
  }
  return count;
}

/// [count, E]; empty where one of the texts is bad.
Tensor<float> embed_texts(const Embedder& embedder, const std::vector<Source>& all,
                          std::size_t first, std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(all[first + i].text);
  try {
    return embedder.embed(texts);
  } catch (const Error&) {
    return {};
  }
}

Status embed(Options& options) {
  if (options.images.empty() && options.texts.empty() && options.pairs.empty()) {
    throw UsageError("nothing to embed: give --images, --texts or --pairs");
  }
  const VectorFormat format = vector_format(options.output);
  if (options.output == "-") options.results.use_stderr();
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Source> all = sources(options);
  const auto embedder =
      Embedder::from_pretrained(options.model.directory(), options.model.load_options());
  const std::int64_t size = embedder.size();
  const auto count = static_cast<std::int64_t>(all.size());
  VectorRows rows{Tensor<float>::uninitialized({count, size}), {}};
  for (const Source& source : all) rows.sources.push_back(source.to_json());
  std::int64_t failed = 0;
  options.results.start_progress(all.size(), "vectors");
  const auto embed_alone = [&](std::size_t i, float* row) {
    try {
      const Tensor<float> vector = embed_one(embedder, all[i]);
      std::copy(vector.begin(), vector.end(), row);
    } catch (const Error& error) {
      // The row stays, so that row i is input i; it holds no vector.
      std::fill_n(row, size, std::numeric_limits<float>::quiet_NaN());
      options.results.fail(all[i].to_json(), error);
      rows.sources[i]["error"] = error_record(error);
      ++failed;
    }
  };
  for (std::size_t i = 0; i < all.size();) {
    float* const row = rows.vectors.data() + static_cast<std::int64_t>(i) * size;
    const std::size_t texts = texts_from(all, i);
    const Tensor<float> together =
        texts > 1 ? embed_texts(embedder, all, i, texts) : Tensor<float>();
    if (together.empty()) {
      embed_alone(i, row);
    } else {
      std::copy(together.begin(), together.end(), row);
    }
    const std::size_t done = together.empty() ? 1 : texts;
    for (std::size_t k = 0; k < done; ++k) options.results.advance();
    i += done;
  }
  write_vectors(options.output, format, rows);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  options.results.write({{"output", options.output},
                         {"rows", count},
                         {"size", size},
                         {"failed", failed},
                         {"seconds", seconds.count()}},
                        [](const Json& record) {
                          return std::to_string(record["rows"].get<std::int64_t>()) +
                                 " vectors of " +
                                 std::to_string(record["size"].get<std::int64_t>()) +
                                 " numbers in " + record["output"].get<std::string>();
                        });
  return options.results.finish();
}

}  // namespace

Command add_embed(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("embed", "Vectors of pictures, texts and pairs (contrastive head)");
  command->footer(
      "Rows follow the inputs: pictures, then texts, then pairs; an input that failed has a row "
      "of\n"
      "NaN.\nExample:\n  bridgetower embed --model DIR --images photos --output photos.npy");
  const auto options = std::make_shared<Options>();
  command->add_option("--images", options->images, "PNG or JPEG files, or directories of them");
  command->add_option("--texts", options->texts, "file of texts, one a line; - for standard input");
  command->add_option(
      "--pairs", options->pairs,
      "file of lines {\"image\": …, \"text\": …}, or with one of both; - for standard input");
  command
      ->add_option(
          "--output", options->output,
          "FILE.npy, FILE.safetensors or FILE.jsonl; - for JSON lines on stdout, where the\n"
          "records of this command go to stderr")
      ->required();
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  options->results.add_progress_to(*command);
  return [options] { return embed(*options); };
}

}  // namespace bridgetower::cli
