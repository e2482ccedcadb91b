// Many texts and pictures through the pipelines: in blocks, and with the bits of one by one.
#include <gtest/gtest.h>

#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/pipeline/retrieval.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

const std::string kModel = testing::test_data() + "/tiny_model";

Image picture(int seed) {
  Image image(48, 48, 3);
  for (int i = 0; i < 48 * 48 * 3; ++i) image.data()[i] = static_cast<std::uint8_t>(i * seed / 7);
  return image;
}

/// Of different lengths, so that blocks are padded.
std::vector<std::string> texts(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(std::string(1 + i % 11, 'a') + std::to_string(i));
  return all;
}

std::vector<float> values(const Tensor<float>& tensor) { return {tensor.begin(), tensor.end()}; }

TEST(ManyTexts, AreMatchedInBlocksWithTheBitsOfOneByOne) {
  const auto matcher = ImageTextMatcher::from_pretrained(kModel);
  const std::vector<ImageState<float>> images{matcher.encode(picture(3)),
                                              matcher.encode(picture(5))};
  const std::vector<std::string> all = texts(19);
  std::vector<TextState<float>> states;
  for (const std::string& text : all) states.push_back(matcher.encode(text));
  const Tensor<float> expected = matcher.match(images, states);
  const Tensor<float> scores = matcher.match_texts(images, all);
  EXPECT_EQ(scores.shape(), (Shape{2, 19}));
  EXPECT_EQ(values(scores), values(expected));
  EXPECT_EQ(matcher.match_texts(images, {}).shape(), (Shape{2, 0}));
  EXPECT_EQ(matcher.match_texts({}, all).shape(), (Shape{0, 19}));
  EXPECT_EQ(matcher.match({}, {}).shape(), (Shape{0, 0}));
  EXPECT_EQ(matcher.logits(std::vector<StatePair<float>>{}).shape(), (Shape{0, 2}));
}

TEST(ManyTexts, AreEmbeddedInBlocksWithTheBitsOfOneByOne) {
  const auto embedder = Embedder::from_pretrained(kModel);
  const std::vector<std::string> all = texts(130);
  const Tensor<float> vectors = embedder.embed(all);
  ASSERT_EQ(vectors.shape(), (Shape{130, 16}));
  for (const std::int64_t i : {0, 63, 64, 127, 128, 129}) {
    EXPECT_EQ(values(vectors.row(i)), values(embedder.embed(all[static_cast<std::size_t>(i)])));
  }
  EXPECT_EQ(embedder.embed(std::vector<std::string>{}).shape(), (Shape{0, 16}));
}

TEST(ManyPictures, AreEmbeddedOneAfterTheOther) {
  const auto embedder = Embedder::from_pretrained(kModel);
  const Tensor<float> vectors = embedder.embed_images({picture(3), picture(5)});
  EXPECT_EQ(values(vectors.row(0)), values(embedder.embed(picture(3))));
  EXPECT_EQ(values(vectors.row(1)), values(embedder.embed(picture(5))));
  EXPECT_EQ(embedder.embed_images({}).shape(), (Shape{0, 16}));
}

TEST(ManyTexts, AreFilledWithOneImageState) {
  const auto filler = MaskFiller::from_pretrained(kModel);
  const ImageState<float> image = filler.encode(picture(3));
  for (const char* const text : {"a <mask>", "<mask> b <mask>"}) {
    const auto expected = filler.fill(picture(3), text, 3);
    const auto filled = filler.fill(image, text, 3);
    ASSERT_EQ(filled.size(), expected.size());
    for (std::size_t i = 0; i < filled.size(); ++i) {
      EXPECT_EQ(filled[i].position, expected[i].position);
      for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(filled[i].candidates[k].score, expected[i].candidates[k].score);
        EXPECT_EQ(filled[i].candidates[k].sequence, expected[i].candidates[k].sequence);
      }
    }
  }
  EXPECT_THROW(filler.fill(image, "no gap"), InputError);
}

}  // namespace
}  // namespace bridgetower
