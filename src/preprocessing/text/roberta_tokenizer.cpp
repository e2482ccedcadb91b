#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <unordered_map>
#include <utility>

#include "core/file.hpp"
#include "core/json.hpp"
#include "preprocessing/text/bpe.hpp"
#include "preprocessing/text/byte_level.hpp"
#include "preprocessing/text/tokenizer_files.hpp"
#include "preprocessing/text/unicode.hpp"

namespace bridgetower {

struct RobertaTokenizer::Model {
  detail::Bpe::Vocabulary ids;
  std::unordered_map<std::int64_t, std::string> tokens;
  std::int64_t size = 0;  // one more than the largest id
  detail::Bpe bpe;
};

RobertaTokenizer::RobertaTokenizer() = default;
RobertaTokenizer::~RobertaTokenizer() = default;

std::shared_ptr<const RobertaTokenizer> RobertaTokenizer::from_pretrained(
    const std::filesystem::path& model, const std::string& revision) {
  const std::shared_ptr<RobertaTokenizer> tokenizer(new RobertaTokenizer);
  tokenizer->load(find_model(model, revision));
  return tokenizer;
}

void RobertaTokenizer::load(const std::filesystem::path& directory) {
  const std::filesystem::path json = directory / "tokenizer.json";
  detail::TokenizerFiles files = detail::is_there(json) ? detail::read_tokenizer_json(json)
                                                        : detail::read_vocab_and_merges(directory);
  const detail::TokenizerConfig config = detail::read_tokenizer_config(directory);
  detail::Bpe bpe(files.vocabulary, files.merges, files.ignore_merges, files.place);
  auto model = std::make_unique<Model>(Model{std::move(files.vocabulary), {}, 0, std::move(bpe)});
  for (const auto& [token, id] : model->ids) {
    model->tokens.emplace(id, token);
    model->size = std::max(model->size, id + 1);
  }
  add_tokens(files.added_tokens, *model);
  add_tokens(config.added_tokens, *model);
  model_ = std::move(model);

  add_prefix_space_ = config.add_prefix_space.value_or(files.add_prefix_space);
  keep_one_space_ = config.add_prefix_space.value_or(files.keep_one_space);
  trim_offsets_ = config.trim_offsets.value_or(files.trim_offsets);
  padding_side_ = config.padding_side.value_or(Side::kRight);
  truncation_side_ = config.truncation_side.value_or(Side::kRight);
  model_max_length_ = config.model_max_length;

  const auto id_of = [&](const char* key, const std::pair<std::string, std::int64_t>& token) {
    if (token_to_id(token.first) != token.second) {
      throw FormatError(files.place, std::string("post_processor.") + key,
                        "a token of the vocabulary and its id",
                        detail::in_quotes(token.first) + ", " + std::to_string(token.second));
    }
    return token.second;
  };
  special_ = {id_of("cls", files.cls), *token_to_id("<pad>"), id_of("sep", files.sep),
              *token_to_id("<mask>")};
}

/// An added token's id is the vocabulary's where it has one, else the next that is free. Of two of
/// the same content the later one counts.
void RobertaTokenizer::add_tokens(const std::vector<AddedToken>& tokens, Model& model) {
  for (AddedToken token : tokens) {
    const auto [entry, added] = model.ids.emplace(token.content, model.size);
    token.id = entry->second;
    if (added) model.tokens.emplace(model.size++, token.content);
    const auto same = std::find_if(added_tokens_.begin(), added_tokens_.end(),
                                   [&token](const AddedToken& t) { return t.id == token.id; });
    if (same != added_tokens_.end()) {
      *same = token;
    } else {
      added_tokens_.push_back(token);
    }
  }
}

std::vector<TextTokenizer::SegmentToken> RobertaTokenizer::tokenize_segment(
    std::string_view segment) const {
  std::vector<SegmentToken> tokens;
  std::vector<detail::Bpe::Token> piece_tokens;
  std::int64_t piece = 0;
  for (std::size_t begin = 0; begin < segment.size(); ++piece) {
    const std::size_t end = detail::piece_end(segment, begin);
    piece_tokens.clear();
    model_->bpe.encode(segment, begin, end, piece_tokens);
    for (const auto& token : piece_tokens) {
      tokens.push_back({token.id, token.begin, token.end, piece, {}});
    }
    begin = end;
  }
  return tokens;
}

std::string RobertaTokenizer::join(const std::vector<std::int64_t>& ids) const {
  std::string bytes;
  for (const std::int64_t id : ids) {
    const std::string& token = model_->tokens.at(id);
    bytes += detail::bytes_of_token(token).value_or(token);
  }
  return detail::repaired_utf8(bytes);
}

std::optional<std::int64_t> RobertaTokenizer::token_to_id(std::string_view token) const {
  const auto found = model_->ids.find(std::string(token));
  if (found == model_->ids.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> RobertaTokenizer::id_to_token(std::int64_t id) const {
  const auto found = model_->tokens.find(id);
  if (found == model_->tokens.end()) return std::nullopt;
  return found->second;
}

std::int64_t RobertaTokenizer::vocab_size() const { return model_->size; }

}  // namespace bridgetower
