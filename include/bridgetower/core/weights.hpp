#pragma once

#include <algorithm>
#include <array>
#include <bridgetower/core/backend.hpp>
#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/extern_template.hpp>
#include <bridgetower/core/fingerprint.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bridgetower {

/// One pass over a checkpoint: resolves names, collects every problem, reports them all together.
/// Until finish() has been called a model made from it is worth nothing.
template <class Scalar>
class WeightLoader {
 public:
  /// `dtype`: what matrices become (LoadOptions::dtype).
  explicit WeightLoader(const WeightSource& source, Backend backend = Backend::kAuto,
                        DType dtype = DType::kF32)
      : source_(source), backend_(backend), dtype_(dtype) {}

  const WeightSource& source() const noexcept { return source_; }
  Backend backend() const noexcept { return backend_; }
  DType dtype() const noexcept { return dtype_; }

  /// The name under which the file holds `key`, or nothing. HF: both prefixes load into every
  /// class, and old files call LayerNorm.weight and .bias gamma and beta.
  std::string resolve(const std::string& key) const;

  /// True when the tensor is there, of a floating type or int8 with scales, and of this shape; else
  /// the problem is noted.
  bool check(const std::string& key, const Shape& shape);

  /// Elements of a tensor that check() has accepted. A value that is no finite number is noted.
  void read(const std::string& key, std::int64_t first, std::int64_t count, Scalar* out);

  /// True when the tensor, which check() has accepted, is stored as int8: an I8 tensor with one
  /// step per row in "<name>.scale", F32 [rows], as convert writes them.
  bool is_int8(const std::string& key) const { return has_scales(resolve(key)); }

  /// `count` whole rows of such a tensor and their steps.
  void read_int8_rows(const std::string& key, std::int64_t first, std::int64_t count,
                      std::int8_t* out, float* scales);

  /// Of the type of matrices and the tensors that were asked for so far: their keys, shapes and up
  /// to 256 values of each, in four runs from its first to its last; a change of other values only
  /// goes unseen. The same for files that hold the same values in another type, order or under
  /// Hugging Face's other names.
  std::uint64_t fingerprint() const;

  /// The tensors that the model asked for and the file lacks, in the order of asking.
  const std::vector<std::string>& missing() const noexcept { return missing_; }

  /// Throws one WeightError with all missing, mis-shaped and non-finite tensors; where there is
  /// any, it lists the tensors as well that no part of the model asked for.
  void finish() const;

 private:
  struct Mismatch {
    std::string name;
    std::string expected;
    std::string got;
  };

  static std::string scales_of(const std::string& name) { return name + ".scale"; }
  bool has_scales(const std::string& name) const;

  /// Floats as they are, int8 times its steps.
  template <class Value>
  void read_values(const std::string& name, std::int64_t first, std::int64_t count,
                   Value* out) const;

  std::vector<std::string> unexpected() const;

  const WeightSource& source_;
  Backend backend_;
  DType dtype_;
  std::map<std::string, std::string> used_;  // key -> name in the file
  std::vector<std::string> missing_;
  std::vector<Mismatch> mismatched_;
  std::set<std::string> not_finite_;
};

/// A place in a checkpoint: `weights / "attention" / "self"`.
template <class Scalar>
class WeightView {
 public:
  explicit WeightView(WeightLoader<Scalar>& loader, std::string prefix = {})
      : loader_(&loader), prefix_(std::move(prefix)), dtype_(loader.dtype()) {}

  WeightView operator/(std::string_view segment) const {
    WeightView part = *this;
    part.prefix_ = key(segment);
    return part;
  }
  WeightView operator/(std::int64_t index) const { return *this / std::to_string(index); }

  Backend backend() const noexcept { return loader_->backend(); }

  /// What matrices become here.
  DType dtype() const noexcept { return dtype_; }

  /// The same place, whose matrices become bfloat16 where others become int8.
  WeightView without_int8() const {
    WeightView same = *this;
    if (dtype_ == DType::kI8) same.dtype_ = DType::kBF16;
    return same;
  }

  bool has(std::string_view name) const { return !loader_->resolve(key(name)).empty(); }

  bool check(std::string_view name, const Shape& shape) const {
    return loader_->check(key(name), shape);
  }
  void read(std::string_view name, std::int64_t first, std::int64_t count, Scalar* out) const {
    loader_->read(key(name), first, count, out);
  }

  /// A whole tensor. Where it is missing or wrong, one with every size 0: no configuration makes
  /// the library ask for memory that the checkpoint does not fill, and finish() throws anyway.
  Tensor<Scalar> tensor(std::string_view name, const Shape& shape) const {
    if (!check(name, shape)) return Tensor<Scalar>(Shape(shape.size(), 0));
    auto values = Tensor<Scalar>::uninitialized(shape);
    read(name, 0, static_cast<std::int64_t>(values.size()), values.data());
    return values;
  }

