#pragma once

#include <bridgetower/search/image_record.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace bridgetower::detail {

/// What a run has done so far: a vector and its record after the other, each with its length and
/// CRC-32, so that a run that was killed can go on from the last whole one.
class Journal {
 public:
  /// Opens or makes the file for vectors of `size` numbers of a model. With `resume` what is there
  /// is kept up to the last whole entry, visit(record, position of its vector) for each; otherwise
  /// it begins anew. Throws IoError, and InputError where the entries are of another model.
  using Visit = std::function<void(ImageRecord, std::uint64_t position)>;
  Journal(const std::filesystem::path& path, const std::string& model, std::int64_t size,
          bool resume, const Visit& visit);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// Returns the position of the vector in the file. Throws IoError.
  std::uint64_t append(const ImageRecord& record, const float* vector);

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void replay(const std::string& header, const Visit& visit);
  void write(const std::string& bytes);

  std::filesystem::path path_;
  std::size_t vector_bytes_;
  int descriptor_ = -1;
  std::uint64_t end_ = 0;
};

}  // namespace bridgetower::detail
