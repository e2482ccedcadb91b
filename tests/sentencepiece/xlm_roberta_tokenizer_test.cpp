// tests/data/sentencepiece: a small model and what Hugging Face's XLMRobertaTokenizer makes of it
// (tools/make_sentencepiece_model.py).
#include <gtest/gtest.h>

#include <bridgetower/preprocessing/processor.hpp>
#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::expect_error;
using testing::read_all;
using testing::TemporaryDirectory;

const std::filesystem::path kData = std::filesystem::path(testing::test_data()) / "sentencepiece";
constexpr char kName[] = "sentencepiece.bpe.model";

std::vector<json> rows(const std::filesystem::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in.good()) << file;
  std::vector<json> all;
  for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
  EXPECT_FALSE(all.empty());
  return all;
}

json optional(const std::vector<std::optional<std::int64_t>>& values) {
  json all = json::array();
  for (const auto& value : values) all.push_back(value ? json(*value) : json());
  return all;
}

TEST(XlmRobertaTokenizer, AgreesWithHuggingFace) {
  const auto tokenizer = XlmRobertaTokenizer::from_pretrained(kData);
  for (const json& row : rows(kData / "golden.jsonl")) {
    SCOPED_TRACE(row["text"].dump());
    const auto text = row["text"].get<std::string>();
    const Encoding encoding = row["pair"].is_null()
                                  ? tokenizer->encode(text)
                                  : tokenizer->encode(text, row["pair"].get<std::string>());
    const auto ids = row["ids"].get<std::vector<std::int64_t>>();
    EXPECT_EQ(tokenizer->decode(ids), row["decoded"]);
    EXPECT_EQ(tokenizer->decode(ids, true), row["decoded_skip_special"]);
    if (row.contains("model_file_ids")) {  // where the engine is not SentencePiece
      EXPECT_EQ(json(encoding.input_ids), row["model_file_ids"]);
      continue;
    }
    EXPECT_EQ(encoding.input_ids, ids);
    EXPECT_EQ(json(encoding.tokens), row["tokens"]);
    EXPECT_EQ(json(encoding.offset_mapping), row["offsets"]);
    EXPECT_EQ(json(encoding.special_tokens_mask), row["special_tokens_mask"]);
    EXPECT_EQ(optional(encoding.word_ids), row["word_ids"]);
    EXPECT_EQ(optional(encoding.sequence_ids), row["sequence_ids"]);
  }
}

TEST(XlmRobertaTokenizer, NumbersTokensAsFairseq) {
  const auto tokenizer = XlmRobertaTokenizer::from_pretrained(kData);
  EXPECT_EQ(tokenizer->token_to_id("<s>"), 0);
  EXPECT_EQ(tokenizer->token_to_id("<pad>"), 1);
  EXPECT_EQ(tokenizer->token_to_id("</s>"), 2);
  EXPECT_EQ(tokenizer->token_to_id("<unk>"), 3);
  EXPECT_EQ(tokenizer->id_to_token(4), "\u2581");
  EXPECT_EQ(tokenizer->mask_token_id(), tokenizer->vocab_size() - 1);
  EXPECT_EQ(tokenizer->id_to_token(tokenizer->vocab_size() - 1), "<mask>");
  EXPECT_EQ(tokenizer->id_to_token(tokenizer->vocab_size()), std::nullopt);
  EXPECT_EQ(tokenizer->id_to_token(-1), std::nullopt);
  EXPECT_EQ(tokenizer->model_max_length(), 512);
}

