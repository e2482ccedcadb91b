#pragma once

#include <bridgetower/search/image_record.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/descriptor.hpp"

namespace bridgetower::detail {

/// What a run has done so far: a vector, its record and perhaps a state after the other, each with
/// its length and CRC-32, so that a run that was killed can go on from the last whole one.
class Journal {
 public:
  /// What the entries hold.
  struct Format {
    std::string model;
    std::int64_t size;  // numbers of a vector
    KeptStates states;
  };

  /// Opens or makes the file. With `resume` what is there is kept up to the last whole entry,
  /// visit(record, position of its vector, whether its state follows the vector) for each;
  /// otherwise it begins anew. Throws IoError, and InputError where the entries are others.
  using Visit = std::function<void(ImageRecord, std::uint64_t position, bool has_state)>;
  Journal(const std::filesystem::path& path, const Format& format, bool resume, const Visit& visit);

  /// Returns the position of the vector in the file. Throws IoError.
  std::uint64_t append(const ImageRecord& record, const float* vector, std::string_view state);

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void replay(const std::string& header, const Visit& visit);
  void write(const std::string& bytes);

  std::filesystem::path path_;
  std::size_t vector_bytes_;
  std::uint64_t state_bytes_;
  Descriptor descriptor_;
  std::uint64_t end_ = 0;
};

}  // namespace bridgetower::detail
