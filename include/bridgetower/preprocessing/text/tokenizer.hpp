#pragma once

#include <bitset>
#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/preprocessing/text/encoding.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// A string that is matched in the text before anything else. HF: AddedToken.
struct AddedToken {
  std::string content;
  std::int64_t id = 0;
  bool special = true;
  bool lstrip = false;  ///< takes the white space before it
  bool rstrip = false;  ///< takes the white space after it
};

/// What tokenizers have in common: added tokens, the template `<s> A </s></s> B </s>`, truncation,
/// padding, masks and offsets. HF: PreTrainedTokenizerFast. Safe for concurrent use.
class TextTokenizer {
 public:
  virtual ~TextTokenizer() = default;

  /// Throws InputError for text that is not UTF-8 (where the options ask for it), for options that
  /// contradict each other and for a truncation that cannot be done; LimitError for a text or a
  /// batch that is too large and for padding to more than Limits::tokens.
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode(std::string_view text, std::string_view pair,
                  const EncodeOptions& options = {}) const;
  std::vector<Encoding> encode_batch(const std::vector<std::string>& texts,
                                     const EncodeOptions& options = {}) const;

  /// Ids that the vocabulary does not know are left out; a negative one is an InputError.
  std::string decode(const std::vector<std::int64_t>& ids, bool skip_special_tokens = false) const;
  std::string decode(const Tensor<std::int64_t>& ids, bool skip_special_tokens = false) const {
    return decode(std::vector<std::int64_t>(ids.begin(), ids.end()), skip_special_tokens);
  }
  std::vector<std::string> batch_decode(const std::vector<std::vector<std::int64_t>>& rows,
                                        bool skip_special_tokens = false) const;

  virtual std::optional<std::int64_t> token_to_id(std::string_view token) const = 0;
  virtual std::optional<std::string> id_to_token(std::int64_t id) const = 0;

  /// Ids run from 0 to one less.
  virtual std::int64_t vocab_size() const = 0;

  std::int64_t cls_token_id() const noexcept { return special_.cls; }
  std::int64_t sep_token_id() const noexcept { return special_.sep; }
  std::int64_t pad_token_id() const noexcept { return special_.pad; }
  std::int64_t mask_token_id() const noexcept { return special_.mask; }

  /// Longest input the model was made for, where the files say so.
  std::optional<std::int64_t> model_max_length() const noexcept { return model_max_length_; }

 protected:
  /// A token of a segment between added tokens.
  struct SegmentToken {
    std::int64_t id;
    std::size_t begin;  // bytes of the segment
    std::size_t end;
    std::int64_t piece;  // of the segment, from 0
    std::string text;    // where it is not what the vocabulary writes
  };
  struct SpecialIds {
    std::int64_t cls = 0;
    std::int64_t pad = 1;
    std::int64_t sep = 2;
    std::int64_t mask = 0;
  };

  /// Tokens of valid UTF-8 without added tokens in it, never empty.
  virtual std::vector<SegmentToken> tokenize_segment(std::string_view segment) const = 0;

  /// The text of tokens whose ids are all known.
  virtual std::string join(const std::vector<std::int64_t>& ids) const = 0;

  /// Takes them in the order in which they were added.
  void set_added_tokens(std::vector<AddedToken> tokens);

  Limits limits_;
  SpecialIds special_;
  std::optional<std::int64_t> model_max_length_;
  Side padding_side_ = Side::kRight;
  Side truncation_side_ = Side::kRight;
  bool add_prefix_space_ = false;  // a space before every segment that does not begin with one
  bool trim_offsets_ = true;       // offsets leave out the space that belongs to a word
  bool keep_one_space_ = false;    // the post-processor's add_prefix_space: a quirk of trimming

 private:
  struct Token;
  struct Range;
  struct Match;
  using Tokens = std::vector<Token>;

  Tokens tokenize(std::string_view text, const EncodeOptions& options, std::int64_t sequence) const;
  const AddedToken* added_token_at(std::string_view text, std::size_t position,
                                   const EncodeOptions& options) const;
  std::optional<Match> next_match(std::string_view text, std::size_t from,
                                  const EncodeOptions& options) const;
  void append_segment(std::string_view segment, std::size_t offset, std::int64_t& words,
                      Tokens& tokens) const;
  Encoding assemble(const Tokens& first, const Tokens* second, const EncodeOptions& options) const;
  Encoding with_template(const Range& first, const Range* second,
                         const EncodeOptions& options) const;
  std::int64_t limit_of(bool pair, const EncodeOptions& options) const;
  std::optional<std::int64_t> max_length_of(const EncodeOptions& options) const;
  void pad(std::vector<Encoding*>& batch, const EncodeOptions& options) const;
  void pad_to(Encoding& encoding, std::size_t length, const EncodeOptions& options) const;
  void trim(Encoding& encoding) const;

  std::vector<AddedToken> added_tokens_;  // by content, as bytes
  std::bitset<256> first_bytes_;          // that added tokens begin with
  std::set<std::int64_t> special_ids_;
};

}  // namespace bridgetower