TEST(XlmRobertaTokenizer, SharesOptionsWithEveryTokenizer) {
  const auto tokenizer = XlmRobertaTokenizer::from_pretrained(kData);
  EncodeOptions options;
  options.padding = Padding::kLongest;
  options.truncation = Truncation::kLongestFirst;
  options.max_length = 5;
  const auto batch = tokenizer->encode_batch({"a cat is looking", "<mask>"}, options);
  EXPECT_EQ(batch[0].size(), 5U);
  const std::int64_t mask = tokenizer->mask_token_id();
  EXPECT_EQ(batch[1].input_ids, (std::vector<std::int64_t>{0, mask, 2, 1, 1}));
  EXPECT_EQ(batch[1].attention_mask, (std::vector<std::int64_t>{1, 1, 1, 0, 0}));
  EncodeOptions plain;
  plain.split_special_tokens = true;
  EXPECT_NE(tokenizer->encode("<mask>", plain).input_ids, tokenizer->encode("<mask>").input_ids);
}

TEST(XlmRobertaTokenizer, RepairsOrRefusesInvalidUtf8) {
  const auto tokenizer = XlmRobertaTokenizer::from_pretrained(kData);
  EXPECT_EQ(tokenizer->encode("a\xFF").input_ids, tokenizer->encode("a\uFFFD").input_ids);
  EncodeOptions strict;
  strict.invalid_utf8 = InvalidUtf8::kError;
  expect_error(ErrorCode::kInput, "text: byte 1 is not UTF-8",
               [&] { tokenizer->encode("a\xFF", strict); });
}

TEST(XlmRobertaTokenizer, ServesAProcessor) {
  const BridgeTowerProcessor processor(BridgeTowerImageProcessor(ImageProcessorConfig()),
                                       XlmRobertaTokenizer::from_pretrained(kData));
  EncodeOptions options;
  options.padding = Padding::kLongest;
  const BatchEncoding texts = processor.encode_texts({"a cat", "two dogs are running"}, options);
  EXPECT_EQ(texts.input_ids.dim(0), 2);
  EXPECT_EQ(processor.decode(texts.input_ids.row(0), true), "a cat");
}

// A model file, written by hand.

std::string field(int number, const std::string& bytes) {
  std::string out{static_cast<char>(number << 3 | 2)};
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>((size & 0x7F) | 0x80);
  return out + static_cast<char>(size) + bytes;
}

std::string number_field(int number, int value) {  // numbers and values of one byte, or two
  std::string out;
  const int key = number << 3;
  if (key >= 0x80) out += static_cast<char>((key & 0x7F) | 0x80);
  out += static_cast<char>(key >= 0x80 ? key >> 7 : key);
  return out + static_cast<char>(value);
}

std::string piece(const std::string& text, int type = 1, float score = -1) {
  std::uint32_t bits;
  std::memcpy(&bits, &score, sizeof bits);
  std::string number{'\x15'};
  for (int shift = 0; shift < 32; shift += 8) number += static_cast<char>(bits >> shift & 0xFF);
  return field(1, field(1, text) + number + number_field(3, type));
}

const std::string kSpecial = piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3);
const std::string kSmall = kSpecial + piece("\u2581") + piece("a");

class XlmRobertaModel : public ::testing::Test {
 protected:
  std::shared_ptr<const XlmRobertaTokenizer> load(const std::string& model) const {
    directory_.write(kName, model);
    return XlmRobertaTokenizer::from_pretrained(directory_.path());
  }

  /// The model must be refused with this message behind the name of its file, and in silence.
  void expect_refused(const std::string& model, const std::string& message) const {
    ::testing::internal::CaptureStderr();
    expect_error(ErrorCode::kFormat, (directory_.path() / kName).string() + ": " + message,
                 [&] { load(model); });
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  }

  TemporaryDirectory directory_;
};

constexpr char kBroken[] =
    "bytes: expected a SentencePiece model, got others, or the end before it";

TEST_F(XlmRobertaModel, TakesASmallModel) {
  EXPECT_EQ(load(kSmall)->encode("aa").input_ids, (std::vector<std::int64_t>{0, 4, 5, 5, 2}));
}

