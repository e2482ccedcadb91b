#include "sentencepiece/model_file.hpp"

#include <bridgetower/core/error.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/json.hpp"
#include "preprocessing/text/unicode.hpp"

namespace bridgetower::detail {
namespace {

constexpr float kLargestScore = 1e6F;  // sums over a text stay finite

// Protocol buffer wire types and the field numbers of sentencepiece_model.proto.
enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
enum PieceType : std::uint64_t { kNormal = 1, kUnknown = 2, kControl = 3 };
constexpr std::uint64_t kUnigram = 1;

/// Reads the fields of one message.
class FieldReader {
 public:
  FieldReader(std::string_view bytes, const std::string& place) : bytes_(bytes), place_(place) {}

  /// The next field; false at the end.
  bool next() {
    if (position_ == bytes_.size()) return false;
    const std::uint64_t key = varint();
    number_ = key >> 3;
    type_ = static_cast<std::uint32_t>(key & 7);
    payload_ = {};
    if (type_ == kVarint) {
      value_ = varint();
    } else if (type_ == kBytes) {
      payload_ = take(varint());
    } else if (type_ == kFixed32) {
      payload_ = take(4);
    } else if (type_ == kFixed64) {
      payload_ = take(8);
    } else {
      refuse();
    }
    return true;
  }

  std::uint64_t number() const { return number_; }

  std::string_view bytes() const {
    if (type_ != kBytes) refuse();
    return payload_;
  }

  std::uint64_t integer() const {
    if (type_ != kVarint) refuse();
    return value_;
  }

  float real() const {
    if (type_ != kFixed32) refuse();
    std::uint32_t bits = 0;
    for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(payload_[i]);
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

 private:
  [[noreturn]] void refuse() const {
    throw FormatError(place_, "bytes", "a SentencePiece model", "others, or the end before it");
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = static_cast<unsigned char>(take(1).front());
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    refuse();
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - position_) refuse();
    const std::string_view taken = bytes_.substr(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  std::string_view bytes_;
  const std::string& place_;
  std::size_t position_ = 0;
  std::uint64_t number_ = 0;
  std::uint32_t type_ = 0;
  std::uint64_t value_ = 0;
  std::string_view payload_;
};

void parse_trainer(std::string_view bytes, const std::string& place) {
  for (FieldReader field(bytes, place); field.next();) {
    if (field.number() == 3 && field.integer() != kUnigram) {
      static const char* const kNames[] = {"2 (BPE)", "3 (word)", "4 (char)"};
      const std::uint64_t type = field.integer();
      throw FormatError(place, "trainer_spec.model_type", "1 (Unigram)",
                        type >= 2 && type <= 4 ? kNames[type - 2] : std::to_string(type));
    }
    if (field.number() == 24 && field.integer() != 0) {
      throw FormatError(place, "trainer_spec.treat_whitespace_as_suffix", "false", "true");
    }
  }
}

void parse_normalizer(std::string_view bytes, ModelFile& model, const std::string& place) {
  static const char* const kFlags[] = {"add_dummy_prefix", "remove_extra_whitespaces",
                                       "escape_whitespaces"};
  for (FieldReader field(bytes, place); field.next();) {
    if (field.number() == 2) model.replacements = field.bytes();
    if (field.number() >= 3 && field.number() <= 5 && field.integer() == 0) {
      throw FormatError(place, std::string("normalizer_spec.") + kFlags[field.number() - 3], "true",
                        "false");
    }
  }
}

/// The first three pieces are special, all others ordinary.
void parse_piece(std::string_view bytes, std::size_t id, ModelFile& model, const std::string& place,
                 const Limits& limits) {
  ModelFile::Piece piece{{}, 0};
  std::uint64_t type = kNormal;
  for (FieldReader field(bytes, place); field.next();) {
    if (field.number() == 1) piece.text = field.bytes();
    if (field.number() == 2) piece.score = field.real();
    if (field.number() == 3) type = field.integer();
  }
  static const char* const kSpecial[] = {"<unk>", "<s>", "</s>"};
  const std::string what = "piece " + std::to_string(id);
  const std::string got = in_quotes(piece.text) + " of type " + std::to_string(type);
  if (id < 3) {
    const std::uint64_t expected = id == 0 ? kUnknown : kControl;
    if (piece.text != kSpecial[id] || type != expected) {
      throw FormatError(place, what,
                        in_quotes(kSpecial[id]) + " of type " + std::to_string(expected), got);
    }
    return;
  }
  if (type != kNormal || piece.text.empty() || piece.text.find('\0') != std::string::npos ||
      find_invalid_utf8(piece.text) != std::string_view::npos) {
    throw FormatError(place, what, "a text of type 1", got);
  }
  if (piece.text.size() > limits.token_bytes) {
    throw LimitError(place, what, "at most " + std::to_string(limits.token_bytes) + " bytes",
                     std::to_string(piece.text.size()));
  }
  if (!(std::abs(piece.score) <= kLargestScore)) {
    throw FormatError(place, what + " " + in_quotes(piece.text), "a score",
                      "a number out of range");
  }
  model.pieces.push_back(std::move(piece));
}

}  // namespace

ModelFile parse_model_file(std::string_view bytes, const std::string& place, const Limits& limits) {
  ModelFile model;
  std::size_t pieces = 0;
  for (FieldReader field(bytes, place); field.next();) {
    if (field.number() == 1) parse_piece(field.bytes(), pieces++, model, place, limits);
    if (field.number() == 2) parse_trainer(field.bytes(), place);
    if (field.number() == 3) parse_normalizer(field.bytes(), model, place);
  }
  if (model.pieces.empty()) {
    throw FormatError(place, "pieces", "4 or more", std::to_string(pieces));
  }
  return model;
}

}  // namespace bridgetower::detail
