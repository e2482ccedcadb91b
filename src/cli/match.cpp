// match and similarity: every image with every text.
#include <bridgetower/ops/reduce.hpp>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <optional>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::vector<std::string> images;
  std::vector<std::string> texts;
  std::string text_file;

  void add_to(CLI::App& command) {
    command.add_option("--image", images, "PNG or JPEG files")->required();
    command.add_option("--text", texts, "sentences");
    command.add_option("--texts", text_file, "file of sentences, one a line; - for standard input");
    model.add_model(command);
    model.add_compute(command);
    results.add_to(command);
    results.add_progress_to(command);
  }

  std::vector<std::string> all_texts() const {
    std::vector<std::string> all = texts;
    if (!text_file.empty()) {
      const std::vector<std::string> lines = read_lines(text_file);
      all.insert(all.end(), lines.begin(), lines.end());
    }
    if (all.empty()) throw UsageError("no texts: give --text or --texts");
    return all;
  }
};

std::string to_text(const Json& record) {
  return fixed(record["score"].get<double>()) + "  " + record["image"].get<std::string>() + "  " +
         record["text"].get<std::string>();
}

/// A state or vector, or why there is none.
template <class Value>
struct Encoded {
  std::optional<Value> value;
  std::optional<Error> error;
};

template <class Encode>
auto try_encode(const Encode& encode) {
  Encoded<decltype(encode())> result;
  try {
    result.value = encode();
  } catch (const Error& error) {
    result.error = error;
  }
  return result;
}

/// Encodes each text once and each image once; `score` adds the numbers of a pair to its record.
template <class EncodeImage, class EncodeText, class Score>
Status score_pairs(Options& options, const EncodeImage& encode_image, const EncodeText& encode_text,
                   const Score& score) {
  const std::vector<std::string> texts = options.all_texts();
  std::vector<Encoded<decltype(encode_text(texts.front()))>> encoded;
  for (const std::string& text : texts) {
    encoded.push_back(try_encode([&] { return encode_text(text); }));
  }
  options.results.start_progress(options.images.size() * texts.size(), "pairs");
  for (const std::string& file : options.images) {
    const auto image = try_encode([&] { return encode_image(Image::load(file)); });
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Json record{{"image", file}, {"text", texts[i]}};
      if (image.error || encoded[i].error) {
        options.results.fail(std::move(record), image.error ? *image.error : *encoded[i].error);
      } else {
        score(*image.value, *encoded[i].value, record);
        options.results.write(record, to_text);
      }
      options.results.advance();
    }
  }
  return options.results.finish();
}

Status match(Options& options) {
  const auto matcher =
      ImageTextMatcher::from_pretrained(options.model.directory(), options.model.load_options());
  return score_pairs(
      options, [&](const Image& image) { return matcher.encode(image); },
      [&](const std::string& text) { return matcher.encode(text); },
      [&](const ImageState<float>& image, const TextState<float>& text, Json& record) {
        const Tensor<float> logits = matcher.logits(image, text);
        record["score"] = match_probability(logits);
        record["logits"] = {logits(0), logits(1)};
      });
}

Status similarity(Options& options) {
  const auto embedder =
      Embedder::from_pretrained(options.model.directory(), options.model.load_options());
  return score_pairs(
      options, [&](const Image& image) { return embedder.embed(image); },
      [&](const std::string& text) { return embedder.embed(text); },
      [](const Tensor<float>& image, const Tensor<float>& text, Json& record) {
        record["score"] = dot(image, text);
      });
}

Command add(CLI::App& app, const char* name, const char* description, const char* example,
            Status (*function)(Options&)) {
  CLI::App* const command = app.add_subcommand(name, description);
  command->footer(std::string("Example:\n  bridgetower ") + example);
  const auto options = std::make_shared<Options>();
  options->add_to(*command);
  return [options, function] { return function(*options); };
}

}  // namespace

Command add_match(CLI::App& app) {
  return add(app, "match", "How well does each sentence describe each picture? (matching head)",
             "match --model DIR --image cat.jpg --text \"a cat\" --text \"a dog\"", match);
}

Command add_similarity(CLI::App& app) {
  return add(app, "similarity", "Cosine of picture and sentence vectors (contrastive head)",
             "similarity --model DIR --image cat.jpg --text \"a cat\"", similarity);
}

}  // namespace bridgetower::cli
