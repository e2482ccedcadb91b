#include "search/search_model.hpp"

#include <algorithm>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/inputs.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <bridgetower/pipeline/state_file.hpp>

#include "core/file.hpp"
#include "core/sha256.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::size_t kStatesAtOnce = 8;  // share the reading of the weights

/// The picture whose vector was made. Throws InputError where the file holds another now.
Image load_unchanged(const ImageRecord& record) {
  const std::string bytes = read_file(record.path, ImageLimits().max_bytes);
  if (sha256(bytes.data(), bytes.size()) != record.sha256) {
    throw InputError(record.path, "file", "the one that was indexed", "another");
  }
  return Image::decode(bytes, record.path);
}

}  // namespace

std::unique_ptr<const SearchModel> SearchModel::from_pretrained(const std::filesystem::path& model,
                                                                const LoadOptions& options) {
  return std::unique_ptr<const SearchModel>(new SearchModel(
      BridgeTowerProcessor::from_pretrained(model, options.revision, options.limits),
      load_pretrained<BothHeads, float>(model, options)));
}

Tensor<float> SearchModel::embed(const Image& image) const {
  const auto inputs = image_inputs(heads_.towers(), processor_, image);
  return heads_.image_head().forward(heads_.towers().encode_image_cls(inputs, 0)).row(0);
}

Tensor<float> SearchModel::embed(std::string_view text) const {
  const auto inputs = text_inputs(processor_, {std::string(text)});
  return heads_.text_head().forward(heads_.towers().encode_text_cls(inputs, {0})).row(0);
}

ImageState<float> SearchModel::encode(const ImageRecord& record) const {
  return encode_image(heads_.towers(), processor_, load_unchanged(record));
}

ImageState<float> SearchModel::unpack(const std::string& state) const {
  return unpack_image_state(state, heads_.towers());
}

void SearchModel::match(std::string_view text,
                        const std::function<ImageState<float>(std::size_t result)>& state_of,
                        std::vector<SearchResult>& results) const {
  const TextState<float> text_state = encode_text(heads_.towers(), processor_, text);
  for (std::size_t first = 0; first < results.size(); first += kStatesAtOnce) {
    const std::size_t last = std::min(results.size(), first + kStatesAtOnce);
    std::vector<ImageState<float>> states;
    std::vector<SearchResult*> loaded;
    for (std::size_t i = first; i < last; ++i) {
      try {
        states.push_back(state_of(i));
        loaded.push_back(&results[i]);
      } catch (const CancelledError&) {
        throw;  // of the whole search
      } catch (const Error& error) {
        results[i].error = error;
      }
    }
    std::vector<StatePair<float>> pairs;
    for (const ImageState<float>& state : states) pairs.push_back({&state, &text_state});
    const Tensor<float> logits = heads_.matching().scores(pairs);
    for (std::size_t i = 0; i < loaded.size(); ++i) {
      const auto pair = static_cast<std::int64_t>(i);
      loaded[i]->match = match_probability(logits(pair, 0), logits(pair, 1));
      loaded[i]->score = *loaded[i]->match;
    }
  }
}

std::int64_t candidates_wanted(const SearchOptions& options) {
  if (options.top_k < 1) {
    throw InputError("search", "top_k", "at least 1", std::to_string(options.top_k));
  }
  if (options.rerank < 0) {
    throw InputError("search", "rerank", "at least 0", std::to_string(options.rerank));
  }
  return options.rerank == 0 ? options.top_k : std::max(options.top_k, options.rerank);
}

}  // namespace bridgetower::detail
