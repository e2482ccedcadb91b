#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <bridgetower/search/index_images.hpp>
#include <iterator>
#include <mutex>
#include <optional>
#include <system_error>

#include "core/file.hpp"
#include "core/sha256.hpp"
#include "search/check_finite.hpp"
#include "search/file_state.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using detail::is_gone;
using detail::state_of;

bool is_image_name(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg";
}

/// Without "." and empty parts; ".." stays, as it may follow a link.
std::string tidied(const std::string& path) {
  fs::path result;
  for (const fs::path& part : fs::path(path)) {
    if (!part.empty() && part != ".") result /= part;
  }
  return result.empty() ? path : result.string();
}

void walk(const fs::path& directory, ImageFiles& images) {
  std::error_code error;
  std::vector<fs::path> below;
  for (const std::string& name : detail::names_in(directory, error)) {
    const fs::path path = directory / name;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      if (!fs::is_symlink(path, ignored)) below.push_back(path);
    } else if (is_image_name(path)) {
      images.files.push_back(path.string());
    }
  }
  if (error) {
    images.failed.emplace_back(directory.string(),
                               IoError(directory.string(), "cannot be read: " + error.message()));
  }
  for (const fs::path& next : below) walk(next, images);
}

/// Throws what reading, decoding or encoding throws.
EncodedImage encode(const Embedder& embedder, const std::string& path,
                    std::optional<DType> state_dtype) {
  std::optional<ImageRecord> record = state_of(path);
  const std::string bytes = detail::read_file(path, ImageLimits().max_bytes);
  if (!record || record->bytes != bytes.size()) {
    throw IoError(path, "read", "a file that stays as it is", "one that changes");
  }
  record->sha256 = detail::sha256(bytes.data(), bytes.size());
  EncodedImage encoded{*std::move(record), {}, {}, {}};
  const Image image = Image::decode(bytes, path);
  if (state_dtype) {
    auto [vector, state] = embedder.embed_and_encode(image);
    encoded.vector = std::move(vector);
    encoded.state = pack_state(state, *state_dtype);
  } else {
    encoded.vector = embedder.embed(image);
  }
  detail::check_finite(path, encoded.vector);
  return encoded;
}

bool contains(const std::vector<std::string>& sorted, const std::string& path) {
  return std::binary_search(sorted.begin(), sorted.end(), path);
}

}  // namespace

ImageFiles find_images(const std::vector<std::string>& paths) {
  ImageFiles images;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      images.directories.push_back(tidied(path));
      walk(images.directories.back(), images);
    } else {
      images.files.push_back(tidied(path));
    }
  }
  std::sort(images.files.begin(), images.files.end());
  images.files.erase(std::unique(images.files.begin(), images.files.end()), images.files.end());
  return images;
}

KeptStates kept_states(const BridgeTowerConfig& config, std::uint64_t max_bytes, DType dtype) {
  const std::int64_t side = config.vision_config.image_size / config.vision_config.patch_size;
  return {max_bytes, image_state_bytes(config, side * side + 1, dtype).packed, dtype};
}

EncodedImage encode_image_file(const Embedder& embedder, const std::string& path,
                               std::optional<DType> state_dtype) {
  try {
    return encode(embedder, path, state_dtype);
  } catch (const CancelledError&) {
    throw;  // of the whole run
  } catch (const Error& error) {
    return {{}, {}, {}, FailedImage{path, to_string(error.code()), error.what()}};
  }
}

bool add_encoded(IndexBuilder& builder, const EncodedImage& image) {
  if (image.failure) {
    builder.fail(*image.failure);
  } else {
    builder.add(image.file, image.vector, image.state);
  }
  return !image.failure;
}

IndexingPlan plan_indexing(IndexBuilder& builder, const ImageFiles& images) {
  IndexingPlan plan;
  for (const std::string& path : builder.paths()) {
    if (!is_gone(path)) continue;
    builder.remove(path);
    ++plan.removed;
  }
  for (const auto& [directory, error] : images.failed) builder.fail(directory, error);
  for (const std::string& path : images.files) {
    const auto record = state_of(path);
    if (!record || !builder.has(*record)) plan.todo.push_back(path);
  }
  return plan;
}

IndexingResult index_images(IndexBuilder& builder, const Embedder& embedder,
                            const ImageFiles& images, const IndexingOptions& options) {
  IndexingPlan plan = plan_indexing(builder, images);
  IndexingResult result;
  result.removed = plan.removed;
  std::mutex mutex;
  ThreadPool threads(options.threads);
  const auto stopped = [&] { return options.stop != nullptr && *options.stop; };
  // A second round encodes pictures that come among the first ones as others failed or are gone.
  for (bool first = true; !stopped(); first = false) {
    const std::vector<std::string> with_state = builder.without_state(plan.todo);
    std::vector<std::string> all;
    std::set_union(plan.todo.begin(), plan.todo.end(), with_state.begin(), with_state.end(),
                   std::back_inserter(all));
    if (all.empty() && !first) break;
    if (options.start) options.start(all.size());
    threads.run(static_cast<std::int64_t>(all.size()), [&](std::int64_t i) {
      if (stopped()) return;
      const std::string& path = all[static_cast<std::size_t>(i)];
      const auto dtype =
          contains(with_state, path) ? std::optional(builder.state_dtype()) : std::nullopt;
      const bool added = add_encoded(builder, encode_image_file(embedder, path, dtype)) &&
                         contains(plan.todo, path);
      const std::lock_guard<std::mutex> guard(mutex);
      result.added += added ? 1 : 0;
      if (options.advance) options.advance();
    });
    plan.todo.clear();
  }
  result.interrupted = stopped();
  return result;
}

}  // namespace bridgetower
