#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/model/states.hpp>
#include <cstdint>
#include <string>

namespace bridgetower::detail {

template <class Scalar>
bool has_rows(const Tensor<Scalar>& tensor, std::int64_t rows, std::int64_t width) {
  return tensor.shape() == Shape{rows, width};
}

template <class Scalar>
bool keys_fit(const ImageState<Scalar>&, std::int64_t) {
  return true;
}

/// Ascending and inside the text.
template <class Scalar>
bool keys_fit(const TextState<Scalar>& state, std::int64_t rows) {
  if (!state.attended) return true;
  std::int64_t before = -1;
  for (const std::int64_t key : *state.attended) {
    if (key <= before || key >= rows) return false;
    before = key;
  }
  return true;
}

template <class Scalar>
std::int64_t tower_width(const ImageState<Scalar>&, const BridgeTowerConfig& config) {
  return config.hidden_size;
}

template <class Scalar>
std::int64_t tower_width(const TextState<Scalar>&, const BridgeTowerConfig& config) {
  return config.text_config.hidden_size;
}

/// A state must be one that this model made, as it made it, else InputError: users can keep, save
/// and build them.
template <class State>
void check_state(const char* what, const State& state, const BridgeTowerConfig& config,
                 std::uint64_t model) {
  const auto layers = static_cast<std::size_t>(config.num_hidden_layers);
  bool fits = state.layers.size() == layers && state.layers.front().rank() == 2;
  const std::int64_t rows = fits ? state.layers.front().dim(0) : 0;
  fits = fits && rows > 0 && has_rows(state.attended_own, rows, config.hidden_size) &&
         keys_fit(state, rows);
  for (const auto& layer : state.layers) {
    fits = fits && has_rows(layer, rows, config.hidden_size);
  }
  fits = fits && has_rows(state.cls, 1, tower_width(state, config)) && state.model == model;
  if (!fits) throw InputError("fuse", what, "one of this model", "another model's");
}

/// Rows asked for must be there.
template <class Scalar>
void check_text_rows(const ops::KeyList& wanted, const TextState<Scalar>& text) {
  const std::int64_t rows = text.layers.front().dim(0);
  for (const std::int64_t row : wanted) {
    if (row >= 0 && row < rows) continue;
    throw InputError("positions", "row", "0 to " + std::to_string(rows - 1), std::to_string(row));
  }
}

}  // namespace bridgetower::detail