  bool is_int8(std::string_view name) const { return loader_->is_int8(key(name)); }
  void read_int8_rows(std::string_view name, std::int64_t first, std::int64_t count,
                      std::int8_t* out, float* scales) const {
    loader_->read_int8_rows(key(name), first, count, out, scales);
  }

  /// WeightLoader::fingerprint.
  std::uint64_t fingerprint() const { return loader_->fingerprint(); }

  /// A tensor of rank 0.
  Scalar scalar(std::string_view name) const { return *tensor(name, {}).data(); }

 private:
  std::string key(std::string_view name) const {
    return prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name);
  }

  WeightLoader<Scalar>* loader_;
  std::string prefix_;
  DType dtype_;
};

namespace detail {

/// True when every value is a finite number.
template <class Scalar>
bool all_finite(const Scalar* values, std::int64_t count) {
  constexpr std::int64_t kLanes = 16;  // sums side by side, for the compiler to vectorise
  Scalar sums_of_zeros[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      sums_of_zeros[lane] += values[i + lane] * Scalar(0);
    }
  }
  for (; i < count; ++i) sums_of_zeros[0] += values[i] * Scalar(0);
  Scalar sum = 0;
  for (const Scalar lane : sums_of_zeros) sum += lane;
  return sum == Scalar(0);
}

/// A configuration can ask for any number of tensors: what nobody reads is only counted.
inline std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 1000;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() <= kMost ? text
                               : text + " and " + std::to_string(names.size() - kMost) + " more";
}

inline bool starts_with(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

}  // namespace detail

