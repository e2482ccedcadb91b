// The tokenizer of tests/data/tiny_model: goldens of Hugging Face's engine
// (tools/make_text_goldens.py), and files and arguments that are refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <fstream>
#include <map>
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

const std::filesystem::path kData = testing::test_data();
const std::filesystem::path kTiny = kData / "tiny_model";

json tiny_json() { return json::parse(read_all(kTiny / "tokenizer.json")); }

std::shared_ptr<const RobertaTokenizer> tiny() { return RobertaTokenizer::from_pretrained(kTiny); }

std::shared_ptr<const RobertaTokenizer> tokenizer_from(const json& file) {
  const TemporaryDirectory directory;
  directory.write("tokenizer.json", file.dump());
  return RobertaTokenizer::from_pretrained(directory.path());
}

std::shared_ptr<const RobertaTokenizer> with_flags(const json& flags) {
  json file = tiny_json();
  const bool prefix = flags.value("add_prefix_space", false);
  file["pre_tokenizer"]["add_prefix_space"] = prefix;
  file["post_processor"]["add_prefix_space"] = prefix;
  file["post_processor"]["trim_offsets"] = flags.value("trim_offsets", true);
  return tokenizer_from(file);
}

EncodeOptions options_from(const json& given) {
  static const std::map<std::string, Truncation> truncations{
      {"longest_first", Truncation::kLongestFirst},
      {"only_first", Truncation::kOnlyFirst},
      {"only_second", Truncation::kOnlySecond}};
  EncodeOptions options;
  options.add_special_tokens = given.value("add_special_tokens", true);
  options.split_special_tokens = given.value("split_special_tokens", false);
  options.stride = given.value("stride", 0);
  options.return_overflowing_tokens = true;
  if (given.contains("max_length")) options.max_length = given["max_length"].get<std::int64_t>();
  if (given.contains("truncation")) options.truncation = truncations.at(given["truncation"]);
  if (given.value("truncation_side", "right") == "left") options.truncation_side = Side::kLeft;
  if (given.contains("padding")) {
    options.padding = given["padding"] == "longest" ? Padding::kLongest : Padding::kMaxLength;
    if (given.value("padding_side", "right") == "left") options.padding_side = Side::kLeft;
    const json multiple = given.value("pad_to_multiple_of", json());
    if (!multiple.is_null()) options.pad_to_multiple_of = multiple.get<std::int64_t>();
  }
  return options;
}

json optional(const std::vector<std::optional<std::int64_t>>& values) {
  json all = json::array();
  for (const auto& value : values) all.push_back(value ? json(*value) : json());
  return all;
}

void expect_equal(const Encoding& actual, const json& expected) {
  const json fields{{"ids", actual.input_ids},
                    {"tokens", actual.tokens},
                    {"offsets", actual.offset_mapping},
                    {"mask", actual.attention_mask},
                    {"special", actual.special_tokens_mask},
                    {"words", optional(actual.word_ids)},
                    {"sequences", optional(actual.sequence_ids)}};
  for (const auto& [name, value] : expected.items()) {
    if (name == "overflowing") continue;
    EXPECT_EQ(fields[name], value) << name;
  }
  const json parts = expected.value("overflowing", json::array());
  ASSERT_EQ(actual.overflowing.size(), parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) expect_equal(actual.overflowing[i], parts[i]);
}

/// One row of goldens: a batch of texts, or of pairs one by one.
void check_batch(const RobertaTokenizer& tokenizer, const json& row) {
  const EncodeOptions options = options_from(row["options"]);
  std::vector<std::string> texts;
  for (const json& item : row["texts"]) texts.push_back(item[0].get<std::string>());
  const auto encode = [&] {
    if (row["texts"][0][1].is_null()) return tokenizer.encode_batch(texts, options);
    std::vector<Encoding> encodings;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      encodings.push_back(
          tokenizer.encode(texts[i], row["texts"][i][1].get<std::string>(), options));
    }
    return encodings;
  };
  if (row.contains("error")) {
    EXPECT_THROW(encode(), InputError);
    return;
  }
  const std::vector<Encoding> encodings = encode();
  ASSERT_EQ(encodings.size(), row["encodings"].size());
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    SCOPED_TRACE(row["texts"][i].dump());
    expect_equal(encodings[i], row["encodings"][i]);
  }
}

