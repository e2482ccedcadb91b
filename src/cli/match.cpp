// match and similarity: every image with every text.
#include <algorithm>
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

/// Encodes each text once and each image once; score(image, texts, records) adds the numbers of an
/// image and some texts to the records of these pairs.
template <class EncodeImage, class EncodeText, class Score>
Status score_pairs(Options& options, const EncodeImage& encode_image, const EncodeText& encode_text,
                   const Score& score) {
  constexpr std::size_t kTextsAtOnce = 8;
  const std::vector<std::string> texts = options.all_texts();
  using Text = decltype(encode_text(texts.front()));
  std::vector<Encoded<Text>> encoded;
  for (const std::string& text : texts) {
    encoded.push_back(try_encode([&] { return encode_text(text); }));
  }
  options.results.start_progress(options.images.size() * texts.size(), "pairs");
  for (const std::string& file : options.images) {
    const auto image = try_encode([&] { return encode_image(Image::load(file)); });
    for (std::size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
      const std::size_t last = std::min(texts.size(), first + kTextsAtOnce);
      std::vector<const Text*> good;
      std::vector<Json> records;
      for (std::size_t i = first; i < last && image.value; ++i) {
        if (!encoded[i].value) continue;
        good.push_back(&*encoded[i].value);
        records.push_back({{"image", file}, {"text", texts[i]}});
      }
      if (!good.empty()) score(*image.value, good, records);
      auto scored = records.begin();
      for (std::size_t i = first; i < last; ++i) {
        if (image.value && encoded[i].value) {
          options.results.write(*scored++, to_text);
        } else {
          options.results.fail({{"image", file}, {"text", texts[i]}},
                               image.error ? *image.error : *encoded[i].error);
        }
        options.results.advance();
      }
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
      [&](const ImageState<float>& image, const std::vector<const TextState<float>*>& texts,
          std::vector<Json>& records) {
        std::vector<StatePair<float>> pairs;
        for (const TextState<float>* text : texts) pairs.push_back({&image, text});
        const Tensor<float> logits = matcher.logits(pairs);
        for (std::size_t i = 0; i < records.size(); ++i) {
          records[i]["score"] = match_probability(logits(i, 0), logits(i, 1));
          records[i]["logits"] = {logits(i, 0), logits(i, 1)};
        }
      });
}

Status similarity(Options& options) {
  const auto embedder =
      Embedder::from_pretrained(options.model.directory(), options.model.load_options());
  return score_pairs(
      options, [&](const Image& image) { return embedder.embed(image); },
      [&](const std::string& text) { return embedder.embed(text); },
      [](const Tensor<float>& image, const std::vector<const Tensor<float>*>& texts,
         std::vector<Json>& records) {
        for (std::size_t i = 0; i < records.size(); ++i) {
          records[i]["score"] = dot(image, *texts[i]);
        }
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
