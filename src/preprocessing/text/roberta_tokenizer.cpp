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
  std::unordered_map<std::int64_t, std::string, detail::SeededHash> tokens;
  std::int64_t size = 0;  // one more than the largest id
  detail::Bpe bpe;

  /// An added token's id is the vocabulary's where it has one, else the next that is free. Of two
  /// of the same content the later one counts.
  std::vector<AddedToken> add(const std::vector<AddedToken>& first,
                              const std::vector<AddedToken>& second) {
    std::vector<AddedToken> added;
    std::unordered_map<std::int64_t, std::size_t, detail::SeededHash> places;  // by id
    for (const std::vector<AddedToken>* const list : {&first, &second}) {
      for (AddedToken token : *list) {
        const auto [entry, is_new] = ids.emplace(token.content, size);
        token.id = entry->second;
        if (is_new) tokens.emplace(size++, token.content);
        const auto [place, inserted] = places.emplace(token.id, added.size());
        if (inserted) added.emplace_back();
        added[place->second] = std::move(token);
      }
    }
    return added;
  }
};

RobertaTokenizer::RobertaTokenizer() = default;
RobertaTokenizer::~RobertaTokenizer() = default;

std::shared_ptr<const RobertaTokenizer> RobertaTokenizer::from_pretrained(
    const std::filesystem::path& model, const std::string& revision, const Limits& limits) {
  const std::shared_ptr<RobertaTokenizer> tokenizer(new RobertaTokenizer);
  tokenizer->limits_ = limits;
  tokenizer->load(find_model(model, revision));
  return tokenizer;
}

void RobertaTokenizer::load(const std::filesystem::path& directory) {
  const std::filesystem::path json = directory / "tokenizer.json";
  detail::TokenizerFiles files = detail::is_there(json)
                                     ? detail::read_tokenizer_json(json, limits_)
                                     : detail::read_vocab_and_merges(directory, limits_);
  const detail::TokenizerConfig config = detail::read_tokenizer_config(directory, limits_);
  detail::Bpe bpe(files.vocabulary, files.merges, files.ignore_merges, files.place);
  auto model = std::make_unique<Model>(Model{std::move(files.vocabulary), {}, 0, std::move(bpe)});
  for (const auto& [token, id] : model->ids) {
    model->tokens.emplace(id, token);
    model->size = std::max(model->size, id + 1);
  }
  set_added_tokens(model->add(files.added_tokens, config.added_tokens));
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
