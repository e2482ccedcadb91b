#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/io/tensor_file.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <type_traits>
#include <vector>

#include "core/json.hpp"
#include "io/widen.hpp"

namespace bridgetower {

WeightSource::Info TensorFile::info_of(const std::string& name, std::int64_t first,
                                       std::int64_t count) const {
  std::optional<Info> info = find(name);
  if (!info) throw FormatError(place(), detail::in_quotes(name) + " is missing");
  const std::int64_t size = element_count(info->shape);
  if (first < 0 || count < 0 || first > size || count > size - first) {
    throw InputError(place(), detail::in_quotes(name) + ": elements",
                     "a range inside 0 to " + std::to_string(size),
                     std::to_string(count) + " from " + std::to_string(first));
  }
  return *std::move(info);
}

template <class Scalar>
void TensorFile::read_floats(const std::string& name, std::int64_t first, std::int64_t count,
                             Scalar* out) const {
  const DType dtype = info_of(name, first, count).dtype;
  constexpr DType kOwn = std::is_same_v<Scalar, float> ? DType::kF32 : DType::kF64;
  if (dtype == kOwn) return read_stored(name, first, count, out);
  if (!is_floating(dtype)) {
    throw FormatError(place(), detail::in_quotes(name), "F16, BF16, F32 or F64", to_string(dtype));
  }
  constexpr std::int64_t kChunk = 1 << 16;
  std::vector<unsigned char> bytes(static_cast<std::size_t>(std::min(kChunk, count)) *
                                   size_of(dtype));
  for (std::int64_t done = 0; done < count; done += kChunk) {
    const std::int64_t values = std::min(kChunk, count - done);
    read_stored(name, first + done, values, bytes.data());
    detail::widen(dtype, bytes.data(), static_cast<std::size_t>(values), out + done);
  }
}

void TensorFile::read(const std::string& name, std::int64_t first, std::int64_t count,
                      float* out) const {
  read_floats(name, first, count, out);
}

void TensorFile::read(const std::string& name, std::int64_t first, std::int64_t count,
                      double* out) const {
  read_floats(name, first, count, out);
}

void TensorFile::read_int8(const std::string& name, std::int64_t first, std::int64_t count,
                           std::int8_t* out) const {
  const DType dtype = info_of(name, first, count).dtype;
  if (dtype != DType::kI8) {
    throw FormatError(place(), detail::in_quotes(name), "I8", to_string(dtype));
  }
  read_stored(name, first, count, out);
}

std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path,
                                             const Limits& limits) {
  if (path.extension() == ".safetensors") return std::make_unique<SafetensorsFile>(path, limits);
  return std::make_unique<TorchCheckpoint>(path, limits);
}

}  // namespace bridgetower
