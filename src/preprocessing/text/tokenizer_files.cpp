#include "preprocessing/text/tokenizer_files.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <system_error>
#include <unordered_map>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"

namespace bridgetower::detail {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxId = (std::int64_t{1} << 31) - 1;

[[noreturn]] void refuse(const std::string& place, const std::string& key,
                         const std::string& expected, const json& got) {
  throw FormatError(place, key, expected, describe(got));
}

/// A member of an object; null where it is absent.
const json& member(const json& object, const char* key) {
  static const json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

bool flag(const json& object, const char* key, bool otherwise, const std::string& place) {
  const json& value = member(object, key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) refuse(place, key, "true or false", value);
  return value.get<bool>();
}

void expect_type(const json& section, const char* name, const char* type,
                 const std::string& place) {
  if (!section.is_object()) refuse(place, name, std::string("an object of type ") + type, section);
  if (!is_text(member(section, "type"), type)) {
    refuse(place, std::string(name) + ".type", type, member(section, "type"));
  }
}

/// Absent, null, "" or false: all mean that the feature is off.
void expect_off(const json& model, const char* key, const std::string& place) {
  const json& value = member(model, key);
  if (value.is_null() || is_text(value, "") || value == false || value == 0 || value == 0.0) return;
  refuse(place, std::string("model.") + key, "null", value);
}

Bpe::Vocabulary parse_vocabulary(const json& value, const std::string& place) {
  if (!value.is_object() || value.empty()) refuse(place, "vocab", "an object of token ids", value);
  Bpe::Vocabulary vocabulary;
  vocabulary.reserve(value.size());
  std::unordered_map<std::int64_t, const std::string*, SeededHash> tokens;
  for (const auto& [token, id] : value.items()) {
    const std::string what = "vocab " + in_quotes(token);
    if (!id.is_number_integer() || id < 0 || id > kMaxId) {
      refuse(place, what, "an id from 0 to " + std::to_string(kMaxId), id);
    }
    const auto entry = vocabulary.emplace(token, id.get<std::int64_t>()).first;
    const auto [other, unique] = tokens.emplace(entry->second, &entry->first);
    if (!unique) {
      throw FormatError(place, what, "an id of its own",
                        id.dump() + ", as " + in_quotes(*other->second));
    }
  }
  return vocabulary;
}

std::pair<std::string, std::string> split_merge(const std::string& line, const std::string& what,
                                                const std::string& place) {
  const std::size_t space = line.find(' ');
  if (space == std::string::npos || space == 0 || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string::npos) {
    throw FormatError(place, what, "two tokens with one space between them", in_quotes(line));
  }
  return {line.substr(0, space), line.substr(space + 1)};
}

/// "a b" or ["a", "b"], one kind for all.
Bpe::Merges parse_merges(const json& value, const std::string& place) {
  if (!value.is_array()) refuse(place, "model.merges", "an array", value);
  Bpe::Merges merges;
  const bool strings = !value.empty() && value.front().is_string();
  for (const json& merge : value) {
    const std::string what = "merge " + std::to_string(merges.size());
    if (strings && merge.is_string()) {
      const std::string line = merge.get<std::string>();
      if (line.rfind("#version", 0) != 0) merges.push_back(split_merge(line, what, place));
    } else if (!strings && merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
    } else {
      refuse(place, what, strings ? "a string, as the first" : "a pair of strings", merge);
    }
  }
  return merges;
}

AddedToken parse_added_token(const json& value, const std::string& place, const Limits& limits) {
  const json& content = member(value, "content");
  if (!value.is_object() || !content.is_string() || content.get<std::string>().empty()) {
    refuse(place, "added_tokens", "objects with content", value);
  }
  AddedToken token;
  token.content = content.get<std::string>();
  if (token.content.size() > limits.token_bytes) {
    throw LimitError(place, "added token " + in_quotes(token.content),
                     "at most " + std::to_string(limits.token_bytes) + " bytes",
                     std::to_string(token.content.size()));
  }
  token.special = flag(value, "special", false, place);
  token.lstrip = flag(value, "lstrip", false, place);
  token.rstrip = flag(value, "rstrip", false, place);
  if (flag(value, "single_word", false, place)) {
    throw FormatError(place,
                      "added token " + in_quotes(token.content) + ": single_word is not supported");
  }
  return token;
}

/// ["</s>", 2]
std::pair<std::string, std::int64_t> template_token(const json& section, const char* key,
                                                    const std::string& place) {
  const json& value = member(section, key);
  if (!value.is_array() || value.size() != 2 || !value[0].is_string() ||
      !value[1].is_number_integer()) {
    refuse(place, std::string("post_processor.") + key, "a token and its id", value);
  }
  return {value[0].get<std::string>(), value[1].get<std::int64_t>()};
}

/// RobertaProcessing with all of its fields: with one missing, the reference takes it for BERT's.
void parse_post_processor(const json& section, TokenizerFiles& files) {
  expect_type(section, "post_processor", "RobertaProcessing", files.place);
  for (const char* key : {"trim_offsets", "add_prefix_space"}) {
    if (!member(section, key).is_boolean()) {
      refuse(files.place, std::string("post_processor.") + key, "true or false",
             member(section, key));
    }
  }
  files.sep = template_token(section, "sep", files.place);
  files.cls = template_token(section, "cls", files.place);
  files.trim_offsets = section["trim_offsets"].get<bool>();
  files.keep_one_space = section["add_prefix_space"].get<bool>();
}

void parse_model(const json& model, TokenizerFiles& files) {
  if (!model.is_object()) refuse(files.place, "model", "an object", model);
  const json& type = member(model, "type");  // absent in roberta-base's own file
  if (!type.is_null() && !is_text(type, "BPE")) refuse(files.place, "model.type", "BPE", type);
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                          "byte_fallback"}) {
    expect_off(model, key, files.place);
  }
  files.ignore_merges = flag(model, "ignore_merges", false, files.place);
  files.vocabulary = parse_vocabulary(member(model, "vocab"), files.place);
  files.merges = parse_merges(member(model, "merges"), files.place);
}

