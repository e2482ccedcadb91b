#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>
#include <unordered_map>
#include <utility>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/seeded_hash.hpp"
#include "preprocessing/text/tokenizer_files.hpp"
#include "sentencepiece/model_file.hpp"
#include "sentencepiece/normalizer.hpp"
#include "sentencepiece/unigram.hpp"

namespace bridgetower {
namespace {

constexpr std::int64_t kUnknown = 3;
constexpr std::int64_t kFirstPiece = 4;

bool begins_word(std::string_view piece) {
  return piece.substr(0, detail::kSpaceSymbol.size()) == detail::kSpaceSymbol;
}

}  // namespace

struct XlmRobertaTokenizer::Model {
  Model(const detail::ModelFile& file, const std::string& place, std::uint64_t max_text)
      : normalizer(file.replacements, place, max_text),
        unigram(file.pieces),
        tokens{"<s>", "<pad>", "</s>", "<unk>"} {
    for (const auto& piece : file.pieces) tokens.push_back(piece.text);
    tokens.emplace_back("<mask>");
    for (std::size_t id = 0; id < tokens.size(); ++id) {
      if (!ids.emplace(tokens[id], static_cast<std::int64_t>(id)).second) {
        throw FormatError(place, "piece " + detail::in_quotes(tokens[id]), "once", "twice");
      }
    }
  }

  detail::Normalizer normalizer;
  detail::Unigram unigram;
  std::vector<std::string> tokens;  // by fairseq's id
  std::unordered_map<std::string, std::int64_t, detail::SeededHash> ids;
};

std::shared_ptr<const XlmRobertaTokenizer> XlmRobertaTokenizer::from_pretrained(
    const std::filesystem::path& directory, const Limits& limits) {
  return std::shared_ptr<const XlmRobertaTokenizer>(new XlmRobertaTokenizer(directory, limits));
}

XlmRobertaTokenizer::XlmRobertaTokenizer(const std::filesystem::path& directory,
                                         const Limits& limits) {
  limits_ = limits;
  const std::filesystem::path file = directory / "sentencepiece.bpe.model";
  const std::string place = file.string();
  model_ = std::make_unique<const Model>(
      detail::parse_model_file(detail::read_file(file, limits.vocabulary_bytes), place, limits),
      place, limits.text_bytes);
  std::vector<AddedToken> added;
  for (const char* content : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) {
    AddedToken token;
    token.content = content;
    token.id = *token_to_id(content);
    token.lstrip = token.content == "<mask>";
    added.push_back(token);
  }
  special_.mask = *token_to_id("<mask>");
  trim_offsets_ = false;
  const detail::TokenizerConfig config = detail::read_tokenizer_config(directory, limits);
  model_max_length_ = config.model_max_length;
  padding_side_ = config.padding_side.value_or(Side::kRight);
  truncation_side_ = config.truncation_side.value_or(Side::kRight);
  for (const AddedToken& token : config.added_tokens) {
    const auto same = std::find_if(added.begin(), added.end(),
                                   [&](const AddedToken& t) { return t.content == token.content; });
    if (same == added.end()) {
      throw FormatError((directory / "tokenizer_config.json").string(), "added_tokens_decoder",
                        "the five special tokens", detail::in_quotes(token.content));
    }
    same->lstrip = token.lstrip;
    same->rstrip = token.rstrip;
  }
  set_added_tokens(std::move(added));
}

XlmRobertaTokenizer::~XlmRobertaTokenizer() = default;

std::vector<TextTokenizer::SegmentToken> XlmRobertaTokenizer::tokenize_segment(
    std::string_view segment) const {
  const detail::Normalizer::Text text = model_->normalizer.normalize(segment);
  std::vector<SegmentToken> tokens;
  std::int64_t word = -1;
  for (const detail::Unigram::Token& found : model_->unigram.segment(text.bytes)) {
    const auto piece = std::string_view(text.bytes).substr(found.begin, found.end - found.begin);
    const bool unknown = found.piece == detail::Unigram::kUnknown;
    SegmentToken token;
    token.id = unknown ? kUnknown : found.piece + kFirstPiece;
    if (unknown) token.text = piece;
    // The space before a word is no part of it; alone, it lies on the word's first character.
    std::size_t begin = found.begin;
    std::size_t last = found.end - 1;
    if (begins_word(piece)) {
      begin = std::min(begin + detail::kSpaceSymbol.size(), text.bytes.size() - 1);
      last = std::max(last, begin);
    }
    if (begins_word(piece) || word < 0) ++word;
    token.piece = word;
    token.begin = text.sources[begin].first;
    token.end = text.sources[last].second;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::string XlmRobertaTokenizer::join(const std::vector<std::int64_t>& ids) const {
  std::string text;
  std::string_view space;  // HF: Metaspace, which drops the spaces of the first token
  for (const std::int64_t id : ids) {
    std::string_view token = model_->tokens[static_cast<std::size_t>(id)];
    while (!token.empty()) {
      const std::size_t symbol = std::min(token.find(detail::kSpaceSymbol), token.size());
      text += token.substr(0, symbol);
      if (symbol == token.size()) break;
      text += space;
      token.remove_prefix(symbol + detail::kSpaceSymbol.size());
    }
    space = " ";
  }
  return text;
}

std::optional<std::int64_t> XlmRobertaTokenizer::token_to_id(std::string_view token) const {
  const auto found = model_->ids.find(std::string(token));
  if (found == model_->ids.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> XlmRobertaTokenizer::id_to_token(std::int64_t id) const {
  if (id < 0 || id >= vocab_size()) return std::nullopt;
  return model_->tokens[static_cast<std::size_t>(id)];
}

std::int64_t XlmRobertaTokenizer::vocab_size() const {
  return static_cast<std::int64_t>(model_->tokens.size());
}

}  // namespace bridgetower
