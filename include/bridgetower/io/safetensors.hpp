#pragma once

#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/io/tensor_file.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bridgetower {

namespace detail {
class InputFile;
}

/// One safetensors file, open for reading. Opening checks every rule of the format; values are read
/// with pread when they are asked for. Safe for concurrent use.
class SafetensorsFile : public TensorFile {
 public:
  using Metadata = std::map<std::string, std::string>;

  /// Throws IoError (missing, not a regular file, unreadable), FormatError (any broken rule) or
  /// LimitError.
  explicit SafetensorsFile(const std::filesystem::path& path, const Limits& limits = {});

  /// Such a file's bytes, which outlive this; `place` is what the errors call them.
  SafetensorsFile(std::string place, std::string_view bytes, const Limits& limits = {});
  ~SafetensorsFile() override;

  std::string place() const override;
  std::vector<std::string> names() const override;
  std::optional<Info> find(const std::string& name) const override;
  void read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                   void* out) const override;

  /// A whole tensor: floats as float or double, I64 as std::int64_t, U8 as std::uint8_t. Throws
  /// FormatError when it is missing or of another kind.
  template <class Scalar>
  Tensor<Scalar> tensor(const std::string& name) const;

  /// The header's `__metadata__`.
  const Metadata& metadata() const noexcept { return metadata_; }

 private:
  struct Entry {
    DType dtype;
    Shape shape;
    std::uint64_t begin;  // in the file
    std::uint64_t bytes;
  };

  SafetensorsFile(std::unique_ptr<const detail::InputFile> file, const Limits& limits);
  void parse_header(const std::string& header, std::uint64_t data_begin, const Limits& limits);
  const Entry& entry(const std::string& name) const;

  std::unique_ptr<const detail::InputFile> file_;
  std::map<std::string, Entry> entries_;
  Metadata metadata_;
};

using AnyTensor =
    std::variant<Tensor<float>, Tensor<double>, Tensor<std::int64_t>, Tensor<std::uint8_t>>;

/// Writes the tensors in the order of their names; the file appears only when complete. Throws
/// IoError, and InputError for names or metadata that are not UTF-8.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, AnyTensor>& tensors,
                       const SafetensorsFile::Metadata& metadata);

}  // namespace bridgetower
