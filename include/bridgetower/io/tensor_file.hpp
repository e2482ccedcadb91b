#pragma once

#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace bridgetower {

/// A WeightSource whose tensors lie in files: their values can be had as they are stored, too.
class TensorFile : public WeightSource {
 public:
  /// Elements [first, first + count) of the tensor in row-major order, size_of(dtype) bytes each,
  /// little-endian. Throws IoError when the file fails, FormatError when there is no such tensor or
  /// the file turns out to be damaged, InputError for elements outside the tensor.
  virtual void read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                           void* out) const = 0;

  void read(const std::string& name, std::int64_t first, std::int64_t count,
            float* out) const override;
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            double* out) const override;
  void read_int8(const std::string& name, std::int64_t first, std::int64_t count,
                 std::int8_t* out) const override;

 protected:
  /// What find() has. Throws FormatError where there is none, InputError where [first, first +
  /// count) is not inside.
  Info info_of(const std::string& name, std::int64_t first, std::int64_t count) const;

 private:
  template <class Scalar>
  void read_floats(const std::string& name, std::int64_t first, std::int64_t count,
                   Scalar* out) const;
};

/// Opens a file by its suffix: .safetensors, or a pickle file of torch.save.
std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path,
                                             const Limits& limits = {});

}  // namespace bridgetower
