#pragma once

#include <bridgetower/search/index_images.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bridgetower::postgres {

/// Throws InputError for what is no `postgres://USER@HOST:PORT/DATABASE`. The message does not
/// repeat it: there may be a password in it.
void check_url(const std::string& url);

/// A picture of a store and the scalar product of its vector with the query's.
struct StoredNeighbour {
  ImageRecord file;
  float similarity;
};

/// A collection in a database of PostgreSQL with pgvector: records and vectors of pictures, files
/// that failed, and the work that is left, in the schema "bridgetower" (docs/scaling.md). Any
/// number of processes may write to it and search it at the same time; each has a Store, a
/// connection of its own, and one thread at a time calls it.
///
/// Errors name the database without its password. What is said of a function comes beside IoError,
/// for a connection that fails or is lost and for whatever else the server refuses, in its words.
class Store {
 public:
  /// `url` as libpq takes it (`postgres://USER@HOST:PORT/DATABASE`); what it lacks comes from
  /// libpq's variables, such as PGPASSWORD, and ~/.pgpass. Throws InputError as check_url does,
  /// ConfigError where the server is too old.
  explicit Store(const std::string& url);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  /// The database, without a password.
  const std::string& place() const noexcept;

  /// Makes the tables where they are missing, for vectors [size] of the model with this
  /// fingerprint. Throws ConfigError where the server has no pgvector, InputError where the tables
  /// are another model's or `size` is beyond what pgvector can hold, FormatError where they are of
  /// another version.
  void create(const std::string& model, std::int64_t size);

  /// Whether there are tables, of whatever model.
  bool exists();

  /// Throws InputError where there are no tables or they are another model's; FormatError as
  /// create().
  void check_model(const std::string& model);

  /// Brings the store up to date with files, as bridgetower::index_images does, beside others that
  /// do the same: what is new or changed becomes work, blocks of which every process takes until
  /// there is none. A block is one transaction, so what a process that dies has taken is taken by
  /// another. Ends when all work is done, whoever does it. Pictures and failed files are taken out
  /// where they lie below images.directories and their files are gone. create() comes before it.
  IndexingResult index_images(const Embedder& embedder, const ImageFiles& images,
                              const IndexingOptions& options = {});

  /// Makes pgvector's HNSW index, or drops it. Throws InputError for vectors that are too long.
  void set_graph(bool wanted);

  std::int64_t images();

  /// Files that were met and could not be used, in the order of their paths.
  std::vector<FailedImage> failed();

  /// The pictures with the largest scalar products, as many as have to be looked at, best first and
  /// equal ones in the order of their paths. Exact, or with options.approximate by the HNSW index,
  /// which may miss some. A connection that is lost is made anew, once. query [E]. Throws
  /// ShapeError; InputError for options out of range, a filter with "[", no index to ask or more
  /// than 1000 pictures asked of it; FormatError for rows that hold something else than create()
  /// and index_images() put there.
  std::vector<StoredNeighbour> nearest(const Tensor<float>& query, const SearchOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bridgetower::postgres
