#include <bridgetower/bridgetower.hpp>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <nlohmann/json.hpp>

#include "tests/hostile/hostile.hpp"
#include "tests/support/paths.hpp"
#ifdef BRIDGETOWER_HOSTILE_SENTENCEPIECE
#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>

#include "tests/support/sentencepiece_file.hpp"
#endif

namespace bridgetower::hostile {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
constexpr ErrorCode kFormat = ErrorCode::kFormat;
constexpr ErrorCode kInput = ErrorCode::kInput;
constexpr ErrorCode kLimit = ErrorCode::kLimit;

const fs::path kTiny = fs::path(testing::test_data()) / "tiny_model";

/// An empty directory below the common one.
fs::path folder(const std::string& name) {
  const fs::path path = scratch() / name;
  fs::remove_all(path);
  fs::create_directories(path);
  return path;
}

/// A tokenizer that loads must work, too.
std::string use(const TextTokenizer& tokenizer) {
  const Encoding encoding = tokenizer.encode("A caf\xC3\xA9, <mask> two");
  tokenizer.decode(encoding.input_ids);
  return "a tokenizer";
}

std::string read_tokenizer(const std::string& bytes) {
  folder("tokenizer");
  put("tokenizer/tokenizer.json", bytes);
  return use(*RobertaTokenizer::from_pretrained(scratch() / "tokenizer"));
}

/// tiny_model's tokenizer.json with one value changed.
std::string changed(const char* pointer, const json& value) {
  static const json good = json::parse(file_bytes(kTiny / "tokenizer.json"));
  json file = good;
  file[json::json_pointer(pointer)] = value;
  return file.dump();
}

const TextTokenizer& tiny() {
  static const auto tokenizer = RobertaTokenizer::from_pretrained(kTiny);
  return *tokenizer;
}

void add_tokenizer_kinds(Cases& cases) {
  const auto other = [&](const std::string& name, const char* pointer, const json& value,
                         const std::string& message) {
    cases.refused(
        name, [=] { return changed(pointer, value); }, kFormat, message);
  };
  other("another version", "/version", "2.0", "version: expected \"1.0\"");
  other("a normalizer", "/normalizer", {{"type", "Replace"}}, "normalizer: expected null");
  other("another pre-tokenizer", "/pre_tokenizer/type", "Split", "pre_tokenizer.type");
  other("another decoder", "/decoder/type", "WordPiece", "decoder.type");
  other("no post-processor", "/post_processor", nullptr, "post_processor");
  other("another kind of model", "/model/type", "WordPiece", "model.type: expected BPE");
  other("a number for the model", "/model", 1, "model: expected an object, got 1");
  other("dropout", "/model/dropout", 0.1, "model.dropout: expected null, got 0.1");
  other("a token of the template that is another", "/post_processor/cls", {"<s>", 5},
        "a token of the vocabulary and its id");
  other("a template token of 2^63", "/post_processor/sep", {"</s>", 9223372036854775808ULL},
        "post_processor.sep");
  other("an added token without text", "/added_tokens/0/content", "", "objects with content");
  other("a text for an added token", "/added_tokens/0", "<s>", "objects with content");
  other("a text for a flag", "/added_tokens/0/lstrip", "yes", "lstrip: expected true or false");
  other("a list for the vocabulary", "/model/vocab", json::array(), "an object of token ids");
  other("no vocabulary", "/model/vocab", json::object(), "an object of token ids");
  other("a negative id", "/model/vocab/a", -1, "an id from 0 to 2147483647, got -1");
  other("an id of 2^31", "/model/vocab/a", 2147483648U, "got 2147483648");
  other("an id of 2^64 - 1", "/model/vocab/a", 18446744073709551615ULL, "vocab \"a\"");
  other("half an id", "/model/vocab/a", 1.5, "got 1.5");
  other("an id of another token", "/model/vocab/a", 0, "an id of its own, got 0, as \"<s>\"");
  other("a merge of three", "/model/merges", json::array({json::array({"a", "b", "c"})}),
        "a pair of strings");
  other("a merge of unknown tokens", "/model/merges", json::array({json::array({"zz", "a"})}),
        "\"zz\" is not in the vocab");
  other("a merge whose result is unknown", "/model/merges", json::array({json::array({"z", "z"})}),
        "\"zz\" is not in the vocabulary");
  other("merges of two kinds", "/model/merges", {"t h", {"t", "h"}}, "a string, as the first");
  other("a merge without a space", "/model/merges", {"th"}, "two tokens with one space");
}

void add_tokenizer_bytes(Cases& cases) {
  cases.answered(
      "as it should be", [] { return changed("/version", "1.0"); }, "a tokenizer");
  cases.refused("an empty file", "", kFormat, "byte 0: expected JSON, got the end of the text");
  cases.refused("a list", "[]", kFormat, "JSON: expected an object");
  cases.refused("an object without keys", "{}", kFormat, "version");
  cases.refused(
      "its first half", [] { return changed("/version", "1.0").substr(0, 3000); }, kFormat,
      "expected JSON, got the end of the text");
  cases.refused("a token twice", R"({"version":"1.0","model":{"vocab":{"a":1,"a":2}}})", kFormat,
                "every key once, got \"a\" again");
  cases.refused(
      "a vocabulary without its bytes",
      [] {
        json vocabulary{{"<s>", 0}, {"<pad>", 1}, {"</s>", 2}, {"<mask>", 3}};
        return changed("/model/vocab", vocabulary);
      },
      kFormat, "is not in the vocabulary");
  cases.refused(
      "a million merges of nothing",
      [] {
        return replaced(changed("/model/merges", json::array({"M"})), R"(["M"])",
                        "[" + repeated("[],", 1'000'000) + "[]]");
      },
      kLimit, "");
  cases.refused(
      "an added token of a megabyte",
      [] { return changed("/added_tokens/0/content", std::string(1 << 20, 'a')); }, kLimit, "");
}

std::string read_vocabulary(const std::string& merges) {
  folder("vocabulary");
  fs::copy_file(kTiny / "vocab.json", scratch() / "vocabulary/vocab.json");
  put("vocabulary/merges.txt", merges);
  return use(*RobertaTokenizer::from_pretrained(scratch() / "vocabulary"));
}

void add_tokenizer_configs(Cases& cases) {
  const Read read = [](const std::string& bytes) {
    folder("configured");
    fs::copy_file(kTiny / "tokenizer.json", scratch() / "configured/tokenizer.json");
    put("configured/tokenizer_config.json", bytes);
    return use(*RobertaTokenizer::from_pretrained(scratch() / "configured"));
  };
  Cases configs("tokenizer_config.json", read);
  configs.refused("a list", "[]", kFormat, "JSON: expected an object");
  configs.refused("a text for a length", R"({"model_max_length": "512"})", kFormat,
                  "a number of 1 or more");
  configs.refused("a negative length", R"({"model_max_length": -1})", kFormat, "got -1");
  configs.answered("a length of 1e30", R"({"model_max_length": 1e30})", "a tokenizer");
  configs.refused("another side", R"({"padding_side": "top"})", kFormat, "\"left\" or \"right\"");
  configs.refused("a name for an id", R"({"added_tokens_decoder": {"../x": {"content": "x"}}})",
                  kFormat, "ids as keys, got \"../x\"");
  configs.answered(
      "20000 added tokens",
      [] {
        std::string all;
        for (int i = 0; i < 20000; ++i) {
          const std::string id = std::to_string(1000 + i);
          all += (i == 0 ? "\"" : ",\"") + id + R"(":{"content":"t)" + id + "\"}";
        }
        return R"({"added_tokens_decoder":{)" + all + "}}";
      },
      "a tokenizer");
  for (Case& hostile : configs.take()) cases.add(std::move(hostile));
}

EncodeOptions strict() {
  EncodeOptions options;
  options.invalid_utf8 = InvalidUtf8::kError;
  return options;
}

void add_invalid_utf8(Cases& cases) {
  const auto invalid = [&](const std::string& name, const std::string& text, int byte) {
    cases.refused(name, text, kInput, "byte " + std::to_string(byte) + " is not UTF-8");
  };
  invalid("a byte that no text has", "ab\xFF", 2);
  invalid("a character cut off", "a\xE2\x82", 1);
  invalid("a surrogate", "a\xED\xA0\x80", 1);
  invalid("an overlong slash", "\xC0\xAF", 0);
  invalid("a code point beyond U+10FFFF", "\xF4\x90\x80\x80", 0);
  invalid("a continuation without a beginning", "abc\x80", 3);
  cases.answered("zero bytes", std::string(3, '\0'), "5 tokens");
  cases.answered("nothing", "", "2 tokens");
  cases.answered(
      "a thousand masks", [] { return repeated("<mask>", 1000); }, "1002 tokens");
  cases.answered(
      "a word of 32 KB", [] { return std::string(32 << 10, 'z'); }, "32770 tokens");
  cases.answered(
      "32 KB of spaces", [] { return std::string(32 << 10, ' '); }, "32770 tokens");
  cases.refused(
      "a text of 17 MB", [] { return std::string(17 << 20, 'a'); }, kLimit, "text");
}

void add_encode_calls(Cases& cases) {
  const auto call = [&](const std::string& name, const EncodeOptions& options, ErrorCode code,
                        const std::string& message) {
    cases.refused_call(
        name, [=] { tiny().encode("a cat is looking out", options); }, code, message);
  };
  EncodeOptions options;
  options.padding = Padding::kMaxLength;
  options.max_length = std::int64_t{1} << 40;
  call("padding to 2^40", options, kLimit, "1099511627776");
  options.max_length = -2;
  call("padding to -2", options, kInput, "0 or more, got -2");
  options.max_length = 12;
  options.pad_to_multiple_of = std::int64_t{1} << 62;
  call("padding to a multiple of 2^62", options, kLimit, "");
  options.pad_to_multiple_of = -8;
  call("padding to a multiple of -8", options, kInput, "0 or more, got -8");
  EncodeOptions truncate;
  truncate.truncation = Truncation::kLongestFirst;
  truncate.max_length = 1;
  call("no room for the special tokens", truncate, kInput, "2 or more, got 1");
  truncate.max_length = 5;
  truncate.stride = INT64_MAX;
  truncate.return_overflowing_tokens = true;
  call("a stride of 2^63 - 1", truncate, kInput, "stride: value: expected 0 to 2");
  cases.refused_call(
      "a negative id",
      [] {
        tiny().decode({0, -1});
      },
      kInput, "0 or more, got -1");
  cases.refused_call(
      "the smallest id there is", [] { tiny().decode({INT64_MIN}); }, kInput,
      "got -9223372036854775808");
}

#ifdef BRIDGETOWER_HOSTILE_SENTENCEPIECE

using testing::sentencepiece::circle;
using testing::sentencepiece::field;
using testing::sentencepiece::number_field;
using testing::sentencepiece::piece;
using testing::sentencepiece::small_model;
using testing::sentencepiece::varint;

std::string read_sentencepiece(const std::string& bytes) {
  folder("sentencepiece");
  put("sentencepiece/sentencepiece.bpe.model", bytes);
  return use(*XlmRobertaTokenizer::from_pretrained(scratch() / "sentencepiece"));
}

#endif

}  // namespace

std::vector<Case> tokenizer_cases() {
  Cases cases("tokenizer.json", read_tokenizer);
  add_tokenizer_bytes(cases);
  add_tokenizer_kinds(cases);
  add_tokenizer_configs(cases);
  return cases.take();
}

std::vector<Case> vocabulary_cases() {
  Cases cases("merges.txt", read_vocabulary);
  cases.answered("an empty file", "", "a tokenizer");
  cases.refused("three tokens", "a b c\n", kFormat, "line 1: expected two tokens with one space");
  cases.refused("one token", "ab\n", kFormat, "got \"ab\"");
  cases.refused("an empty line", "t h\n\nh e\n", kFormat, "line 2");
  cases.refused("a tab", "a\tb\n", kFormat, "got \"a\\x09b\"");
  cases.refused("a zero byte", std::string("a\0b\n", 4), kFormat, "got \"a\\x00b\"");
  cases.refused("bytes that are not UTF-8", "\xFF \xFE\n", kFormat, "is not in the vocabulary");
  cases.refused(
      "a line of a megabyte", [] { return std::string(1 << 20, 'a'); }, kFormat, "line 1");
  cases.refused(
      "a million spaces", [] { return std::string(1'000'000, ' '); }, kFormat, "line 1");
  return cases.take();
}

std::vector<Case> text_cases() {
  Cases cases("text", [](const std::string& text) {
    const Encoding encoding = tiny().encode(text, strict());
    tiny().decode(encoding.input_ids);
    return std::to_string(encoding.size()) + " tokens";
  });
  add_invalid_utf8(cases);
  add_encode_calls(cases);
  return cases.take();
}

#ifdef BRIDGETOWER_HOSTILE_SENTENCEPIECE
std::vector<Case> sentencepiece_cases() {
  Cases cases("sentencepiece.bpe.model", read_sentencepiece);
  const std::string broken = "bytes: expected a SentencePiece model, got others";
  cases.answered("two pieces", small_model(), "a tokenizer");
  cases.refused("an empty file", "", kFormat, "pieces: expected 4 or more, got 0");
  cases.refused("a text", "{\"version\": \"1.0\"}", kFormat, broken);
  cases.refused("a number without an end", std::string(1000, '\xFF'), kFormat, broken);
  cases.refused("a group", small_model() + "\x0B", kFormat, broken);
  cases.refused("a field of 16 EB", small_model() + "\x0A" + varint(~std::uint64_t{0}), kFormat,
                broken);
  cases.refused("a field of 4 GB", small_model() + "\x0A\xFF\xFF\xFF\xFF\x0F text", kFormat,
                broken);
  cases.refused("a number for a piece", small_model() + number_field(1, 1), kFormat, broken);
  cases.refused("another kind of model", small_model() + field(2, number_field(3, 2)), kFormat,
                "expected 1 (Unigram), got 2 (BPE)");
  cases.refused("no <unk>", piece("a") + small_model(), kFormat,
                "piece 0: expected \"<unk>\" of type 2");
  cases.refused("a piece twice", small_model() + piece("a"), kFormat, "expected once, got twice");
  cases.refused("a piece without text", small_model() + piece(""), kFormat, "a text of type 1");
  cases.refused("a piece that is not UTF-8", small_model() + piece("\xC3"), kFormat,
                "a text of type 1");
  cases.refused("a piece with a zero byte", small_model() + piece(std::string("a\0b", 3)), kFormat,
                "a text of type 1");
  cases.refused("a score that is no number", small_model() + piece("b", 1, 0x7FC00000), kFormat,
                "a number out of range");
  cases.refused("an infinite score", small_model() + piece("b", 1, 0xFF800000), kFormat,
                "a number out of range");
  cases.refused("a table shorter than its trie",
                small_model() + field(3, field(2, std::string("\x08\0\0\0abcd", 8))), kFormat,
                "a trie and its size in front");
  cases.refused(
      "a replacement of 257 bytes",
      small_model() + field(3, field(2, std::string("\x04\0\0\0abcd", 8) + std::string(257, 'x') +
                                            std::string(1, '\0'))),
      kFormat, "replacements of at most 256 bytes");
  cases.answered("a trie that leads in a circle", small_model() + circle(), "a tokenizer");
  cases.refused(
      "a piece of a megabyte", [] { return small_model() + piece(std::string(1 << 20, 'b')); },
      kLimit, "at most 256 bytes, got 1048576");
  cases.answered(
      "a trie that leads outside",
      small_model() + field(3, field(2, std::string("\x04\0\0\0\xFF\xFF\xFF\x7Fx\0", 10))),
      "a tokenizer");
  return cases.take();
}
#endif

}  // namespace bridgetower::hostile
