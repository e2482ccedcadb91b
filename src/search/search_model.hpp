#pragma once

#include <bridgetower/heads/for_contrastive_learning.hpp>
#include <bridgetower/heads/for_image_and_text_retrieval.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridgetower::detail {

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

/// What a search asks its model for, wherever the vectors and the records of the pictures lie.
class SearchModel {
 public:
  /// Throws as TwoStageSearch::from_pretrained does.
  static std::unique_ptr<const SearchModel> from_pretrained(const std::filesystem::path& model,
                                                            const LoadOptions& options);

  Tensor<float> embed(const Image& image) const;
  Tensor<float> embed(std::string_view text) const;

  /// Of a picture's file. Throws InputError where it is not what was indexed any more.
  ImageState<float> encode(const ImageRecord& record) const;

  /// Of what pack_state gave.
  ImageState<float> unpack(const std::string& state) const;

  /// Fills in `match` and `score` of each result, or `error` where `state_of` throws one.
  void match(std::string_view text,
             const std::function<ImageState<float>(std::size_t result)>& state_of,
             std::vector<SearchResult>& results) const;

 private:
  SearchModel(BridgeTowerProcessor processor, BothHeads<float> heads)
      : processor_(std::move(processor)), heads_(std::move(heads)) {}

  BridgeTowerProcessor processor_;
  BothHeads<float> heads_;
};

/// How many pictures the vectors have to choose. Throws InputError for options out of range.
std::int64_t candidates_wanted(const SearchOptions& options);

}  // namespace bridgetower::detail
