#pragma once

#include <bridgetower/search/index_images.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "postgres/connection.hpp"

namespace bridgetower::postgres {

/// A file that this process has taken: nobody else has it until the transaction ends.
struct Claim {
  std::string path;
  bool is_stored = false;  ///< with this size and time of modification:
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
};

/// The work of a store, as one of the processes that share it sees it.
class Work {
 public:
  /// `connection` has been through create_schema() or check_schema().
  explicit Work(Connection& connection);

  /// Takes out what is gone below images.directories, records directories that could not be read,
  /// and adds the files that are new or changed to the work. How many pictures and failed files
  /// were taken out.
  std::int64_t plan(const ImageFiles& images);

  /// How many files are left, those that others have taken among them.
  std::int64_t left();

  /// Takes some of those that nobody has, in their order; at least `threads` of them where there
  /// are so many, and fewer at a time towards the end. Inside a transaction.
  std::vector<Claim> claim(int threads);

  /// Stores what was made of claims, which are no work any more once the transaction is committed.
  /// Those without a vector and a failure are only that.
  void finish(const std::vector<EncodedImage>& images);

 private:
  std::vector<std::string> gone(const std::vector<std::string>& directories);
  void stage(const std::vector<EncodedImage>& images);

  Connection& connection_;
};

}  // namespace bridgetower::postgres
