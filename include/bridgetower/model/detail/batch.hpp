#pragma once

#include <algorithm>
#include <bridgetower/model/forward_inputs.hpp>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

namespace bridgetower::detail {

/// Pairs that go through the cross-modal layers together: enough to read the weights rarely, few
/// enough to bound the memory.
constexpr std::int64_t kPairsAtOnce = 8;

/// For each item the first one that equals it; same(a, b) compares two.
template <class Same>
std::vector<std::int64_t> first_equal(std::int64_t count, const Same& same) {
  std::vector<std::int64_t> first;
  for (std::int64_t b = 0; b < count; ++b) {
    std::int64_t a = 0;
    while (a < b && !(first[static_cast<std::size_t>(a)] == a && same(a, b))) ++a;
    first.push_back(a);
  }
  return first;
}

template <class Scalar>
std::vector<std::int64_t> first_equal_images(const ForwardInputs<Scalar>& inputs) {
  const Tensor<Scalar>& images = inputs.image_embeds ? *inputs.image_embeds : *inputs.pixel_values;
  const std::int64_t size = static_cast<std::int64_t>(images.size()) / images.dim(0);
  return first_equal(images.dim(0), [&](std::int64_t a, std::int64_t b) {
    return std::equal(images.data() + a * size, images.data() + (a + 1) * size,
                      images.data() + b * size);
  });
}

template <class Scalar>
std::vector<std::int64_t> first_equal_texts(const ForwardInputs<Scalar>& inputs) {
  const std::int64_t size = inputs.length();
  const auto same = [size](const Tensor<std::int64_t>& rows, std::int64_t a, std::int64_t b) {
    return std::equal(rows.data() + a * size, rows.data() + (a + 1) * size, rows.data() + b * size);
  };
  return first_equal(inputs.batch(), [&](std::int64_t a, std::int64_t b) {
    return same(*inputs.input_ids, a, b) &&
           (!inputs.attention_mask || same(*inputs.attention_mask, a, b));
  });
}

/// Until which item each state is needed.
class Uses {
 public:
  explicit Uses(const std::vector<std::int64_t>& first) {
    for (std::size_t b = 0; b < first.size(); ++b) last_[first[b]] = static_cast<std::int64_t>(b);
  }

  /// Frees the states that no item from `next` on needs.
  template <class State>
  void drop_unused(std::map<std::int64_t, State>& states, std::int64_t next) const {
    for (auto it = states.begin(); it != states.end();) {
      it = last_.at(it->first) < next ? states.erase(it) : std::next(it);
    }
  }

 private:
  std::map<std::int64_t, std::int64_t> last_;
};

}  // namespace bridgetower::detail
