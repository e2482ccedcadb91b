#pragma once

#include <bridgetower/search/index_images.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace bridgetower {

/// A share of a collection that one of `count` processes indexes. A path belongs to the share that
/// shard_of() names, whatever other files there are: nothing is counted out between processes, and
/// a picture stays in its share when others come and go.
struct Shard {
  std::int64_t index = 0;  ///< 0 to count - 1
  std::int64_t count = 1;
};

/// The first eight bytes of the path's SHA-256, as a big-endian number, modulo `count`.
std::int64_t shard_of(std::string_view path, std::int64_t count);

/// The files and failed directories of a share.
ImageFiles only_shard(const ImageFiles& images, const Shard& shard);

/// Where a share's index lies in the directory of all: "part-3-of-8", an index as any other.
std::filesystem::path part_directory(const std::filesystem::path& parts, const Shard& shard);

/// Records in a part ("part.json") that its share is done with what it holds now. Throws IoError.
void mark_finished(const std::filesystem::path& part, const Shard& shard);

/// The opposite, before work on a part begins; also where there is none. Throws IoError.
void mark_unfinished(const std::filesystem::path& part);

/// Whether a part is finished and nothing has changed since, so that no model is needed: its files
/// are as they were, none is new, gone or failed. `images` are those of the share. Throws IoError
/// or FormatError where the part is damaged.
bool is_up_to_date(const std::filesystem::path& part, const Shard& shard, const ImageFiles& images,
                   const std::string& model);

struct PartsSummary {
  std::int64_t parts = 0;
  std::int64_t images = 0;
  std::int64_t failed = 0;
};

/// Reads and checks all parts in a directory. Throws IoError, FormatError (one is damaged, or holds
/// a picture of another share) and InputError (one is missing or not finished, they are of several
/// models or splits).
PartsSummary check_parts(const std::filesystem::path& parts, int threads = 0);

/// The same, and makes their index, byte for byte the one that a single process makes. What was in
/// `output` is replaced in one step.
PartsSummary merge_parts(const std::filesystem::path& parts, const std::filesystem::path& output,
                         int threads = 0);

}  // namespace bridgetower
