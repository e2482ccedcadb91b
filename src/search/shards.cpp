#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/search/shards.hpp>
#include <functional>
#include <optional>
#include <system_error>

#include "core/file.hpp"
#include "core/sha256.hpp"
#include "search/file_state.hpp"
#include "search/layout.hpp"
#include "search/part_file.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using detail::Part;

/// Whether a file is in the index as it is now.
bool is_unchanged(const EmbeddingIndex& index, std::int64_t row, const std::string& path) {
  const auto now = detail::state_of(path);
  const ImageRecord then = index.record(row);
  return now && now->bytes == then.bytes && now->modified_ns == then.modified_ns;
}

/// Rows and files are both in the order of their bytes.
bool is_unchanged(const EmbeddingIndex& index, const std::vector<std::string>& files) {
  std::int64_t row = 0;
  const auto behind = [&](const std::string* file) {
    return row < index.images() && (file == nullptr || index.path(row) < *file);
  };
  for (const std::string& file : files) {
    for (; behind(&file); ++row) {
      if (detail::is_gone(std::string(index.path(row)))) return false;
    }
    if (row == index.images() || index.path(row) != file) return false;
    if (!is_unchanged(index, row++, file)) return false;
  }
  for (; behind(nullptr); ++row) {
    if (detail::is_gone(std::string(index.path(row)))) return false;
  }
  return true;
}

EmbeddingIndex open_part(const Part& part, int threads) {
  EmbeddingIndex index = EmbeddingIndex::open(part.directory, threads);
  const auto check = [&](const std::string& path) {
    const std::int64_t shard = shard_of(path, part.shard.count);
    if (shard == part.shard.index) return;
    throw FormatError(part.directory.string(), "shard of a picture",
                      std::to_string(part.shard.index), std::to_string(shard));
  };
  for (std::int64_t row = 0; row < index.images(); ++row) check(std::string(index.path(row)));
  for (const FailedImage& image : index.failed()) check(image.path);
  return index;
}

/// Opens one part after the other.
PartsSummary visit_parts(const fs::path& directory, int threads,
                         const std::function<void(const EmbeddingIndex&)>& visit) {
  PartsSummary summary;
  for (const Part& part : detail::find_parts(directory)) {
    const EmbeddingIndex index = open_part(part, threads);
    visit(index);
    ++summary.parts;
    summary.images += index.images();
    summary.failed += static_cast<std::int64_t>(index.failed().size());
  }
  return summary;
}

}  // namespace

std::int64_t shard_of(std::string_view path, std::int64_t count) {
  const auto digest = detail::sha256(path.data(), path.size());
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return static_cast<std::int64_t>(number % static_cast<std::uint64_t>(count));
}

ImageFiles only_shard(const ImageFiles& images, const Shard& shard) {
  ImageFiles own;
  for (const std::string& file : images.files) {
    if (shard_of(file, shard.count) == shard.index) own.files.push_back(file);
  }
  for (const auto& failed : images.failed) {
    if (shard_of(failed.first, shard.count) == shard.index) own.failed.push_back(failed);
  }
  return own;
}

fs::path part_directory(const fs::path& parts, const Shard& shard) {
  return parts / ("part-" + std::to_string(shard.index) + "-of-" + std::to_string(shard.count));
}

void mark_finished(const fs::path& part, const Shard& shard) {
  detail::write_part({part, shard, detail::read_manifest(part).generation});
}

void mark_unfinished(const fs::path& part) {
  std::error_code error;
  fs::remove(part / detail::kPartName, error);
  if (!error) return;
  throw IoError((part / detail::kPartName).string(), "remove", "a writable directory",
                error.message());
}

bool is_up_to_date(const fs::path& part, const Shard& shard, const ImageFiles& images,
                   const std::string& model) {
  if (!detail::is_there(part / detail::kPartName)) return false;
  const Part finished = detail::read_part(part);
  if (finished.generation != detail::read_manifest(part).generation) return false;
  if (finished.shard.index != shard.index || finished.shard.count != shard.count) return false;
  const EmbeddingIndex index = EmbeddingIndex::open(part, 1);
  return index.model() == model && index.failed().empty() && images.failed.empty() &&
         is_unchanged(index, images.files);
}

PartsSummary check_parts(const fs::path& parts, int threads) {
  return visit_parts(parts, threads, [](const EmbeddingIndex&) {});
}

PartsSummary merge_parts(const fs::path& parts, const fs::path& output, int threads) {
  std::optional<IndexBuilder> builder;
  const PartsSummary summary = visit_parts(parts, threads, [&](const EmbeddingIndex& part) {
    if (!builder) {
      IndexBuilder::Options options;
      options.type = part.type();
      options.states = KeptStates();
      options.graph = false;
      builder.emplace(output, part.model(), part.size(), options);
      for (const std::string& path : builder->paths()) builder->remove(path);
    }
    for (std::int64_t row = 0; row < part.images(); ++row) {
      builder->add(part.record(row), part.vector(row));
    }
    for (const FailedImage& image : part.failed()) builder->fail(image);
  });
  builder->commit();
  return summary;
}

}  // namespace bridgetower