TEST_F(XlmRobertaModel, KeepsTheFirstOfEqualSegmentations) {
  // As SentencePiece's own program segments it.
  EXPECT_EQ(load(kSmall + piece("aa"))->encode("aaa").tokens,
            (std::vector<std::string>{"<s>", "\u2581", "a", "aa", "</s>"}));
}

TEST_F(XlmRobertaModel, NamesAMissingFile) {
  expect_error(ErrorCode::kIo,
               (directory_.path() / kName).string() +
                   ": open: expected a regular file, got No such file or directory",
               [&] { XlmRobertaTokenizer::from_pretrained(directory_.path()); });
}

TEST_F(XlmRobertaModel, ReadsTheFlagsOfSpecialTokensAndRefusesOthers) {
  const std::string config = (directory_.path() / "tokenizer_config.json").string();
  directory_.write("tokenizer_config.json",
                   R"({"added_tokens_decoder": {"6": {"content": "<mask>", "rstrip": true}}})");
  EXPECT_EQ(load(kSmall)->encode("a <mask> a").tokens,
            (std::vector<std::string>{"<s>", "\u2581", "a", "<mask> ", "\u2581", "a", "</s>"}));
  directory_.write("tokenizer_config.json",
                   R"({"added_tokens_decoder": {"7": {"content": "<new>"}}})");
  expect_error(ErrorCode::kFormat,
               config + ": added_tokens_decoder: expected the five special tokens, got \"<new>\"",
               [&] { load(kSmall); });
}

TEST_F(XlmRobertaModel, RefusesBytesThatAreNoModel) {
  expect_refused("", "pieces: expected 4 or more, got 0");
  expect_refused("garbage", kBroken);
  expect_refused(std::string(1000, '\xFF'), kBroken);
  expect_refused("{\"version\": \"1.0\"}", kBroken);
  expect_refused(kSmall + "\x0B", kBroken);                           // a group
  expect_refused(kSmall + number_field(1, 1), kBroken);               // a piece that is a number
  expect_refused(kSmall + field(3, field(3, "true")), kBroken);       // a flag that is a text
  expect_refused(kSmall + field(1, number_field(2, 1)), kBroken);     // a score that is an integer
  expect_refused(kSmall + "\x0A\xFF\xFF\xFF\xFF\x7F text", kBroken);  // longer than the file
}

TEST_F(XlmRobertaModel, RefusesEveryTruncatedModelOrReadsItsBeginning) {
  const std::string model = read_all(kData / kName);
  for (std::size_t size = 0; size < model.size(); size += 31) {
    try {
      load(model.substr(0, size))->encode("a cat \u00bd");
    } catch (const FormatError&) {
    }
  }
}

TEST_F(XlmRobertaModel, SurvivesEveryBrokenByte) {
  const std::string model = read_all(kData / kName);
  for (std::size_t i = 0; i < model.size(); i += 17) {
    std::string broken = model;
    broken[i] = static_cast<char>(broken[i] ^ (0x55 + static_cast<int>(i % 97)));
    try {
      load(broken)->encode("a cat \u00bd \u2460 cre\u0302me \uFF21");
    } catch (const FormatError&) {
    }
  }
}

TEST_F(XlmRobertaModel, RefusesOtherKindsOfModels) {
  const std::string place = "trainer_spec.model_type: expected 1 (Unigram), got ";
  expect_refused(kSmall + field(2, number_field(3, 2)), place + "2 (BPE)");
  expect_refused(kSmall + field(2, number_field(3, 3)), place + "3 (word)");
  expect_refused(kSmall + field(2, number_field(3, 4)), place + "4 (char)");
  expect_refused(kSmall + field(2, number_field(3, 9)), place + "9");
  expect_refused(kSmall + field(2, number_field(24, 1)),
                 "trainer_spec.treat_whitespace_as_suffix: expected false, got true");
  expect_refused(kSmall + field(3, number_field(3, 0)),
                 "normalizer_spec.add_dummy_prefix: expected true, got false");
  expect_refused(kSmall + field(3, number_field(4, 0)),
                 "normalizer_spec.remove_extra_whitespaces: expected true, got false");
  expect_refused(kSmall + field(3, number_field(5, 0)),
                 "normalizer_spec.escape_whitespaces: expected true, got false");
}

