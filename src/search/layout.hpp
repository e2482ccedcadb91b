#pragma once

#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/search/embedding_index.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file.hpp"
#include "search/mapped_file.hpp"

// The directory of an index: manifest.json and the files of the generation that it names.
namespace bridgetower::detail {

constexpr const char* kManifestName = "manifest.json";
constexpr const char* kJournalName = "journal";

enum IndexFile { kVectors, kImages, kPaths, kFailed, kStates, kGraph, kIndexFiles };
constexpr const char* kIndexFileNames[kIndexFiles] = {"vectors", "images", "paths",
                                                      "failed",  "states", "graph"};

/// A journal entry's length is a 32-bit number.
constexpr std::int64_t kMaxStateBytes = std::int64_t{1} << 31;

/// One line of the file "images".
struct StoredRecord {
  std::uint64_t path_end;  // in the file "paths"; the path begins where the one before ends
  std::uint64_t bytes;
  std::int64_t modified_ns;
  unsigned char sha256[32];
};
static_assert(sizeof(StoredRecord) == 56);

/// A file's length, and the CRC-32 of each of its blocks.
struct FileSum {
  static constexpr std::uint64_t kBlock = 16 << 20;

  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> blocks;
  std::uint64_t block = kBlock;  // bytes of each; of the file "states": one state
};

struct Manifest {
  std::string model;  // 64 hexadecimal digits
  std::int64_t size = 0;
  VectorType type = VectorType::kFloat32;
  std::int64_t images = 0;
  std::int64_t failed = 0;
  KeptStates kept;
  std::int64_t states = 0;  // of the first pictures
  bool graph = false;
  std::string generation;  // 16 hexadecimal digits; made from what is indexed, not from the run
  FileSum files[kIndexFiles];

  std::string file_name(IndexFile file) const {
    return std::string(kIndexFileNames[file]) + "-" + generation;
  }
};

constexpr std::size_t bytes_of(VectorType type) { return type == VectorType::kFloat32 ? 4 : 2; }

/// Throws IoError, or FormatError where the counts and lengths do not fit each other.
Manifest read_manifest(const std::filesystem::path& directory, const Limits& limits = {});
void write_manifest(const std::filesystem::path& directory, const Manifest& manifest);

/// Opens a file of the index and checks its length and every block that has bytes from `begin` to
/// `end`. Throws IoError or FormatError.
MappedFile open_checked(const std::filesystem::path& path, const FileSum& sum, ThreadPool& threads,
                        std::uint64_t begin, std::uint64_t end);

/// A file of the index in memory.
struct ReadFile {
  std::string place;
  Tensor<std::uint8_t> bytes;
};

/// The same for a whole file that is read: whatever becomes of it, these bytes stay.
ReadFile read_checked(const std::filesystem::path& path, const FileSum& sum, ThreadPool& threads);

/// Throws FormatError for a file that has another length.
void check_length(const std::string& place, std::uint64_t bytes, const FileSum& sum);

/// Throws FormatError for a block whose CRC-32 is another; the last may be shorter.
void check_block(const std::string& place, const void* bytes, std::size_t count, std::size_t block,
                 const FileSum& sum);

/// An OutputFile that sums what goes through it.
class SummedFile {
 public:
  explicit SummedFile(const std::filesystem::path& path, std::uint64_t block = FileSum::kBlock)
      : file_(path) {
    sum_.block = block;
  }

  void write(const void* bytes, std::size_t count);
  FileSum commit();

 private:
  OutputFile file_;
  FileSum sum_;
};

/// The file "failed": a JSON object a line.
std::string to_lines(const std::vector<FailedImage>& failed);
std::vector<FailedImage> failed_from_lines(const ReadFile& file);

/// Whether a file of this name belongs to some index, complete or not.
bool is_index_file(const std::string& name);

}  // namespace bridgetower::detail