TEST(RobertaTokenizer, AgreesWithHuggingFace) {
  std::ifstream in(kData / "text" / "tiny_model.jsonl");
  std::map<std::string, std::shared_ptr<const RobertaTokenizer>> tokenizers;
  int rows = 0;
  for (std::string line; std::getline(in, line); ++rows) {
    const json row = json::parse(line);
    SCOPED_TRACE("row " + std::to_string(rows) + " " + row.value("options", json()).dump());
    auto& tokenizer = tokenizers[row.value("flags", json::object()).dump()];
    if (!tokenizer) tokenizer = with_flags(row.value("flags", json::object()));
    if (row.contains("options")) {
      check_batch(*tokenizer, row);
    } else {
      const auto ids = row["ids"].get<std::vector<std::int64_t>>();
      EXPECT_EQ(tokenizer->decode(ids), row["decoded"]);
      EXPECT_EQ(tokenizer->decode(ids, true), row["decoded_skip_special"]);
    }
  }
  EXPECT_GT(rows, 190);
}

TEST(RobertaTokenizer, KnowsItsSpecialTokens) {
  const auto tokenizer = tiny();
  EXPECT_EQ(tokenizer->cls_token_id(), 0);
  EXPECT_EQ(tokenizer->pad_token_id(), 1);
  EXPECT_EQ(tokenizer->sep_token_id(), 2);
  EXPECT_EQ(tokenizer->mask_token_id(), 319);
  EXPECT_EQ(tokenizer->vocab_size(), 320);
  EXPECT_EQ(tokenizer->model_max_length(), 38);
  EXPECT_EQ(tokenizer->token_to_id("nothing"), std::nullopt);
  EXPECT_EQ(tokenizer->id_to_token(320), std::nullopt);
  EXPECT_EQ(tokenizer->batch_decode({{0, 68, 2}, {319}}),
            (std::vector<std::string>{"<s>a</s>", "<mask>"}));
}

TEST(RobertaTokenizer, TakesModelMaxLengthWhereNoneIsGiven) {
  EncodeOptions options;
  options.truncation = Truncation::kLongestFirst;
  options.padding = Padding::kMaxLength;
  EXPECT_EQ(tiny()->encode(std::string(100, '!'), options).size(), 38U);
  EXPECT_EQ(tiny()->encode("a", options).size(), 38U);
  // HF: without a limit nothing is cut or padded.
  const auto unlimited = tokenizer_from(tiny_json());
  EXPECT_EQ(unlimited->model_max_length(), std::nullopt);
  EXPECT_EQ(unlimited->encode(std::string(100, '!'), options).size(), 102U);
  EXPECT_EQ(unlimited->encode("a", options).size(), 3U);
}

TEST(RobertaTokenizer, OverlaysTokenizerConfig) {
  const TemporaryDirectory directory;
  directory.write("tokenizer.json", tiny_json().dump());
  directory.write("tokenizer_config.json", R"({
    "add_prefix_space": true, "trim_offsets": false, "model_max_length": 1e30,
    "padding_side": "left", "truncation_side": "left",
    "added_tokens_decoder": {
      "1000": {"content": "<second>", "special": true},
      "320": {"content": "<new>", "rstrip": true},
      "319": {"content": "<mask>", "special": true}}})");
  const auto tokenizer = RobertaTokenizer::from_pretrained(directory.path());
  EXPECT_EQ(tokenizer->model_max_length(), std::nullopt);
  EXPECT_EQ(tokenizer->token_to_id("<new>"), 320);
  EXPECT_EQ(tokenizer->token_to_id("<second>"), 321);
  EXPECT_EQ(tokenizer->encode("a").tokens, (std::vector<std::string>{"<s>", "\u0120a", "</s>"}));
  // <mask> without lstrip leaves the space before it; <new> takes the one behind it.
  EXPECT_EQ(tokenizer->encode("a <mask><new> a").tokens,
            (std::vector<std::string>{"<s>", "\u0120a", "\u0120", "<mask>", "<new> ", "\u0120a",
                                      "</s>"}));
  EncodeOptions options;
  options.truncation = Truncation::kLongestFirst;
  options.padding = Padding::kMaxLength;
  options.max_length = 4;
  EXPECT_EQ(tokenizer->encode("a", options).input_ids.front(), 1);
  EXPECT_EQ(tokenizer->encode("b!a", options).tokens,
            (std::vector<std::string>{"<s>", "!", "a", "</s>"}));
}