/// RoBERTa's special tokens are matched in the text even where the files do not list them.
void complete_special_tokens(TokenizerFiles& files) {
  for (const char* content : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) {
    const auto listed =
        std::any_of(files.added_tokens.begin(), files.added_tokens.end(),
                    [content](const AddedToken& token) { return token.content == content; });
    if (listed) continue;
    AddedToken token;
    token.content = content;
    token.lstrip = token.content == "<mask>";
    if (files.vocabulary.find(token.content) != files.vocabulary.end()) {
      files.added_tokens.push_back(token);
    } else if (token.content != "<unk>") {  // of which a byte-level vocabulary has no need
      throw FormatError(files.place, "special token " + in_quotes(token.content) + " is missing");
    }
  }
}

std::optional<bool> optional_flag(const json& config, const char* key, const std::string& place) {
  if (member(config, key).is_null()) return std::nullopt;
  return flag(config, key, false, place);
}

std::optional<Side> optional_side(const json& config, const char* key, const std::string& place) {
  const json& value = member(config, key);
  if (value.is_null()) return std::nullopt;
  const bool left = is_text(value, "left");
  if (!left && !is_text(value, "right")) refuse(place, key, "\"left\" or \"right\"", value);
  return left ? Side::kLeft : Side::kRight;
}

std::optional<std::int64_t> max_length_from(const json& config, const std::string& place) {
  const json& value = member(config, "model_max_length");
  if (value.is_null()) return std::nullopt;
  if (!value.is_number() || value < 1) {
    refuse(place, "model_max_length", "a number of 1 or more", value);
  }
  constexpr std::int64_t kNoLimit = std::int64_t{1} << 40;  // HF writes 1e30
  if (value >= kNoLimit) return std::nullopt;
  return value.get<std::int64_t>();
}

