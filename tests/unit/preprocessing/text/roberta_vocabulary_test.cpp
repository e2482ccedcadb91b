// The real RoBERTa vocabulary, where it is at hand: every golden of Hugging Face's engine.
#include <gtest/gtest.h>

#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/paths.hpp"
#include "tests/support/sha256.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::read_all;
using testing::TemporaryDirectory;

const std::filesystem::path kFolder =
    std::filesystem::path(testing::shared_directory()) / "roberta";

std::vector<json> rows(const std::string& name) {
  std::ifstream in(kFolder / "golden" / (name + ".jsonl"));
  EXPECT_TRUE(in.good()) << name;
  std::vector<json> all;
  for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
  return all;
}

class RobertaVocabulary : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << "the real vocabulary is not at hand";
    tokenizer_ = RobertaTokenizer::from_pretrained(kFolder);
  }

  /// The tokenizer with other flags in its tokenizer.json.
  static std::shared_ptr<const RobertaTokenizer> with_flags(bool add_prefix_space, bool trim) {
    json file = json::parse(read_all(kFolder / "tokenizer.json"));
    file["pre_tokenizer"]["add_prefix_space"] = add_prefix_space;
    file["post_processor"]["add_prefix_space"] = add_prefix_space;
    file["post_processor"]["trim_offsets"] = trim;
    const TemporaryDirectory directory;
    directory.write("tokenizer.json", file.dump());
    return RobertaTokenizer::from_pretrained(directory.path());
  }

  static void expect_equal(const Encoding& actual, const json& expected) {
    EXPECT_EQ(json(actual.input_ids), expected["ids"]);
    if (!expected.contains("tokens")) return;  // overflow of the longest text
    EXPECT_EQ(json(actual.tokens), expected["tokens"]);
    EXPECT_EQ(json(actual.offset_mapping), expected["offsets"]);
    EXPECT_EQ(json(actual.attention_mask), expected["attention_mask"]);
    EXPECT_EQ(json(actual.special_tokens_mask), expected["special_tokens_mask"]);
    EXPECT_EQ(optional(actual.word_ids), expected["word_ids"]);
    EXPECT_EQ(optional(actual.sequence_ids), expected["sequence_ids"]);
  }

  static json optional(const std::vector<std::optional<std::int64_t>>& values) {
    json all = json::array();
    for (const auto& value : values) all.push_back(value ? json(*value) : json());
    return all;
  }

  std::shared_ptr<const RobertaTokenizer> tokenizer_;
};

TEST_F(RobertaVocabulary, EncodesAndDecodesSingleTexts) {
  const auto prefixed = with_flags(true, true);
  const auto untrimmed = with_flags(false, false);
  for (const json& row : rows("single")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const auto text = row["text"].get<std::string>();
    const Encoding encoding = tokenizer_->encode(text);
    expect_equal(encoding, row);
    EXPECT_EQ(json(untrimmed->encode(text).offset_mapping), row["offsets_untrimmed"]);
    const Encoding other = prefixed->encode(text);
    EXPECT_EQ(json(other.input_ids), row["prefix_space"]["ids"]);
    EXPECT_EQ(json(other.offset_mapping), row["prefix_space"]["offsets"]);
    EXPECT_EQ(tokenizer_->decode(encoding.input_ids), row["decoded"]);
    EXPECT_EQ(tokenizer_->decode(encoding.input_ids, true), row["decoded_skip_special"]);
  }
}

TEST_F(RobertaVocabulary, EncodesPairs) {
  for (const json& row : rows("pair")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const auto text = row["text"].get<std::string>();
    const auto pair = row["pair"].get<std::string>();
    expect_equal(tokenizer_->encode(text, pair), row);
    EncodeOptions plain;
    plain.add_special_tokens = false;
    EXPECT_EQ(json(tokenizer_->encode(text, pair, plain).input_ids), row["no_special"]);
  }
}

