#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/preprocessing/text/tokenizer.hpp>
#include <limits>

#include "preprocessing/text/truncate.hpp"
#include "preprocessing/text/unicode.hpp"

namespace bridgetower {

/// One token of a text, before template, truncation and padding.
struct TextTokenizer::Token {
  std::int64_t id;
  std::string text;  // what stands in Encoding::tokens
  std::size_t begin;
  std::size_t end;  // bytes, later code points
  std::int64_t word;
  std::int64_t sequence;
};

/// Some tokens of a text.
struct TextTokenizer::Range {
  const Token* begin;
  const Token* end;
};

/// An added token in a text, with the white space that it takes.
struct TextTokenizer::Match {
  const AddedToken* token;
  std::size_t begin;
  std::size_t end;
};

namespace {

using detail::CharClass;

/// The position before the white space that ends at `end`, not before `least`.
std::size_t skip_space_back(std::string_view text, std::size_t least, std::size_t end) {
  while (end > least) {
    std::size_t start = end - 1;
    while (start > least && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (detail::char_class(detail::code_point_at(text, start).value) != CharClass::kSpace) break;
    end = start;
  }
  return end;
}

std::size_t skip_space(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const detail::CodePoint next = detail::code_point_at(text, begin);
    if (detail::char_class(next.value) != CharClass::kSpace) break;
    begin += next.bytes;
  }
  return begin;
}

/// Leading (or trailing) characters of a token that offsets leave out: the alphabet's letter for a
/// space, and white space itself.
std::int64_t count_space(std::string_view token, bool leading) {
  const auto is_space = [](std::uint32_t value) {
    return value == 0x120 || detail::char_class(value) == CharClass::kSpace;
  };
  std::vector<bool> spaces;
  for (std::size_t i = 0; i < token.size();) {
    const detail::CodePoint next = detail::code_point_at(token, i);
    spaces.push_back(is_space(next.value));
    i += next.bytes;
  }
  if (leading) return std::find(spaces.begin(), spaces.end(), false) - spaces.begin();
  return std::find(spaces.rbegin(), spaces.rend(), false) - spaces.rbegin();
}

}  // namespace

void TextTokenizer::set_added_tokens(std::vector<AddedToken> tokens) {
  added_tokens_ = std::move(tokens);
  std::stable_sort(added_tokens_.begin(), added_tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  for (const AddedToken& token : added_tokens_) {
    first_bytes_.set(static_cast<unsigned char>(token.content.front()));
    if (token.special) special_ids_.insert(token.id);
  }
}

/// The longest added token that the text has at `position`; null where it has none.
const AddedToken* TextTokenizer::added_token_at(std::string_view text, std::size_t position,
                                                const EncodeOptions& options) const {
  const AddedToken* longest = nullptr;
  // Those that begin with text[position, position + depth), narrowed byte by byte.
  auto first = added_tokens_.begin();
  auto last = added_tokens_.end();
  for (std::size_t depth = 0; position + depth < text.size() && first != last; ++depth) {
    const auto byte = static_cast<unsigned char>(text[position + depth]);
    const auto byte_of = [depth](const AddedToken& token) {
      return static_cast<unsigned char>(token.content[depth]);
    };
    while (first != last && first->content.size() == depth) ++first;
    first = std::partition_point(first, last, [&](const auto& t) { return byte_of(t) < byte; });
    last = std::partition_point(first, last, [&](const auto& t) { return byte_of(t) == byte; });
    for (auto same = first; same != last && same->content.size() == depth + 1; ++same) {
      if (!(same->special && options.split_special_tokens)) longest = &*same;
    }
  }
  return longest;
}

std::optional<TextTokenizer::Match> TextTokenizer::next_match(std::string_view text,
                                                              std::size_t from,
                                                              const EncodeOptions& options) const {
  const AddedToken* best = nullptr;
  std::size_t position = from;
  for (; position < text.size(); ++position) {
    if (!first_bytes_[static_cast<unsigned char>(text[position])]) continue;
    best = added_token_at(text, position, options);
    if (best != nullptr) break;
  }
  if (best == nullptr) return std::nullopt;
  const std::size_t end = position + best->content.size();
  return Match{best, best->lstrip ? skip_space_back(text, from, position) : position,
               best->rstrip ? skip_space(text, end) : end};
}

void TextTokenizer::append_segment(std::string_view segment, std::size_t offset,
                                   std::int64_t& words, Tokens& tokens) const {
  if (segment.empty()) return;
  const bool prefixed = add_prefix_space_ && segment.front() != ' ';
  const std::string with_space = prefixed ? " " + std::string(segment) : std::string();
  std::int64_t pieces = 0;
  for (SegmentToken& token : tokenize_segment(prefixed ? with_space : segment)) {
    std::size_t begin = token.begin;
    std::size_t end = token.end;
    if (prefixed) {  // the added space lies on the first character
      begin = begin == 0 ? 0 : begin - 1;
      end = std::max<std::size_t>(end - 1, 1);
    }
    if (token.text.empty()) token.text = id_to_token(token.id).value_or("");
    tokens.push_back(
        {token.id, std::move(token.text), offset + begin, offset + end, words + token.piece, 0});
    pieces = token.piece + 1;
  }
  words += pieces;
}

TextTokenizer::Tokens TextTokenizer::tokenize(std::string_view given, const EncodeOptions& options,
                                              std::int64_t sequence) const {
  if (given.size() > limits_.text_bytes) {
    throw LimitError("text", "length", "at most " + std::to_string(limits_.text_bytes) + " bytes",
                     std::to_string(given.size()));
  }
  std::string repaired;
  std::string_view text = given;
  const std::size_t invalid = detail::find_invalid_utf8(text);
  if (invalid != std::string_view::npos) {
    if (options.invalid_utf8 == InvalidUtf8::kError) {
      throw InputError("text", "byte " + std::to_string(invalid) + " is not UTF-8");
    }
    repaired = detail::repaired_utf8(text);
    text = repaired;
  }
  Tokens tokens;
  std::int64_t words = 0;
  std::size_t position = 0;
  while (const auto match = next_match(text, position, options)) {
    append_segment(text.substr(position, match->begin - position), position, words, tokens);
    tokens.push_back({match->token->id,
                      std::string(text.substr(match->begin, match->end - match->begin)),
                      match->begin, match->end, words++, 0});
    position = match->end;
  }
  append_segment(text.substr(position), position, words, tokens);

  // Bytes to code points; a part of a character counts as the whole.
  std::vector<std::size_t> starts(text.size() + 1);  // code points that begin before a byte
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    starts[i] = count;
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++count;
  }
  starts[text.size()] = count;
  for (Token& token : tokens) {
    const bool inside = (static_cast<unsigned char>(text[token.begin]) & 0xC0) == 0x80;
    token.begin = starts[token.begin] - (inside ? 1 : 0);
    token.end = starts[token.end];
    token.sequence = sequence;
  }
  return tokens;
}

std::optional<std::int64_t> TextTokenizer::max_length_of(const EncodeOptions& options) const {
  const std::optional<std::int64_t> length =
      options.max_length ? options.max_length : model_max_length_;
  if (length && *length < 0) {
    throw InputError("max_length", "value", "0 or more", std::to_string(*length));
  }
  return length;
}

std::int64_t TextTokenizer::limit_of(bool pair, const EncodeOptions& options) const {
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  if (options.truncation == Truncation::kNone) return kNoLimit;
  const std::int64_t added = !options.add_special_tokens ? 0 : pair ? 4 : 2;
  const std::int64_t length = max_length_of(options).value_or(kNoLimit);
  if (length < added) {
    throw InputError("max_length", "value with special tokens", std::to_string(added) + " or more",
                     std::to_string(length));
  }
  return length - added;
}

Encoding TextTokenizer::assemble(const Tokens& first, const Tokens* second,
                                 const EncodeOptions& options) const {
  const std::size_t second_size = second == nullptr ? 0 : second->size();
  const detail::Lengths kept =
      detail::truncated_lengths({first.size(), second_size, second != nullptr},
                                limit_of(second != nullptr, options), options.truncation);
  const bool left = options.truncation_side.value_or(truncation_side_) == Side::kLeft;
  const auto cut = [&](const Tokens& tokens, std::size_t size) {
    std::vector<Range> parts;
    for (const auto& [begin, end] : detail::windows(tokens.size(), size, options.stride, left)) {
      parts.push_back({tokens.data() + begin, tokens.data() + end});
      if (!options.return_overflowing_tokens) break;
    }
    return parts;
  };
  const std::vector<Range> firsts = cut(first, kept.first);
  const std::vector<Range> seconds =
      second == nullptr ? std::vector<Range>{} : cut(*second, kept.second);
  const Range* const kept_second = second == nullptr ? nullptr : &seconds.front();
  Encoding encoding = with_template(firsts.front(), kept_second, options);
  for (std::size_t a = 1; a < firsts.size(); ++a) {
    if (second == nullptr) {
      encoding.overflowing.push_back(with_template(firsts[a], nullptr, options));
    }
    for (const Range& b : seconds) {
      encoding.overflowing.push_back(with_template(firsts[a], &b, options));
    }
  }
  for (std::size_t b = 1; b < seconds.size(); ++b) {
    encoding.overflowing.push_back(with_template(firsts.front(), &seconds[b], options));
  }
  return encoding;
}

Encoding TextTokenizer::with_template(const Range& first, const Range* second,
                                      const EncodeOptions& options) const {
  Encoding encoding;
  const auto add_special = [&](std::int64_t id) {
    if (!options.add_special_tokens) return;
    encoding.input_ids.push_back(id);
    encoding.special_tokens_mask.push_back(1);
    encoding.tokens.push_back(id_to_token(id).value_or(""));
    encoding.offset_mapping.emplace_back(0, 0);
    encoding.word_ids.emplace_back();
    encoding.sequence_ids.emplace_back();
  };
  const auto add_tokens = [&encoding](const Range& tokens) {
    for (const Token* next = tokens.begin; next != tokens.end; ++next) {
      const Token& token = *next;
      encoding.input_ids.push_back(token.id);
      encoding.special_tokens_mask.push_back(0);
      encoding.tokens.push_back(token.text);
      encoding.offset_mapping.emplace_back(token.begin, token.end);
      encoding.word_ids.emplace_back(token.word);
      encoding.sequence_ids.emplace_back(token.sequence);
    }
  };
  add_special(special_.cls);
  add_tokens(first);
  add_special(special_.sep);
  if (second != nullptr) {
    add_special(special_.sep);
    add_tokens(*second);
    add_special(special_.sep);
  }
  encoding.attention_mask.assign(encoding.size(), 1);
  if (trim_offsets_) trim(encoding);
  return encoding;
}

void TextTokenizer::trim(Encoding& encoding) const {
  std::int64_t sequence_begin = -1;  // of the text whose first token was met last
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    if (!encoding.sequence_ids[i]) continue;
    const bool first = *encoding.sequence_ids[i] != sequence_begin;
    sequence_begin = *encoding.sequence_ids[i];
    auto& [begin, end] = encoding.offset_mapping[i];
    std::int64_t leading = count_space(encoding.tokens[i], true);
    const std::int64_t trailing = count_space(encoding.tokens[i], false);
    // The engine takes such a space for the added one, even where it is the text's own.
    if (keep_one_space_ && leading == 1 && (first || begin == 0)) leading = 0;
    begin = std::min(begin + leading, end);
    if (end >= trailing) end = std::max(end - trailing, begin);
  }
}