/// {"50264": {"content": "<mask>", …}, …}
std::vector<AddedToken> added_tokens_decoder(const json& config, const std::string& place,
                                             const Limits& limits) {
  const json& value = member(config, "added_tokens_decoder");
  if (value.is_null()) return {};
  if (!value.is_object()) refuse(place, "added_tokens_decoder", "an object", value);
  std::vector<std::pair<std::string, AddedToken>> tokens;
  for (const auto& [id, token] : value.items()) {
    if (id.empty() || id.size() > 10 || id.find_first_not_of("0123456789") != std::string::npos) {
      throw FormatError(place, "added_tokens_decoder", "ids as keys", in_quotes(id));
    }
    tokens.emplace_back(std::string(10 - id.size(), '0') + id,
                        parse_added_token(token, place, limits));
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<AddedToken> ordered;
  for (auto& [id, token] : tokens) ordered.push_back(std::move(token));
  return ordered;
}

}  // namespace

TokenizerFiles read_tokenizer_json(const std::filesystem::path& file, const Limits& limits) {
  TokenizerFiles files;
  files.place = file.string();
  json root = read_json_file(file, limits.vocabulary_bytes, limits);
  const JsonGuard guard(root);
  if (!root.is_object()) refuse(files.place, "JSON", "an object", root);
  if (!is_text(member(root, "version"), "1.0")) {
    refuse(files.place, "version", "\"1.0\"", member(root, "version"));
  }
  if (!member(root, "normalizer").is_null()) {
    refuse(files.place, "normalizer", "null", member(root, "normalizer"));
  }
  const json& pre_tokenizer = member(root, "pre_tokenizer");
  expect_type(pre_tokenizer, "pre_tokenizer", "ByteLevel", files.place);
  files.add_prefix_space = flag(pre_tokenizer, "add_prefix_space", true, files.place);
  if (!flag(pre_tokenizer, "use_regex", true, files.place)) {
    throw FormatError(files.place, "pre_tokenizer.use_regex", "true", "false");
  }
  expect_type(member(root, "decoder"), "decoder", "ByteLevel", files.place);
  parse_post_processor(member(root, "post_processor"), files);
  parse_model(member(root, "model"), files);
  const json& added = member(root, "added_tokens");
  if (!added.is_null() && !added.is_array()) refuse(files.place, "added_tokens", "an array", added);
  for (const json& token : added) {
    files.added_tokens.push_back(parse_added_token(token, files.place, limits));
  }
  complete_special_tokens(files);
  return files;
}

TokenizerFiles read_vocab_and_merges(const std::filesystem::path& directory, const Limits& limits) {
  TokenizerFiles files;
  files.place = (directory / "vocab.json").string();
  json vocabulary = read_json_file(directory / "vocab.json", limits.vocabulary_bytes, limits);
  const JsonGuard guard(vocabulary);
  files.vocabulary = parse_vocabulary(vocabulary, files.place);
  const std::filesystem::path merges = directory / "merges.txt";
  const std::string text = read_file(merges, limits.vocabulary_bytes);
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.rfind("#version", 0) == 0) continue;
    files.merges.push_back(split_merge(line, "line " + std::to_string(number), merges.string()));
  }
  complete_special_tokens(files);
  files.cls = {"<s>", files.vocabulary.at("<s>")};
  files.sep = {"</s>", files.vocabulary.at("</s>")};
  return files;
}

TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory,
                                      const Limits& limits) {
  const std::filesystem::path file = directory / "tokenizer_config.json";
  TokenizerConfig config;
  if (!is_there(file)) return config;
  const std::string place = file.string();
  json root = read_json_file(file, limits.config_bytes, limits);
  const JsonGuard guard(root);
  if (!root.is_object()) refuse(place, "JSON", "an object", root);
  config.model_max_length = max_length_from(root, place);
  config.add_prefix_space = optional_flag(root, "add_prefix_space", place);
  config.trim_offsets = optional_flag(root, "trim_offsets", place);
  config.padding_side = optional_side(root, "padding_side", place);
  config.truncation_side = optional_side(root, "truncation_side", place);
  config.added_tokens = added_tokens_decoder(root, place, limits);
  return config;
}

}  // namespace bridgetower::detail
