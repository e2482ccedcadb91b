#pragma once

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/tensor.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace bridgetower::ops {

/// Mean over the rows of logits [N, V] of -log softmax at labels [N]; rows labelled -100 do not
/// count, and without any other the result is NaN. PyTorch: CrossEntropyLoss. A label outside [0,
/// V) is an InputError.
template <class Scalar>
Scalar cross_entropy(const Tensor<Scalar>& logits, const Tensor<std::int64_t>& labels) {
  constexpr std::int64_t kIgnored = -100;
  const std::int64_t width = logits.dim(1);
  Scalar sum = 0;
  std::int64_t rows = 0;
  for (std::int64_t n = 0; n < logits.dim(0); ++n) {
    const std::int64_t label = labels.data()[n];
    if (label == kIgnored) continue;
    if (label < 0 || label >= width) {
      throw InputError("labels", "label " + std::to_string(n),
                       "-100 or 0 to " + std::to_string(width - 1), std::to_string(label));
    }
    const Scalar* const row = logits.data() + n * width;
    const Scalar peak = *std::max_element(row, row + width);
    Scalar total = 0;
    for (std::int64_t i = 0; i < width; ++i) total += std::exp(row[i] - peak);
    sum += std::log(total) + peak - row[label];
    ++rows;
  }
  return rows == 0 ? std::numeric_limits<Scalar>::quiet_NaN() : sum / static_cast<Scalar>(rows);
}

}  // namespace bridgetower::ops
