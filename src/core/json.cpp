#include "core/json.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <iterator>
#include <utility>
#include <vector>

#include "core/file.hpp"
#include "core/json_guard.hpp"
#include "core/utf8.hpp"

namespace bridgetower::detail {
namespace {

using Json = nlohmann::json;

/// What the allocator takes for the parts of a tree.
constexpr std::uint64_t kBlockBytes = 16;  // of its own, beside each
constexpr std::uint64_t kMemberBytes = 80 + kBlockBytes;
constexpr std::uint64_t kTextBytes = 32 + kBlockBytes;
constexpr std::uint64_t kListBytes = 24 + kBlockBytes;
constexpr std::uint64_t kObjectBytes = 48 + kBlockBytes;

/// A text of more than 15 bytes lies elsewhere.
std::uint64_t bytes_of(const std::string& text) {
  return text.size() < 16 ? 0 : text.capacity() + kBlockBytes;
}

/// A pointer that leaves behind how far it has come: the parser's events carry no position.
class TracedPointer {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TracedPointer(const char* next, const char** trace) : next_(next), trace_(trace) {}
  reference operator*() const { return *next_; }
  TracedPointer& operator++() {
    *trace_ = ++next_;
    return *this;
  }
  bool operator==(const TracedPointer& other) const { return next_ == other.next_; }
  bool operator!=(const TracedPointer& other) const { return next_ != other.next_; }

 private:
  const char* next_;
  const char** trace_;
};

/// Builds the tree from the parser's events; refuses what the grammar alone allows.
class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, const std::string& place, const Limits& limits)
      : text_(text),
        place_(place),
        limits_(limits),
        memory_left_(limits.json_memory + text.size()),
        reached_(text.data()) {}

  Json build() {
    const JsonGuard guard(root_);
    const char* end = text_.data() + text_.size();
    Json::sax_parse(TracedPointer(text_.data(), &reached_), TracedPointer(end, &reached_), this);
    return std::move(root_);
  }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override {
    take_memory(kTextBytes + bytes_of(value));
    return add(std::move(value));
  }
  bool binary(binary_t&) override { return false; }  // no JSON text holds one

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    take_memory(kMemberBytes + bytes_of(name));
    const auto [member, inserted] = open_.back()->get_ref<Json::object_t&>().try_emplace(name);
    if (!inserted) throw FormatError(place_, here(), "every key once", in_quotes(name) + " again");
    slot_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const Json::exception& error) override {
    constexpr int kNumberOverflow = 406;
    const std::size_t offset = position == 0 ? 0 : position - 1;
    const std::string got = error.id == kNumberOverflow ? "a number beyond double precision"
                            : offset >= text_.size()    ? "the end of the text"
                                                        : in_quotes(token);
    throw FormatError(place_, "byte " + std::to_string(offset), "JSON", got);
  }

 private:
  std::string here() const {
    return "byte " + std::to_string(reached_ == text_.data() ? 0 : reached_ - text_.data() - 1);
  }

  void take_memory(std::uint64_t bytes) {
    if (bytes > memory_left_) {
      throw LimitError(place_, here(),
                       "a tree of at most " + std::to_string(limits_.json_memory) +
                           " bytes beside the text's length",
                       "a larger one");
    }
    memory_left_ -= bytes;
  }

  Json& place_value(Json value) {
    if (++values_ > limits_.json_values) {
      throw LimitError(place_, here(),
                       "at most " + std::to_string(limits_.json_values) + " JSON values", "more");
    }
    if (open_.empty()) return root_ = std::move(value);
    widen(open_.size(), open_.back()->size() + 1);
    if (open_.back()->is_object()) return *slot_ = std::move(value);
    return append(open_.back()->get_ref<Json::array_t&>(), std::move(value));
  }

  /// In the end nlohmann's destructor puts the values of a container, of one among them, and so on,
  /// into one list: at most as many as are in the widest of each level. It has room for those of
  /// the root and grows for others, when it is there thrice.
  void widen(std::size_t level, std::size_t values) {
    if (widest_.size() <= level) widest_.resize(level + 1);
    if (values <= widest_[level]) return;
    take_memory((values - widest_[level]) * (level == 1 ? 1 : 3) * sizeof(Json));
    widest_[level] = values;
  }

  /// A list that grows is there twice for a moment.
  Json& append(Json::array_t& items, Json value) {
    const std::size_t before = items.capacity();
    if (items.size() == before) {
      take_memory(std::max<std::size_t>(1, 2 * before) * sizeof(Json) + kBlockBytes);
    }
    items.push_back(std::move(value));
    if (before != 0 && items.capacity() != before) {
      memory_left_ += before * sizeof(Json) + kBlockBytes;
    }
    return items.back();
  }

  bool add(Json value) {
    place_value(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (open_.size() == limits_.json_depth) {
      throw LimitError(place_, here(), "nesting of at most " + std::to_string(limits_.json_depth),
                       "a deeper one");
    }
    take_memory(value.is_array() ? kListBytes : kObjectBytes);
    open_.push_back(&place_value(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::string& place_;
  const Limits& limits_;
  std::uint64_t memory_left_;
  const char* reached_;
  std::size_t values_ = 0;
  Json root_;
  Json* slot_ = nullptr;  // where the value of the last key goes
  std::vector<std::size_t> widest_;
  std::vector<Json*> open_;  // the arrays and objects around the next value
};

}  // namespace

Json parse_json(std::string_view text, const std::string& place, const Limits& limits) {
  // The parser takes a zero byte for the end of the text.
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) {
    throw FormatError(place, "byte " + std::to_string(zero), "JSON", in_quotes({"\0", 1}));
  }
  return TreeBuilder(text, place, limits).build();
}

Json read_json_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                    const Limits& limits) {
  return parse_json(read_file(path, max_bytes), path.string(), limits);
}

bool is_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

std::string in_quotes(std::string_view text, std::size_t max_bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text.substr(0, max_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    } else {
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return result + (text.size() > max_bytes ? "...\"" : "\"");
}

std::string describe(const Json& value) {
  if (value.is_string()) return "string " + in_quotes(value.get_ref<const std::string&>());
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  return value.dump();
}

}  // namespace bridgetower::detail
