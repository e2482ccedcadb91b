// What ranks send each other comes back as it was.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpi/encoded_images.hpp"
#include "mpi/search_messages.hpp"

namespace bridgetower::mpi {
namespace {

const std::string kName = "photos/b\xe4/d.png";  // no UTF-8

Tensor<float> numbers() {
  const float least = std::numeric_limits<float>::denorm_min();
  return {{4}, std::vector<float>{-0.0F, least, 1.0F / 3.0F, -std::numeric_limits<float>::max()}};
}

void expect_same_bits(const Tensor<float>& found, const Tensor<float>& expected) {
  ASSERT_EQ(found.shape(), expected.shape());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found.data()[i], expected.data()[i]);
    EXPECT_EQ(std::signbit(found.data()[i]), std::signbit(expected.data()[i]));
  }
}

TEST(Messages, Paths) {
  const std::vector<std::string> paths = {kName, "", "b"};
  EXPECT_EQ(unpack_paths(pack_paths(paths)), paths);
  EXPECT_TRUE(unpack_paths(pack_paths({})).empty());
}

TEST(Messages, PicturesAndFilesThatAreNone) {
  EncodedImage picture;
  picture.file.path = kName;
  picture.file.bytes = std::uint64_t{1} << 63;
  picture.file.modified_ns = -5;
  picture.file.sha256.fill(0xFE);
  picture.vector = numbers();
  EncodedImage broken;
  broken.failure = FailedImage{kName, "format", "no picture"};
  const auto found = unpack_images(pack_images({picture, broken}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_FALSE(found[0].failure.has_value());
  EXPECT_EQ(found[0].file.path, kName);
  EXPECT_EQ(found[0].file.bytes, picture.file.bytes);
  EXPECT_EQ(found[0].file.modified_ns, -5);
  EXPECT_EQ(found[0].file.sha256, picture.file.sha256);
  expect_same_bits(found[0].vector, numbers());
  ASSERT_TRUE(found[1].failure.has_value());
  EXPECT_EQ(found[1].failure->path, kName);
  EXPECT_EQ(found[1].failure->code, "format");
  EXPECT_EQ(found[1].failure->message, "no picture");
}

TEST(Messages, Requests) {
  SearchOptions options;
  options.top_k = 3;
  options.rerank = 0;
  options.filter = kName;
  const Request found = unpack_request(pack_request({"bl\xfcue", numbers(), options}));
  EXPECT_EQ(found.text, "bl\xfcue");
  EXPECT_EQ(found.options.top_k, 3);
  EXPECT_EQ(found.options.rerank, 0);
  EXPECT_EQ(found.options.filter, kName);
  expect_same_bits(found.query, numbers());
}

}  // namespace
}  // namespace bridgetower::mpi