TEST_F(XlmRobertaModel, RefusesOtherSpecialPieces) {
  expect_refused(piece("<pad>", 3) + kSpecial + piece("a"),
                 "piece 0: expected \"<unk>\" of type 2, got \"<pad>\" of type 3");
  expect_refused(piece("<unk>", 2) + piece("</s>", 3) + piece("<s>", 3) + piece("a"),
                 "piece 1: expected \"<s>\" of type 3, got \"</s>\" of type 3");
  expect_refused(piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 1) + piece("a"),
                 "piece 2: expected \"</s>\" of type 3, got \"</s>\" of type 1");
  expect_refused(kSpecial, "pieces: expected 4 or more, got 3");
}

TEST_F(XlmRobertaModel, RefusesPiecesOfOtherKinds) {
  expect_refused(kSmall + piece("<0x41>", 6),
                 "piece 5: expected a text of type 1, got \"<0x41>\" of type 6");
  expect_refused(kSmall + piece("<sep>", 4),
                 "piece 5: expected a text of type 1, got \"<sep>\" of type 4");
  expect_refused(kSmall + piece(""), "piece 5: expected a text of type 1, got \"\" of type 1");
  expect_refused(kSmall + piece("\xC3"),
                 "piece 5: expected a text of type 1, got \"\\xc3\" of type 1");
  expect_refused(kSmall + piece(std::string("a\0b", 3)),
                 "piece 5: expected a text of type 1, got \"a\\x00b\" of type 1");
  expect_refused(kSmall + piece("a"), "piece \"a\": expected once, got twice");
  expect_refused(kSmall + piece("<mask>"), "piece \"<mask>\": expected once, got twice");
  for (const float score :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 1e30F}) {
    expect_refused(kSmall + piece("b", 1, score),
                   "piece 5 \"b\": expected a score, got a number out of range");
  }
}

TEST_F(XlmRobertaModel, RefusesBrokenTablesOfReplacements) {
  const auto with_table = [](const std::string& table) {
    return kSmall + field(3, field(2, table));
  };
  const std::string place = "normalizer_spec.precompiled_charsmap: expected ";
  expect_refused(with_table("abc"), place + "a trie and its size in front, got 3 bytes");
  expect_refused(with_table(std::string("\x08\0\0\0abcd", 8)),
                 place + "a trie and its size in front, got 8 bytes");
  expect_refused(with_table(std::string("\x04\0\0\0abcd", 8)),
                 place + "replacements in UTF-8 that end in a zero byte, got others");
  expect_refused(with_table(std::string("\x04\0\0\0abcd\xFF\0", 10)),
                 place + "replacements in UTF-8 that end in a zero byte, got others");
  expect_refused(
      with_table(std::string("\x04\0\0\0abcd", 8) + std::string(257, 'x') + std::string(1, '\0')),
      place + "replacements of at most 256 bytes, got 257 bytes");
  // A trie that leads outside of itself ends the search.
  const std::string outside = std::string("\x04\0\0\0\xFF\xFF\xFF\x7F", 8) + std::string("x\0", 2);
  EXPECT_EQ(load(with_table(outside))->encode("a").input_ids,
            (std::vector<std::int64_t>{0, 4, 5, 2}));
}

TEST_F(XlmRobertaModel, TakesLongTexts) {
  const auto tokenizer = load(kSmall);
  EXPECT_EQ(tokenizer->encode(std::string(300000, 'a')).size(), 300003U);
  EXPECT_EQ(tokenizer->encode(std::string(300000, ' ')).size(), 2U);
  EXPECT_EQ(tokenizer->encode(std::string(300000, 'z')).size(), 4U);
}

}  // namespace
}  // namespace bridgetower