void TextTokenizer::pad_to(Encoding& encoding, std::size_t length,
                           const EncodeOptions& options) const {
  if (encoding.size() >= length) return;
  const std::size_t missing = length - encoding.size();
  const bool left = options.padding_side.value_or(padding_side_) == Side::kLeft;
  const auto fill = [&](auto& values, const auto& value) {
    values.insert(left ? values.begin() : values.end(), missing, value);
  };
  fill(encoding.input_ids, special_.pad);
  fill(encoding.attention_mask, std::int64_t{0});
  fill(encoding.special_tokens_mask, std::int64_t{1});
  fill(encoding.tokens, id_to_token(special_.pad).value_or(""));
  fill(encoding.offset_mapping, std::pair<std::int64_t, std::int64_t>{0, 0});
  fill(encoding.word_ids, std::optional<std::int64_t>());
  fill(encoding.sequence_ids, std::optional<std::int64_t>());
}

void TextTokenizer::pad(std::vector<Encoding*>& batch, const EncodeOptions& options) const {
  if (options.padding == Padding::kNone) return;
  const std::optional<std::int64_t> max_length = max_length_of(options);
  std::size_t length = 0;
  if (options.padding == Padding::kMaxLength) {
    if (!max_length) return;
    length = static_cast<std::size_t>(*max_length);
  } else {
    for (const Encoding* encoding : batch) length = std::max(length, encoding->size());
  }
  const auto check = [this](const char* what, std::int64_t value) {
    if (value <= limits_.tokens) return;
    throw LimitError("padding", what, "at most " + std::to_string(limits_.tokens) + " tokens",
                     std::to_string(value));
  };
  if (options.pad_to_multiple_of < 0) {
    throw InputError("padding", "pad_to_multiple_of", "0 or more",
                     std::to_string(options.pad_to_multiple_of));
  }
  if (options.padding == Padding::kMaxLength) check("max_length", *max_length);
  check("pad_to_multiple_of", options.pad_to_multiple_of);
  if (options.pad_to_multiple_of > 0) {
    if (options.truncation != Truncation::kNone && max_length &&
        *max_length % options.pad_to_multiple_of != 0) {
      throw InputError("max_length", "value with truncation and padding",
                       "a multiple of " + std::to_string(options.pad_to_multiple_of),
                       std::to_string(*max_length));
    }
    const auto multiple = static_cast<std::size_t>(options.pad_to_multiple_of);
    length = (length + multiple - 1) / multiple * multiple;
  }
  for (Encoding* const encoding : batch) {
    pad_to(*encoding, length, options);
    for (Encoding& part : encoding->overflowing) pad_to(part, length, options);
  }
}

