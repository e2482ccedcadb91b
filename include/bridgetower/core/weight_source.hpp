#pragma once

#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/shape.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bridgetower {

/// Where a model finds its parameters by name. io implements it for files, tests for a map.
/// Implementations are safe for concurrent use.
class WeightSource {
 public:
  struct Info {
    DType dtype;
    Shape shape;
  };

  virtual ~WeightSource() = default;

  /// What the errors call this source, e.g. the file's path.
  virtual std::string place() const = 0;

  /// Every name, sorted.
  virtual std::vector<std::string> names() const = 0;

  virtual std::optional<Info> find(const std::string& name) const = 0;

  /// Elements [first, first + count) of the tensor in row-major order, widened or rounded to the
  /// output type (F16, BF16, F32, F64 only). Throws IoError when the file fails; a source of files
  /// throws InputError for elements outside the tensor.
  virtual void read(const std::string& name, std::int64_t first, std::int64_t count,
                    float* out) const = 0;
  virtual void read(const std::string& name, std::int64_t first, std::int64_t count,
                    double* out) const = 0;

  /// The same of an I8 tensor as it is stored; a source that has none throws InputError.
  virtual void read_int8(const std::string& name, std::int64_t first, std::int64_t count,
                         std::int8_t* out) const;
};

/// The bytes of all tensors as a model keeps them in memory whose matrices are of this type
/// (LoadOptions::dtype; kF64 for a double model), and as convert_checkpoint() stores them.
std::uint64_t kept_bytes(const WeightSource& source, DType dtype);

inline void WeightSource::read_int8(const std::string& name, std::int64_t, std::int64_t,
                                    std::int8_t*) const {
  throw InputError(place(), name, "no I8 tensor from this source", "I8");
}

}  // namespace bridgetower