TEST(RobertaTokenizer, ReadsMergesInEveryForm) {
  const auto expected = tiny()->encode("two dogs # ## are running");
  json strings = tiny_json();
  json& merges = strings["model"]["merges"];
  for (json& merge : merges) {
    if (merge.is_array()) merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  merges.insert(merges.begin(), "#version: 0.2");
  strings["model"].erase("type");  // as in roberta-base's own file
  EXPECT_EQ(tokenizer_from(strings)->encode("two dogs # ## are running").input_ids,
            expected.input_ids);

  const std::string lines = read_all(kTiny / "merges.txt");
  std::string crlf;
  for (const char c : lines) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const std::string headless = lines.substr(lines.find('\n') + 1);
  for (const std::string& text : {lines, crlf, headless, headless.substr(0, headless.size() - 1)}) {
    const TemporaryDirectory directory;
    directory.write("vocab.json", read_all(kTiny / "vocab.json"));
    directory.write("merges.txt", text);
    const auto tokenizer = RobertaTokenizer::from_pretrained(directory.path());
    EXPECT_EQ(tokenizer->encode("two dogs # ## are running").input_ids, expected.input_ids);
    EXPECT_EQ(tokenizer->encode("a <mask>").input_ids, tiny()->encode("a <mask>").input_ids);
  }
}

TEST(RobertaTokenizer, TakesAMergeThatBeginsWithAHash) {
  json file = tiny_json();
  file["model"]["vocab"]["##"] = 320;
  file["model"]["merges"].push_back({"#", "#"});
  EXPECT_EQ(tokenizer_from(file)->encode("###").tokens,
            (std::vector<std::string>{"<s>", "##", "#", "</s>"}));
}

TEST(RobertaTokenizer, TakesWholeWordsThatNoMergeMakesWhereTheFileSaysSo) {
  json file = tiny_json();
  file["model"]["vocab"]["qq"] = 320;
  file["model"]["vocab"]["\u0120qq"] = 321;
  EXPECT_EQ(tokenizer_from(file)->encode("qq qq qq").input_ids.size(), 2U + 2 + 3 + 3);
  file["model"]["ignore_merges"] = true;
  EXPECT_EQ(tokenizer_from(file)->encode("qq qq qq").input_ids,
            (std::vector<std::int64_t>{0, 320, 321, 321, 2}));
}

TEST(RobertaTokenizer, MatchesSpecialTokensThatTheFileDoesNotList) {
  json file = tiny_json();
  file["added_tokens"] = json::array();
  EXPECT_EQ(tokenizer_from(file)->encode("a <mask>").input_ids,
            tiny()->encode("a <mask>").input_ids);
}

TEST(RobertaTokenizer, RepairsOrRefusesInvalidUtf8) {
  const auto tokenizer = tiny();
  const std::pair<const char*, const char*> repaired[] = {
      {"a\xFF"
       "b",
       "a\uFFFD"
       "b"},
      {"\xF0\x9F\x98", "\uFFFD"},
      {"\xE2\x82"
       "A",
       "\uFFFD"
       "A"},
      {"\xC0\xAF", "\uFFFD\uFFFD"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}};
  for (const auto& [broken, whole] : repaired) {
    EXPECT_EQ(tokenizer->encode(broken).input_ids, tokenizer->encode(whole).input_ids);
    EXPECT_EQ(tokenizer->encode(broken).offset_mapping, tokenizer->encode(whole).offset_mapping);
  }
  EncodeOptions strict;
  strict.invalid_utf8 = InvalidUtf8::kError;
  expect_error(ErrorCode::kInput, "text: byte 3 is not UTF-8",
               [&] { tokenizer->encode("a b\xED\xA0\x80", strict); });
  expect_error(ErrorCode::kInput, "text: byte 0 is not UTF-8",
               [&] { tokenizer->encode("a", "\x80", strict); });
  EXPECT_EQ(tokenizer->encode("\U0001F600", strict).input_ids,
            tokenizer->encode("\U0001F600").input_ids);
}

TEST(RobertaTokenizer, RefusesContradictingOptions) {
  const auto refused = [](const std::string& message, EncodeOptions options,
                          const std::string& text = "a cat is looking out",
                          ErrorCode code = ErrorCode::kInput) {
    expect_error(code, message, [&] { tiny()->encode(text, options); });
  };
  EncodeOptions truncate;
  truncate.truncation = Truncation::kLongestFirst;
  truncate.max_length = 1;
  refused("max_length: value with special tokens: expected 2 or more, got 1", truncate);
  truncate.max_length = -1;
  refused("max_length: value: expected 0 or more, got -1", truncate);
  truncate.max_length = 5;
  truncate.stride = 3;
  refused("stride: value: expected 0 to 2, got 3", truncate);
  truncate.stride = -1;
  refused("stride: value: expected 0 or more, got -1", truncate, "a");
  truncate.stride = 0;
  truncate.truncation = Truncation::kOnlySecond;
  refused("truncation: only_second: expected a pair of texts, got one text", truncate);
  truncate.truncation = Truncation::kOnlyFirst;
  expect_error(ErrorCode::kInput,
               "truncation: only_first: tokens to remove: expected fewer than the text's 1, got 4",
               [&] { tiny()->encode("a", "!!!!", truncate); });

  EncodeOptions pad;
  pad.padding = Padding::kMaxLength;
  pad.max_length = -2;
  refused("max_length: value: expected 0 or more, got -2", pad);
  pad.max_length = std::int64_t{1} << 40;
  refused("padding: max_length: expected at most 131072 tokens, got 1099511627776", pad, "a",
          ErrorCode::kLimit);
  pad.max_length = 12;
  pad.pad_to_multiple_of = -8;
  refused("padding: pad_to_multiple_of: expected 0 or more, got -8", pad);
  pad.pad_to_multiple_of = 8;
  pad.truncation = Truncation::kLongestFirst;
  refused("max_length: value with truncation and padding: expected a multiple of 8, got 12", pad);

  expect_error(ErrorCode::kInput, "ids: token id: expected 0 or more, got -1", [] {
    tiny()->decode({0, -1});
  });
}

class TokenizerFileErrors : public ::testing::Test {
 protected:
  void expect_refused(const std::string& file, const std::string& message,
                      ErrorCode code = ErrorCode::kFormat) const {
    expect_error(code, (directory_.path() / file).string() + message,
                 [&] { RobertaTokenizer::from_pretrained(directory_.path()); });
  }

  /// tiny_model's tokenizer.json with one value changed.
  void expect_json_refused(const char* pointer, const json& value,
                           const std::string& message) const {
    SCOPED_TRACE(pointer + value.dump());
    json file = tiny_json();
    file[json::json_pointer(pointer)] = value;
    directory_.write("tokenizer.json", file.dump());
    expect_refused("tokenizer.json", ": " + message);
  }

  /// vocab.json and merges.txt of tiny_model, with a line put behind the merges.
  void write_vocabulary(const json& vocabulary, const std::string& line) const {
    directory_.write("vocab.json", vocabulary.dump());
    directory_.write("merges.txt", read_all(kTiny / "merges.txt") + line);
  }

  static json without(const char* pointer, const char* key) {
    json file = tiny_json();
    file[json::json_pointer(pointer)].erase(key);
    return file;
  }

  TemporaryDirectory directory_;
};

TEST_F(TokenizerFileErrors, OtherKindsOfTokenizers) {
  expect_json_refused("/version", "2.0", "version: expected \"1.0\", got string \"2.0\"");
  expect_json_refused("/normalizer", {{"type", "NFC"}}, "normalizer: expected null, got an object");
  expect_json_refused("/pre_tokenizer", nullptr,
                      "pre_tokenizer: expected an object of type ByteLevel, got null");
  expect_json_refused("/pre_tokenizer/type", "Whitespace",
                      "pre_tokenizer.type: expected ByteLevel, got string \"Whitespace\"");
  expect_json_refused("/pre_tokenizer/use_regex", false,
                      "pre_tokenizer.use_regex: expected true, got false");
  expect_json_refused("/pre_tokenizer/add_prefix_space", 1,
                      "add_prefix_space: expected true or false, got 1");
  expect_json_refused("/decoder/type", "WordPiece",
                      "decoder.type: expected ByteLevel, got string \"WordPiece\"");
  expect_json_refused(
      "/post_processor/type", "TemplateProcessing",
      "post_processor.type: expected RobertaProcessing, got string \"TemplateProcessing\"");
  expect_json_refused("/post_processor/sep", "</s>",
                      "post_processor.sep: expected a token and its id, got string \"</s>\"");
  expect_json_refused("/post_processor/cls", {"<s>", 5},
                      "post_processor.cls: expected a token of the vocabulary and its id, got "
                      "\"<s>\", 5");
  expect_json_refused("/post_processor/sep", {"[SEP]", 2},
                      "post_processor.sep: expected a token of the vocabulary and its id, got "
                      "\"[SEP]\", 2");
  for (const char* type : {"WordPiece", "Unigram", "WordLevel"}) {
    expect_json_refused("/model/type", type,
                        std::string("model.type: expected BPE, got string \"") + type + "\"");
  }
  expect_json_refused("/model/byte_fallback", true, "model.byte_fallback: expected null, got true");
  expect_json_refused("/model/dropout", 0.1, "model.dropout: expected null, got 0.1");
  expect_json_refused("/model/fuse_unk", true, "model.fuse_unk: expected null, got true");
  expect_json_refused("/model/end_of_word_suffix", "</w>",
                      "model.end_of_word_suffix: expected null, got string \"</w>\"");
  expect_json_refused("/model/continuing_subword_prefix", "##",
                      "model.continuing_subword_prefix: expected null, got string \"##\"");
}

TEST_F(TokenizerFileErrors, PostProcessorWithAFieldMissing) {
  directory_.write("tokenizer.json", without("/post_processor", "trim_offsets").dump());
  expect_refused("tokenizer.json",
                 ": post_processor.trim_offsets: expected true or false, got null");
}

TEST_F(TokenizerFileErrors, BrokenJson) {
  const std::string whole = tiny_json().dump();
  directory_.write("tokenizer.json", whole.substr(0, 1000));
  expect_refused("tokenizer.json", ": byte 1000: expected JSON, got the end of the text");
  directory_.write("tokenizer.json", "");
  expect_refused("tokenizer.json", ": byte 0: expected JSON, got the end of the text");
  directory_.write("tokenizer.json", "[]");
  expect_refused("tokenizer.json", ": JSON: expected an object, got an array");
  directory_.write("tokenizer.json", R"({"version": "1.0", "version": "1.0"})");
  expect_refused("tokenizer.json", ": byte 27: expected every key once, got \"version\" again");
}

TEST_F(TokenizerFileErrors, Vocabularies) {
  expect_json_refused("/model", "none", "model: expected an object, got string \"none\"");
  expect_json_refused("/model/vocab", json::array(),
                      "vocab: expected an object of token ids, got an array");
  expect_json_refused("/model/vocab", json::object(),
                      "vocab: expected an object of token ids, got an object");
  expect_json_refused("/model/vocab/a", -1,
                      "vocab \"a\": expected an id from 0 to 2147483647, got -1");
  expect_json_refused("/model/vocab/a", 2147483648,
                      "vocab \"a\": expected an id from 0 to 2147483647, got 2147483648");
  expect_json_refused("/model/vocab/a", 1.5,
                      "vocab \"a\": expected an id from 0 to 2147483647, got 1.5");
  expect_json_refused("/model/vocab/a", "68",
                      "vocab \"a\": expected an id from 0 to 2147483647, got string \"68\"");
  expect_json_refused("/model/vocab/a", 0,
                      "vocab \"a\": expected an id of its own, got 0, as \"<s>\"");
  directory_.write("tokenizer.json", without("/model/vocab", "a").dump());
  expect_refused("tokenizer.json", ": byte 97: \"a\" is not in the vocabulary");
}

TEST_F(TokenizerFileErrors, MissingSpecialTokens) {
  for (const char* token : {"<s>", "<pad>", "</s>", "<mask>"}) {
    json vocabulary = json::parse(read_all(kTiny / "vocab.json"));
    vocabulary.erase(token);
    write_vocabulary(vocabulary, "");
    expect_refused("vocab.json", std::string(": special token \"") + token + "\" is missing");
  }
}

TEST_F(TokenizerFileErrors, AGapBetweenIdsIsNone) {
  json file = tiny_json();
  file["model"]["vocab"]["unused"] = 500;
  const auto tokenizer = tokenizer_from(file);
  EXPECT_EQ(tokenizer->vocab_size(), 501);
  EXPECT_EQ(tokenizer->id_to_token(400), std::nullopt);
  EXPECT_EQ(tokenizer->decode({400, 500}), "unused");
}

TEST_F(TokenizerFileErrors, Merges) {
  const auto refused = [this](const char* merges, const std::string& message) {
    expect_json_refused("/model/merges", json::parse(merges), message);
  };
  refused("null", "model.merges: expected an array, got null");
  refused(R"([["a", "b", "c"]])", "merge 0: expected a pair of strings, got an array");
  refused(R"([[1, "a"]])", "merge 0: expected a pair of strings, got an array");
  refused(R"([["a", 1]])", "merge 0: expected a pair of strings, got an array");
  refused(R"([["t", "h"], "t h"])", "merge 1: expected a pair of strings, got string \"t h\"");
  refused(R"(["t h", ["t", "h"]])", "merge 1: expected a string, as the first, got an array");
  refused(R"(["th"])", "merge 0: expected two tokens with one space between them, got \"th\"");
  refused(R"([["zz", "a"]])", "merge 0: \"zz\" is not in the vocabulary");
  refused(R"([["a", "zz"]])", "merge 0: \"zz\" is not in the vocabulary");
  refused(R"([["z", "z"]])", "merge 0: \"zz\" is not in the vocabulary");
}

TEST_F(TokenizerFileErrors, MergesTxt) {
  const json vocabulary = json::parse(read_all(kTiny / "vocab.json"));
  const std::string text = read_all(kTiny / "merges.txt");
  const auto count = std::count(text.begin(), text.end(), '\n');
  const std::string line = ": line " + std::to_string(count + 1) +
                           ": expected two tokens with one space between them, got ";
  for (const char* broken : {"a b c", "ab", " ab", "ab ", "a  b", "", "a\tb"}) {
    SCOPED_TRACE(broken);
    write_vocabulary(vocabulary, std::string(broken) + "\n");
    const std::string shown = broken == std::string("a\tb") ? "a\\x09b" : broken;
    expect_refused("merges.txt", line + "\"" + shown + "\"");
  }
  write_vocabulary(vocabulary, "z z\n");
  expect_refused("vocab.json",
                 ": merge " + std::to_string(count - 1) + ": \"zz\" is not in the vocabulary");
}

TEST_F(TokenizerFileErrors, MissingFiles) {
  const std::string missing = ": open: expected a regular file, got No such file or directory";
  expect_refused("vocab.json", missing, ErrorCode::kIo);
  directory_.write("vocab.json", read_all(kTiny / "vocab.json"));
  expect_refused("merges.txt", missing, ErrorCode::kIo);
}

TEST_F(TokenizerFileErrors, AddedTokens) {
  expect_json_refused("/added_tokens", "none",
                      "added_tokens: expected an array, got string \"none\"");
  expect_json_refused("/added_tokens/0", "<s>",
                      "added_tokens: expected objects with content, got string \"<s>\"");
  expect_json_refused("/added_tokens/0/content", "",
                      "added_tokens: expected objects with content, got an object");
  expect_json_refused("/added_tokens/0/lstrip", "yes",
                      "lstrip: expected true or false, got string \"yes\"");
  expect_json_refused("/added_tokens/4/single_word", true,
                      "added token \"<mask>\": single_word is not supported");
}

TEST_F(TokenizerFileErrors, TokenizerConfig) {
  directory_.write("tokenizer.json", tiny_json().dump());
  const auto refused = [this](const std::string& config, const std::string& message) {
    SCOPED_TRACE(config);
    directory_.write("tokenizer_config.json", config);
    expect_refused("tokenizer_config.json", ": " + message);
  };
  refused("[]", "JSON: expected an object, got an array");
  refused(R"({"model_max_length": "512"})",
          "model_max_length: expected a number of 1 or more, got string \"512\"");
  refused(R"({"model_max_length": 0})", "model_max_length: expected a number of 1 or more, got 0");
  refused(R"({"add_prefix_space": "no"})",
          "add_prefix_space: expected true or false, got string \"no\"");
  refused(R"({"trim_offsets": 0})", "trim_offsets: expected true or false, got 0");
  refused(R"({"padding_side": "top"})",
          "padding_side: expected \"left\" or \"right\", got string \"top\"");
  refused(R"({"truncation_side": 1})", "truncation_side: expected \"left\" or \"right\", got 1");
  refused(R"({"added_tokens_decoder": []})",
          "added_tokens_decoder: expected an object, got an array");
  refused(R"({"added_tokens_decoder": {"x": {"content": "x"}}})",
          "added_tokens_decoder: expected ids as keys, got \"x\"");
  refused(R"({"added_tokens_decoder": {"320": {}}})",
          "added_tokens: expected objects with content, got an object");
}

}  // namespace
}  // namespace bridgetower
