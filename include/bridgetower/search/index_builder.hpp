#pragma once

#include <bridgetower/core/error.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/search/embedding_index.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// Builds an index, or extends the one that a directory holds. Whatever is added is kept at once in
/// a journal beside the index; commit() makes a new index of both and puts it in the old one's
/// place in one step. A process that is killed leaves the old index, and a journal to resume from.
/// What is committed depends on the pictures alone: not on their order, not on interruptions.
/// Safe for concurrent use, except commit().
class IndexBuilder {
 public:
  struct Options {
    VectorType type = VectorType::kFloat32;
    std::optional<KeptStates>
        states;  ///< absent: as in the index that is extended, none in a new one
    std::optional<bool>
        graph;            ///< for approximate answers; absent: as in the index, none in a new one
    bool resume = false;  ///< go on with what an interrupted run left; otherwise it is dropped
  };

  /// `directory` is made where it is missing. `model` is the fingerprint of the model whose vectors
  /// [size] follow. Throws IoError (also where another builder works there), FormatError (a broken
  /// index), and InputError where the index is another model's or of another type.
  IndexBuilder(const std::filesystem::path& directory, const std::string& model, std::int64_t size,
               const Options& options);
  ~IndexBuilder();

  /// Whether the vector of this file, as it is now, is there.
  bool has(const ImageRecord& file) const;

  /// Of all pictures and of all files that failed.
  std::vector<std::string> paths() const;

  /// How many states can be kept, of the first pictures.
  std::int64_t state_limit() const;
  DType state_dtype() const;

  /// Those of the first state_limit() paths among the pictures and `more` that are no pictures with
  /// a state; `more` is in the order of bytes.
  std::vector<std::string> without_state(const std::vector<std::string>& more) const;

  /// Adds a picture or replaces it. vector [size]; `state` is what pack_state gives, or nothing.
  /// Throws IoError, ShapeError, and InputError for a vector with values that are no numbers, a
  /// path that is empty, or a state of another size.
  void add(const ImageRecord& file, const Tensor<float>& vector, std::string_view state = {});

  /// Takes a picture or a failed file out, if it is there.
  void remove(const std::string& path);

  /// Records a file that cannot be used, and takes out the picture it was.
  void fail(const std::string& path, const Error& error);
  void fail(const FailedImage& image);

  /// Writes the index of what is there now and drops the journal. States are kept up to the first
  /// picture that has none. Throws IoError; the old index and
  /// the journal are then as they were.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bridgetower
