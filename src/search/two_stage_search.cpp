#include <fnmatch.h>

#include <algorithm>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/inputs.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <utility>

#include "core/file.hpp"
#include "core/sha256.hpp"

namespace bridgetower {
namespace {

constexpr std::size_t kPairsAtOnce = 8;  // share the reading of the weights

/// Both heads on the same towers. The heads' vectors have the bits of Embedder's.
template <class Scalar>
class BothHeads {
 public:
  BothHeads(const BridgeTowerConfig& config, const WeightView<Scalar>& weights,
            const std::shared_ptr<ThreadPool>& threads)
      : matching_(config, weights, threads),
        text_head_(weights / "itc_text_head", vector_size(config), config.hidden_size),
        image_head_(weights / "itc_image_head", vector_size(config), config.hidden_size) {}

  const BridgeTowerForImageAndTextRetrieval<Scalar>& matching() const { return matching_; }
  const BridgeTowerModel<Scalar>& towers() const { return matching_.model(); }
  const BridgeTowerContrastiveHead<Scalar>& text_head() const { return text_head_; }
  const BridgeTowerContrastiveHead<Scalar>& image_head() const { return image_head_; }

 private:
  static std::int64_t vector_size(const BridgeTowerConfig& config) {
    if (config.contrastive_hidden_size) return *config.contrastive_hidden_size;
    throw ConfigError("config", "contrastive_hidden_size is missing: this is no contrastive model");
  }

  BridgeTowerForImageAndTextRetrieval<Scalar> matching_;
  BridgeTowerContrastiveHead<Scalar> text_head_;
  BridgeTowerContrastiveHead<Scalar> image_head_;
};

void check(const SearchOptions& options) {
  if (options.top_k < 1) {
    throw InputError("search", "top_k", "at least 1", std::to_string(options.top_k));
  }
  if (options.rerank < 0) {
    throw InputError("search", "rerank", "at least 0", std::to_string(options.rerank));
  }
}

std::vector<Neighbour> candidates(const EmbeddingIndex& index, const Tensor<float>& query,
                                  const SearchOptions& options, std::int64_t count) {
  check(options);
  NearestOptions nearest;
  nearest.top_k = count;
  nearest.approximate = options.approximate;
  if (!options.filter.empty()) {
    nearest.filter = [&](std::int64_t row) {
      return ::fnmatch(options.filter.c_str(), std::string(index.path(row)).c_str(), 0) == 0;
    };
  }
  return index.nearest(query, nearest);
}

SearchResult result_of(const EmbeddingIndex& index, const Neighbour& neighbour) {
  return {
      std::string(index.path(neighbour.row)), neighbour.similarity, neighbour.similarity, {}, {}};
}

/// Drops what scores too little, and more than top_k. What failed is kept where there is room: its
/// score is of another kind.
std::vector<SearchResult> cut(std::vector<SearchResult> results, const SearchOptions& options) {
  if (options.min_score) {
    const auto low = [&](const SearchResult& r) {
      return !r.error && r.score < *options.min_score;
    };
    results.erase(std::remove_if(results.begin(), results.end(), low), results.end());
  }
  if (results.size() > static_cast<std::size_t>(options.top_k)) {
    results.erase(results.begin() + options.top_k, results.end());
  }
  return results;
}

/// The picture whose vector the index has. Throws InputError where the file holds another now.
Image load_unchanged(const ImageRecord& record) {
  const std::string bytes = detail::read_file(record.path, ImageLimits().max_bytes);
  if (detail::sha256(bytes.data(), bytes.size()) != record.sha256) {
    throw InputError(record.path, "file", "the one that was indexed", "another");
  }
  return Image::decode(bytes, record.path);
}

}  // namespace

class TwoStageSearch::Model {
 public:
  Model(BridgeTowerProcessor processor, BothHeads<float> heads)
      : processor_(std::move(processor)), heads_(std::move(heads)) {}

  Tensor<float> embed(const Image& image) const {
    const auto inputs = image_inputs(heads_.towers(), processor_, image);
    return heads_.image_head().forward(heads_.towers().encode_image_cls(inputs, 0)).row(0);
  }

