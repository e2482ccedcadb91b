#pragma once

#include <algorithm>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <map>
#include <string>
#include <vector>

namespace bridgetower::testing {

/// Weights from memory.
class MapWeights : public WeightSource {
 public:
  struct Entry {
    Tensor<double> values;
    DType dtype = DType::kF32;
  };

  explicit MapWeights(std::map<std::string, Entry> entries) : entries_(std::move(entries)) {}

  std::string place() const override { return "memory"; }
  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const auto& [name, entry] : entries_) all.push_back(name);
    return all;
  }
  std::optional<Info> find(const std::string& name) const override {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return std::nullopt;
    return Info{found->second.dtype, found->second.values.shape()};
  }
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            float* out) const override {
    copy(name, first, count, out);
  }
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            double* out) const override {
    copy(name, first, count, out);
  }

 private:
  template <class Scalar>
  void copy(const std::string& name, std::int64_t first, std::int64_t count, Scalar* out) const {
    const double* const values = entries_.at(name).values.data() + first;
    std::transform(values, values + count, out, [](double v) { return static_cast<Scalar>(v); });
  }

  std::map<std::string, Entry> entries_;
};

}  // namespace bridgetower::testing
