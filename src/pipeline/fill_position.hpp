#pragma once

#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower::detail {

/// Throws InputError for a number of proposals that a vocabulary of this size cannot give.
void check_top_k(std::int64_t top_k, std::int64_t vocabulary);

/// The best words for one position of a text's tokens. logits [V]
FilledMask fill_position(const BridgeTowerProcessor& processor,
                         const std::vector<std::int64_t>& ids, std::int64_t position,
                         Tensor<float> logits, std::int64_t top_k);

}  // namespace bridgetower::detail
