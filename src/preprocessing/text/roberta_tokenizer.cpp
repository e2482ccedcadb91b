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
namespace {

constexpr std::uint64_t kMaxConfigBytes = 16 << 20;

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

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
  detail::TokenizerFiles files =
      is_there(json) ? detail::read_tokenizer_json(json) : detail::read_vocab_and_merges(directory);
  detail::Bpe bpe(files.vocabulary, files.merges, files.ignore_merges, files.place);
  auto model = std::make_unique<Model>(Model{std::move(files.vocabulary), {}, 0, std::move(bpe)});
  for (const auto& [token, id] : model->ids) {
    model->tokens.emplace(id, token);
    model->size = std::max(model->size, id + 1);
  }
  // An added token's id is the vocabulary's where it has one, else the next that is free.
  for (AddedToken& token : files.added_tokens) {
    const auto [entry, added] = model->ids.emplace(token.content, model->size);
    token.id = entry->second;
    if (added) model->tokens.emplace(model->size++, token.content);
    added_tokens_.push_back(token);
  }
  add_prefix_space_ = files.add_prefix_space;
  trim_offsets_ = files.trim_offsets;
  keep_one_space_ = files.keep_one_space;
  model_ = std::move(model);
  const auto id_of = [&](const std::string& token) {
    const auto id = token_to_id(token);
    if (!id) {
      throw FormatError(files.place, "special token " + detail::in_quotes(token) + " is missing");
    }
    return *id;
  };
  special_ = {id_of(files.cls), id_of("<pad>"), id_of(files.sep), id_of("<mask>")};
  if (is_there(directory / "tokenizer_config.json")) {
    overlay_config(directory / "tokenizer_config.json");
  }
}

void RobertaTokenizer::overlay_config(const std::filesystem::path& file) {
  const nlohmann::json config = detail::read_json_file(file, kMaxConfigBytes);
  const std::string place = file.string();
  if (!config.is_object()) {
    throw FormatError(place, "JSON", "an object", detail::describe(config));
  }
  const auto length = config.find("model_max_length");
  if (length != config.end() && !length->is_null()) {
    if (!length->is_number() || *length < 1) {
      throw FormatError(place, "model_max_length", "a number of 1 or more",
                        detail::describe(*length));
    }
    // HF writes 1e30 for "no limit".
    constexpr std::int64_t kNoLimit = std::int64_t{1} << 40;
    if (*length < kNoLimit) model_max_length_ = length->get<std::int64_t>();
  }
  const auto prefix = config.find("add_prefix_space");
  if (prefix != config.end() && !prefix->is_null()) {
    if (!prefix->is_boolean()) {
      throw FormatError(place, "add_prefix_space", "true or false", detail::describe(*prefix));
    }
    add_prefix_space_ = prefix->get<bool>();
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
      tokens.push_back({token.id, token.begin, token.end, piece});
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
