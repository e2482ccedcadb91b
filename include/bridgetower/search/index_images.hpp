#pragma once

#include <atomic>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower {

/// The files to index, in the order of their bytes, none twice, the directories that were given,
/// and those that could not be read.
struct ImageFiles {
  std::vector<std::string> files;
  std::vector<std::pair<std::string, IoError>> failed;
  std::vector<std::string> directories;
};

/// Files as they are given; of directories the files named *.png, *.jpg and *.jpeg (in any case) in
/// them and below. Links to files are followed, links to directories are not, so no loop is
/// entered. "./" and doubled slashes are left out of the paths.
ImageFiles find_images(const std::vector<std::string>& paths);

/// Room for the states of such a model's pictures. Throws InputError for another type than F32 and
/// BF16.
KeptStates kept_states(const BridgeTowerConfig& config, std::uint64_t max_bytes,
                       DType dtype = DType::kBF16);

/// A picture as its file is now and its vector [E], or why there is none.
struct EncodedImage {
  ImageRecord file;
  Tensor<float> vector;
  std::string state;  ///< packed; empty where none is wanted
  std::optional<FailedImage> failure;
};

EncodedImage encode_image_file(const Embedder& embedder, const std::string& path,
                               std::optional<DType> state_dtype = std::nullopt);

/// Adds a picture or records its failure; whether it was added. Throws as IndexBuilder::add does.
bool add_encoded(IndexBuilder& builder, const EncodedImage& image);

/// What brings an index up to date with files.
struct IndexingPlan {
  std::vector<std::string> todo;  ///< files that are new or changed, in the order of their bytes
  std::int64_t removed = 0;       ///< pictures whose files are gone
};

/// Takes out every picture whose file is gone, records directories that could not be read, and
/// lists what has to be encoded.
IndexingPlan plan_indexing(IndexBuilder& builder, const ImageFiles& images);

struct IndexingOptions {
  int threads = 0;                          ///< as in LoadOptions
  const std::atomic<bool>* stop = nullptr;  ///< once true, no further picture is begun
  /// How many pictures have to be encoded. Called again where states are wanted of further ones,
  /// as others failed.
  std::function<void(std::size_t total)> start;
  std::function<void()> advance;  ///< one is done; from one thread at a time
};

struct IndexingResult {
  std::int64_t added = 0;    ///< new or changed pictures
  std::int64_t removed = 0;  ///< pictures whose files are gone
  bool interrupted = false;
};

/// Brings an index up to date with files: encodes those that are new or changed (in bytes or time
/// of modification), records those that fail, takes out every picture whose file is gone. Where the
/// builder keeps states, those of its first pictures are made as well. Each
/// thread reads, decodes and encodes one picture at a time, so load the embedder with one thread.
/// Does not commit. Throws IoError where the journal cannot be written.
IndexingResult index_images(IndexBuilder& builder, const Embedder& embedder,
                            const ImageFiles& images, const IndexingOptions& options = {});

}  // namespace bridgetower