  Tensor<float> embed(std::string_view text) const {
    const auto inputs = text_inputs(processor_, {std::string(text)});
    return heads_.text_head().forward(heads_.towers().encode_text_cls(inputs, {0})).row(0);
  }

  /// Fills in `match` and `score`, or `error`.
  void match(const EmbeddingIndex& index, const std::vector<Neighbour>& rows, std::string_view text,
             std::vector<SearchResult>& results) const {
    const TextState<float> text_state = encode_text(heads_.towers(), processor_, text);
    for (std::size_t first = 0; first < rows.size(); first += kPairsAtOnce) {
      const std::size_t last = std::min(rows.size(), first + kPairsAtOnce);
      std::vector<ImageState<float>> states;
      std::vector<SearchResult*> loaded;
      for (std::size_t i = first; i < last; ++i) {
        try {
          states.push_back(image_state(index, rows[i].row));
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

 private:
  /// As the index has kept it, or of the picture.
  ImageState<float> image_state(const EmbeddingIndex& index, std::int64_t row) const {
    if (row < index.states()) return unpack_image_state(index.state(row), heads_.towers());
    return encode_image(heads_.towers(), processor_, load_unchanged(index.record(row)));
  }

  BridgeTowerProcessor processor_;
  BothHeads<float> heads_;
};

TwoStageSearch::TwoStageSearch(EmbeddingIndex index, std::unique_ptr<const Model> model)
    : index_(std::move(index)), model_(std::move(model)) {}
TwoStageSearch::~TwoStageSearch() = default;
TwoStageSearch::TwoStageSearch(TwoStageSearch&&) noexcept = default;
TwoStageSearch& TwoStageSearch::operator=(TwoStageSearch&&) noexcept = default;

TwoStageSearch TwoStageSearch::from_pretrained(const std::filesystem::path& model,
                                               EmbeddingIndex index, const LoadOptions& options) {
  index.check_model(model_fingerprint(model, options.revision));
  return {std::move(index), std::make_unique<const Model>(
                                BridgeTowerProcessor::from_pretrained(model, options.revision),
                                detail::load_pretrained<BothHeads, float>(model, options))};
}

std::vector<SearchResult> search_vectors(const EmbeddingIndex& index, const Tensor<float>& query,
                                         const SearchOptions& options) {
  std::vector<SearchResult> results;
  for (const Neighbour& neighbour : candidates(index, query, options, options.top_k)) {
    results.push_back(result_of(index, neighbour));
  }
  return cut(std::move(results), options);
}

std::vector<Neighbour> find_candidates(const EmbeddingIndex& index, const Tensor<float>& query,
                                       const SearchOptions& options) {
  return candidates(index, query, options,
                    options.rerank == 0 ? options.top_k : std::max(options.top_k, options.rerank));
}

std::vector<SearchResult> ranked(std::vector<SearchResult> results, const SearchOptions& options) {
  std::stable_sort(results.begin(), results.end(), [](const auto& a, const auto& b) {
    if (a.error.has_value() != b.error.has_value()) return b.error.has_value();
    return a.score > b.score;
  });
  return cut(std::move(results), options);
}

Tensor<float> TwoStageSearch::embed(std::string_view text) const { return model_->embed(text); }

std::vector<SearchResult> TwoStageSearch::match(std::string_view text,
                                                const std::vector<Neighbour>& rows) const {
  std::vector<SearchResult> results;
  for (const Neighbour& row : rows) results.push_back(result_of(index_, row));
  model_->match(index_, rows, text, results);
  return results;
}

std::vector<SearchResult> TwoStageSearch::search(std::string_view text,
                                                 const SearchOptions& options) const {
  const Tensor<float> query = model_->embed(text);
  if (options.rerank == 0) return search_vectors(index_, query, options);
  return ranked(match(text, find_candidates(index_, query, options)), options);
}

std::vector<SearchResult> TwoStageSearch::search(const Image& image,
                                                 const SearchOptions& options) const {
  return search_vectors(index_, model_->embed(image), options);
}

}  // namespace bridgetower
