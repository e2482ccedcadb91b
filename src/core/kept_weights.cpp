#include "core/kept_weights.hpp"

#include <algorithm>

namespace bridgetower {
namespace detail {
namespace {

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// Whether --dtype int8 makes this tensor int8: the matrices of all layers but the heads, as a
/// model with LoadOptions::dtype kI8 keeps them.
bool becomes_int8(const WeightSource& source, const std::string& name) {
  constexpr std::int64_t kMostColumns = 1 << 18;
  const WeightSource::Info info = *source.find(name);
  const bool is_table = contains(name, "embeddings.") && !contains(name, "patch_embedding");
  const bool is_head = contains(name, "_score.") || contains(name, "itc_");
  return is_floating(info.dtype) && info.shape.size() >= 2 && info.shape[0] > 0 && !is_table &&
         !is_head && !source.find(name + kScale) &&
         element_count(info.shape) / info.shape[0] <= kMostColumns;
}

/// What else such a model keeps in fewer bits.
bool becomes_bfloat16(const std::string& name, const WeightSource::Info& info) {
  const bool is_matrix = is_floating(info.dtype) && info.shape.size() == 2;
  return is_matrix &&
         (contains(name, "word_embeddings") || contains(name, "_score.") || contains(name, "itc_"));
}

}  // namespace

std::vector<NamedInfo> kept_as(const WeightSource& source, const std::string& name,
                               std::optional<DType> dtype) {
  WeightSource::Info info = *source.find(name);
  if (dtype == DType::kI8) {
    if (becomes_int8(source, name)) {
      const Shape rows{info.shape[0]};
      return {{name, {DType::kI8, std::move(info.shape)}}, {name + kScale, {DType::kF32, rows}}};
    }
    if (becomes_bfloat16(name, info)) info.dtype = DType::kBF16;
  } else if (dtype && is_floating(info.dtype)) {
    info.dtype = *dtype;
  }
  return {{name, std::move(info)}};
}

}  // namespace detail

std::uint64_t kept_bytes(const WeightSource& source, DType dtype) {
  // A view may repeat one element 2^60 times: no sum passes 2^63.
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  std::uint64_t bytes = 0;
  for (const std::string& name : source.names()) {
    for (const auto& [kept, info] : detail::kept_as(source, name, dtype)) {
      const auto elements = static_cast<std::uint64_t>(element_count(info.shape));
      bytes += elements > kMost / size_of(info.dtype) ? kMost : elements * size_of(info.dtype);
      bytes = std::min(bytes, kMost);
    }
  }
  return bytes;
}

}  // namespace bridgetower