template <class Scalar>
std::string WeightLoader<Scalar>::resolve(const std::string& key) const {
  constexpr std::string_view kPrefix = "bridgetower.";
  std::vector<std::string> candidates{key};
  if (detail::starts_with(key, kPrefix)) candidates.push_back(key.substr(kPrefix.size()));
  const std::pair<std::string_view, std::string_view> old_names[] = {
      {"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}};
  for (const auto& [now, before] : old_names) {
    if (key.size() < now.size() || key.compare(key.size() - now.size(), now.size(), now) != 0) {
      continue;
    }
    const std::size_t known = candidates.size();
    for (std::size_t i = 0; i < known; ++i) {
      const std::string& name = candidates[i];
      candidates.push_back(name.substr(0, name.size() - now.size()) + std::string(before));
    }
  }
  for (std::string& name : candidates) {
    if (source_.find(name)) return std::move(name);
  }
  return {};
}

template <class Scalar>
bool WeightLoader<Scalar>::check(const std::string& key, const Shape& shape) {
  const std::string name = resolve(key);
  if (name.empty()) {
    missing_.push_back(key);
    return false;
  }
  used_.emplace(key, name);
  const WeightSource::Info info = *source_.find(name);
  const bool is_float = is_floating(info.dtype) || has_scales(name);
  if (is_float && info.shape == shape) return true;
  const std::string type = is_float ? to_string(info.dtype) : "a floating type";
  mismatched_.push_back(
      {name, type + " " + to_string(shape), to_string(info.dtype) + (" " + to_string(info.shape))});
  return false;
}

template <class Scalar>
void WeightLoader<Scalar>::read(const std::string& key, std::int64_t first, std::int64_t count,
                                Scalar* out) {
  const std::string name = resolve(key);
  if constexpr (std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>) {
    read_values(name, first, count, out);
  } else {
    std::vector<double> wide(static_cast<std::size_t>(count));
    read_values(name, first, count, wide.data());
    for (std::size_t i = 0; i < wide.size(); ++i) out[i] = static_cast<Scalar>(wide[i]);
  }
  if (!detail::all_finite(out, count)) not_finite_.insert(name);
}

template <class Scalar>
bool WeightLoader<Scalar>::has_scales(const std::string& name) const {
  const std::optional<WeightSource::Info> info = source_.find(name);
  if (!info || info->dtype != DType::kI8 || info->shape.empty()) return false;
  const std::optional<WeightSource::Info> scales = source_.find(scales_of(name));
  return scales && scales->dtype == DType::kF32 && scales->shape == Shape{info->shape[0]};
}

template <class Scalar>
template <class Value>
void WeightLoader<Scalar>::read_values(const std::string& name, std::int64_t first,
                                       std::int64_t count, Value* out) const {
  const WeightSource::Info info = *source_.find(name);
  if (info.dtype != DType::kI8 || count == 0) return source_.read(name, first, count, out);
  const std::int64_t columns = element_count(info.shape) / info.shape[0];
  const std::int64_t row = first / columns;
  const std::int64_t rows = (first + count - 1) / columns + 1 - row;
  auto scales = Tensor<float>::uninitialized({rows});
  source_.read(scales_of(name), row, rows, scales.data());
  auto steps = Tensor<std::int8_t>::uninitialized({count});
  source_.read_int8(name, first, count, steps.data());
  for (std::int64_t i = 0; i < count; ++i) {
    const float scale = scales.data()[(first + i) / columns - row];
    out[i] = static_cast<Value>(static_cast<float>(steps.data()[i]) * scale);
  }
}

template <class Scalar>
void WeightLoader<Scalar>::read_int8_rows(const std::string& key, std::int64_t first,
                                          std::int64_t count, std::int8_t* out, float* scales) {
  const std::string name = resolve(key);
  const Shape shape = source_.find(name)->shape;
  const std::int64_t columns = element_count(shape) / shape[0];
  source_.read_int8(name, first * columns, count * columns, out);
  source_.read(scales_of(name), first, count, scales);
  if (!detail::all_finite(scales, count)) not_finite_.insert(scales_of(name));
}

template <class Scalar>
std::uint64_t WeightLoader<Scalar>::fingerprint() const {
  constexpr std::int64_t kRun = 64, kRuns = 4;
  Fingerprint all;
  if (dtype_ != DType::kF32) all.add(to_string(dtype_));
  std::array<float, kRun> values{};
  for (const auto& [key, name] : used_) {
    const WeightSource::Info info = *source_.find(name);
    if (!is_floating(info.dtype) && !has_scales(name)) continue;  // check() has noted it
    const std::int64_t count = element_count(info.shape);
    all.add(key).add(to_string(info.shape));
    for (std::int64_t run = 0; run < kRuns; ++run) {
      const std::int64_t first = std::max<std::int64_t>(count - kRun, 0) / (kRuns - 1) * run;
      const std::int64_t length = std::min(kRun, count - first);
      read_values(name, first, length, values.data());
      all.add(values.data(), static_cast<std::size_t>(length) * sizeof values[0]);
    }
  }
  return all.value();
}

template <class Scalar>
std::vector<std::string> WeightLoader<Scalar>::unexpected() const {
  // What is normal to find unused: other heads, HF's dead weights and its old position buffers.
  constexpr std::string_view kNormal[] = {"mlm_score.",
                                          "itm_score.",
                                          "itc_text_head.",
                                          "itc_image_head.",
                                          "logit_scale",
                                          "itc_cross_modal_head.",
                                          "text_model.pooler",
                                          "vision_model.visual.ln_separate.",
                                          "vision_model.visual.transformer.resblocks."};
  std::set<std::string_view> used;
  for (const auto& [key, name] : used_) used.insert(name);
  std::vector<std::string> names;
  for (const std::string& name : source_.names()) {
    const std::size_t dot = name.rfind('.');
    const bool is_scale = dot != std::string::npos && name == scales_of(name.substr(0, dot)) &&
                          used.count(std::string_view(name).substr(0, dot)) != 0;
    const std::string key =
        detail::starts_with(name, "bridgetower.") ? name.substr(sizeof("bridgetower.") - 1) : name;
    bool normal = used.count(name) != 0 || is_scale ||
                  key.find(".position_ids") != std::string::npos ||
                  key.find("embeddings.token_type_ids") != std::string::npos;
    for (const std::string_view start : kNormal) normal = normal || detail::starts_with(key, start);
    if (!normal) names.push_back(name);
  }
  return names;
}

template <class Scalar>
void WeightLoader<Scalar>::finish() const {
  if (missing_.empty() && mismatched_.empty() && not_finite_.empty()) return;
  const std::vector<std::string> extra = unexpected();
  if (mismatched_.size() == 1 && missing_.empty() && not_finite_.empty() && extra.empty()) {
    const Mismatch& only = mismatched_.front();
    throw WeightError(source_.place(), only.name, only.expected, only.got);
  }
  std::string problems;
  const auto add = [&problems](const std::string& what, const std::string& names) {
    if (!names.empty()) problems += (problems.empty() ? "" : "; ") + what + " " + names;
  };
  std::vector<std::string> shapes;
  for (const Mismatch& wrong : mismatched_) {
    shapes.push_back(wrong.name + " (expected " + wrong.expected + ", got " + wrong.got + ")");
  }
  add("missing", detail::joined(missing_));
  add("wrong shape or type:", detail::joined(shapes));
  add("not finite:", detail::joined({not_finite_.begin(), not_finite_.end()}));
  add("unexpected:", detail::joined(extra));
  throw WeightError(source_.place(), problems);
}

BRIDGETOWER_EXTERN_TEMPLATE(WeightLoader);

}  // namespace bridgetower
