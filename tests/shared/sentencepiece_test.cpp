// The SentencePiece model beside the project, where it is at hand (CMake looks for the folder).
#include <gtest/gtest.h>

#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;

const std::filesystem::path kFolder =
    std::filesystem::path(testing::shared_directory()) / "sentencepiece";

TEST(SharedSentencePiece, AgreesWithBothReferences) {
  const testing::TemporaryDirectory directory;
  std::filesystem::copy_file(kFolder / "toy.model", directory.path() / "sentencepiece.bpe.model");
  const auto tokenizer = XlmRobertaTokenizer::from_pretrained(directory.path());
  std::ifstream in(kFolder / "golden.jsonl");
  int rows = 0;
  for (std::string line; std::getline(in, line); ++rows) {
    const json row = json::parse(line);
    SCOPED_TRACE(row["text"].dump());
    const Encoding encoding = tokenizer->encode(row["text"].get<std::string>());
    EXPECT_EQ(json(encoding.input_ids), row["libsentencepiece_ids"]);
    EXPECT_EQ(tokenizer->decode(row["hf_fast_ids"].get<std::vector<std::int64_t>>(), true),
              row["hf_decoded_skip"]);
    if (!row["same"].get<bool>()) continue;
    EXPECT_EQ(json(encoding.tokens), row["hf_fast_tokens"]);
    EXPECT_EQ(json(encoding.offset_mapping), row["hf_fast_offsets"]);
  }
  EXPECT_EQ(rows, 43);
}

}  // namespace
}  // namespace bridgetower
