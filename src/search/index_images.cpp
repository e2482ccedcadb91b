#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/search/index_images.hpp>
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
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) {
      below.push_back(it->path());
    } else if (is_image_name(it->path()) && !it->is_directory(ignored)) {
      images.files.push_back(it->path().string());
    }
  }
  if (error) {
    images.failed.emplace_back(directory.string(),
                               IoError(directory.string(), "cannot be read: " + error.message()));
  }
  for (const fs::path& next : below) walk(next, images);
}

/// Throws what reading, decoding or encoding throws.
EncodedImage encode(const Embedder& embedder, const std::string& path) {
  std::optional<ImageRecord> record = state_of(path);
  const std::string bytes = detail::read_file(path, ImageLimits().max_bytes);
  if (!record || record->bytes != bytes.size()) {
    throw IoError(path, "read", "a file that stays as it is", "one that changes");
  }
  record->sha256 = detail::sha256(bytes.data(), bytes.size());
  Tensor<float> vector = embedder.embed(Image::decode(bytes, path));
  detail::check_finite(path, vector);
  return {*std::move(record), std::move(vector), {}};
}

}  // namespace

ImageFiles find_images(const std::vector<std::string>& paths) {
  ImageFiles images;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      walk(tidied(path), images);
    } else {
      images.files.push_back(tidied(path));
    }
  }
  std::sort(images.files.begin(), images.files.end());
  images.files.erase(std::unique(images.files.begin(), images.files.end()), images.files.end());
  return images;
}

EncodedImage encode_image_file(const Embedder& embedder, const std::string& path) {
  try {
    return encode(embedder, path);
  } catch (const Error& error) {
    return {{}, {}, FailedImage{path, to_string(error.code()), error.what()}};
  }
}

bool add_encoded(IndexBuilder& builder, const EncodedImage& image) {
  if (image.failure) {
    builder.fail(*image.failure);
  } else {
    builder.add(image.file, image.vector);
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
  const IndexingPlan plan = plan_indexing(builder, images);
  IndexingResult result;
  result.removed = plan.removed;
  if (options.start) options.start(plan.todo.size());
  std::mutex mutex;
  ThreadPool threads(options.threads);
  threads.run(static_cast<std::int64_t>(plan.todo.size()), [&](std::int64_t i) {
    if (options.stop != nullptr && *options.stop) return;
    const std::string& path = plan.todo[static_cast<std::size_t>(i)];
    const bool added = add_encoded(builder, encode_image_file(embedder, path));
    const std::lock_guard<std::mutex> guard(mutex);
    result.added += added ? 1 : 0;
    if (options.advance) options.advance();
  });
  result.interrupted = options.stop != nullptr && *options.stop;
  return result;
}

}  // namespace bridgetower