TEST_F(RobertaVocabulary, TruncatesAndKeepsWhatOverflows) {
  for (const json& row : rows("truncation")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    EncodeOptions options;
    const std::string strategy = row["strategy"];
    options.truncation = strategy == "only_first"    ? Truncation::kOnlyFirst
                         : strategy == "only_second" ? Truncation::kOnlySecond
                                                     : Truncation::kLongestFirst;
    options.max_length = row["max_length"].get<std::int64_t>();
    options.stride = row["stride"].get<std::int64_t>();
    options.truncation_side = row["direction"] == "left" ? Side::kLeft : Side::kRight;
    options.return_overflowing_tokens = true;
    const auto text = row["text"].get<std::string>();
    const auto encode = [&] {
      return row["pair"].is_null()
                 ? tokenizer_->encode(text, options)
                 : tokenizer_->encode(text, row["pair"].get<std::string>(), options);
    };
    if (row.contains("error")) {
      EXPECT_THROW(encode(), InputError);
      continue;
    }
    const Encoding encoding = encode();
    expect_equal(encoding, row);
    ASSERT_EQ(encoding.overflowing.size(), row["overflowing"].size());
    for (std::size_t i = 0; i < encoding.overflowing.size(); ++i) {
      expect_equal(encoding.overflowing[i], row["overflowing"][i]);
    }
  }
}

TEST_F(RobertaVocabulary, PadsBatches) {
  for (const json& row : rows("padding")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    EncodeOptions options;
    options.padding_side = row["direction"] == "Left" ? Side::kLeft : Side::kRight;
    options.padding = Padding::kLongest;
    if (row["strategy"].is_object()) {
      options.padding = Padding::kMaxLength;
      options.max_length = row["strategy"]["Fixed"].get<std::int64_t>();
    }
    if (!row["pad_to_multiple_of"].is_null()) {
      options.pad_to_multiple_of = row["pad_to_multiple_of"].get<std::int64_t>();
    }
    const auto encodings =
        tokenizer_->encode_batch(row["texts"].get<std::vector<std::string>>(), options);
    ASSERT_EQ(encodings.size(), row["encodings"].size());
    for (std::size_t i = 0; i < encodings.size(); ++i) {
      expect_equal(encodings[i], row["encodings"][i]);
    }
  }
}

TEST_F(RobertaVocabulary, DecodesIds) {
  for (const json& row : rows("decode")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const auto ids = row["ids"].get<std::vector<std::int64_t>>();
    EXPECT_EQ(tokenizer_->decode(ids), row["decoded"]);
    EXPECT_EQ(tokenizer_->decode(ids, true), row["decoded_skip_special"]);
  }
}

TEST_F(RobertaVocabulary, ReadsVocabAndMergesTheSame) {
  const TemporaryDirectory directory;
  for (const char* name : {"vocab.json", "merges.txt"}) {
    std::filesystem::copy_file(kFolder / name, directory.path() / name);
  }
  const auto other = RobertaTokenizer::from_pretrained(directory.path());
  for (const json& row : rows("single")) {
    expect_equal(other->encode(row["text"].get<std::string>()), row);
  }
}

/// The texts of big.jsonl, by name.
std::string big_text(const std::string& name) {
  const auto repeated = [](const std::string& part, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += part;
    return text.substr(0, bytes);
  };
  if (name == "ascii_words") return repeated("The cat sat on the mat. ", 100000);
  if (name == "one_word") return repeated("abcdefghij", 100000);
  if (name == "spaces") return std::string(100000, ' ');
  if (name == "emoji") return repeated("\xF0\x9F\x98\x80", 200000);
  return repeated("\xE7\x8C\xAB", 300000);
}

TEST_F(RobertaVocabulary, TakesLongInputsInLinearTime) {
  for (const json& row : rows("big")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const Encoding encoding = tokenizer_->encode(big_text(row["name"]));
    std::string bytes;
    for (const std::int64_t id : encoding.input_ids) {
      for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(id >> shift & 0xFF);
    }
    EXPECT_EQ(encoding.size(), row["n"].get<std::size_t>());
    EXPECT_EQ(testing::sha256(bytes), row["sha256_le32"]);
  }
}

}  // namespace
}  // namespace bridgetower