Encoding TextTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  Encoding encoding = assemble(tokenize(text, options, 0), nullptr, options);
  std::vector<Encoding*> batch{&encoding};
  pad(batch, options);
  return encoding;
}

Encoding TextTokenizer::encode(std::string_view text, std::string_view pair,
                               const EncodeOptions& options) const {
  const Tokens second = tokenize(pair, options, 1);
  Encoding encoding = assemble(tokenize(text, options, 0), &second, options);
  std::vector<Encoding*> batch{&encoding};
  pad(batch, options);
  return encoding;
}

std::vector<Encoding> TextTokenizer::encode_batch(const std::vector<std::string>& texts,
                                                  const EncodeOptions& options) const {
  if (static_cast<std::int64_t>(texts.size()) > limits_.batch) {
    throw LimitError("texts", "number of texts", "at most " + std::to_string(limits_.batch),
                     std::to_string(texts.size()));
  }
  std::vector<Encoding> encodings;
  for (const std::string& text : texts) {
    encodings.push_back(assemble(tokenize(text, options, 0), nullptr, options));
  }
  std::vector<Encoding*> batch;
  for (Encoding& encoding : encodings) batch.push_back(&encoding);
  pad(batch, options);
  return encodings;
}

std::string TextTokenizer::decode(const std::vector<std::int64_t>& ids,
                                  bool skip_special_tokens) const {
  std::vector<std::int64_t> known;
  for (const std::int64_t id : ids) {
    if (id < 0) throw InputError("ids", "token id", "0 or more", std::to_string(id));
    const bool special = skip_special_tokens && special_ids_.count(id) != 0;
    if (!special && id_to_token(id)) known.push_back(id);
  }
  return join(known);
}

std::vector<std::string> TextTokenizer::batch_decode(
    const std::vector<std::vector<std::int64_t>>& rows, bool skip_special_tokens) const {
  std::vector<std::string> texts;
  for (const auto& row : rows) texts.push_back(decode(row, skip_special_tokens));
  return texts;
}

}  // namespace bridgetower
