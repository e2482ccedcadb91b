// An index whose files are cut or overwritten in place while it is open, which no run of ours does.
#include <gtest/gtest.h>

#include <bridgetower/search/index_builder.hpp>
#include <chrono>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSize = 1000;
constexpr int kPictures = 100;

class ChangedFiles : public ::testing::Test {
 protected:
  ChangedFiles() {
    IndexBuilder builder(directory_.path(), std::string(64, 'a'), kSize, options());
    for (int i = 0; i < kPictures; ++i) {
      ImageRecord record;
      record.path = "picture " + std::to_string(100 + i);
      record.bytes = static_cast<std::uint64_t>(i);
      builder.add(record, vector(i), "state");
    }
    builder.commit();
  }

  static IndexBuilder::Options options() {
    IndexBuilder::Options options;
    options.states = KeptStates{5 * kPictures, 5, DType::kBF16};
    return options;
  }

  static Tensor<float> vector(int i) {
    Tensor<float> vector({kSize});
    vector(i) = 1;
    return vector;
  }

  /// The file of this kind, of whatever generation.
  fs::path file(const std::string& kind) const {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      if (entry.path().filename().string().rfind(kind + "-", 0) == 0) return entry.path();
    }
    ADD_FAILURE() << kind;
    return {};
  }

  EmbeddingIndex open() const { return EmbeddingIndex::open(directory_.path(), 2); }

  testing::TemporaryDirectory directory_;
};

template <class Call>
void expect_changed(const Call& call) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find("got one that has changed since"), std::string::npos)
        << error.what();
  }
}

/// Reading the pages that are gone would end the program.
TEST_F(ChangedFiles, VectorsThatAreCutAreAnError) {
  const EmbeddingIndex index = open();
  fs::resize_file(file("vectors"), 4096);
  expect_changed([&] { index.nearest(vector(3)); });
  expect_changed([&] { index.vector(kPictures - 1); });
  EXPECT_THROW(open(), FormatError);
}

TEST_F(ChangedFiles, VectorsThatAreOverwrittenAreAnError) {
  const EmbeddingIndex index = open();
  EXPECT_EQ(index.nearest(vector(3)).front().row, 3);
  std::fstream(file("vectors"), std::ios::in | std::ios::out | std::ios::binary) << "other bytes";
  fs::last_write_time(file("vectors"), fs::file_time_type::clock::now() + std::chrono::seconds(1));
  expect_changed([&] { index.nearest(vector(3)); });
}

TEST_F(ChangedFiles, RecordsAndPathsAreInMemory) {
  const EmbeddingIndex index = open();
  fs::resize_file(file("images"), 0);
  fs::resize_file(file("paths"), 0);
  EXPECT_EQ(index.path(99), "picture 199");
  EXPECT_EQ(index.record(42).bytes, 42U);
}

TEST_F(ChangedFiles, StatesThatAreCutAreAnError) {
  const EmbeddingIndex index = open();
  EXPECT_EQ(index.state(7), "state");
  fs::resize_file(file("states"), 7 * 5 + 2);
  EXPECT_EQ(index.state(6), "state");
  EXPECT_THROW(index.state(7), IoError);
}

/// What every commit does: other names, and the old files' bytes stay for whoever has them open.
TEST_F(ChangedFiles, AnIndexThatIsReplacedStaysAsItWasOpened) {
  const EmbeddingIndex index = open();
  {
    IndexBuilder builder(directory_.path(), std::string(64, 'a'), kSize, options());
    builder.remove("picture 103");
    builder.commit();
  }
  EXPECT_EQ(index.nearest(vector(3)).front().row, 3);
  EXPECT_EQ(index.path(3), "picture 103");
  EXPECT_EQ(open().images(), kPictures - 1);
}

}  // namespace
}  // namespace bridgetower
