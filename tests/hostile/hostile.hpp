#pragma once

#include <bridgetower/core/error.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What strangers may send: files byte by byte, and calls. Every case says what must come back.
namespace bridgetower::hostile {

/// Makes the bytes; small ones may be given as they are.
struct Bytes {
  std::function<std::string()> make;

  Bytes(std::string text) : make([text = std::move(text)] { return text; }) {}  // NOLINT
  Bytes(const char* text) : Bytes(std::string(text)) {}                         // NOLINT
  template <class Make, class = decltype(std::declval<Make>()())>
  Bytes(Make how) : make(std::move(how)) {}  // NOLINT
};

/// Reads the bytes as a user would, and says in a few words what was in them.
using Read = std::function<std::string(const std::string& bytes)>;

struct Case {
  std::string name;  ///< "zip: two entries share a local header"
  Bytes bytes;
  Read read;
  std::optional<ErrorCode> code;  ///< of the Error; none where there is an answer
  std::string text;               ///< a part of the message, or the whole answer
};

/// Cases that one reader gets.
class Cases {
 public:
  Cases(std::string subject, Read read) : subject_(std::move(subject)), read_(std::move(read)) {}

  void refused(const std::string& name, Bytes bytes, ErrorCode code, std::string text) {
    all_.push_back({subject_ + ": " + name, std::move(bytes), read_, code, std::move(text)});
  }

  void answered(const std::string& name, Bytes bytes, std::string answer) {
    all_.push_back({subject_ + ": " + name, std::move(bytes), read_, {}, std::move(answer)});
  }

  /// A call that reads no bytes.
  void refused_call(const std::string& name, std::function<void()> call, ErrorCode code,
                    std::string text) {
    all_.push_back({subject_ + ": " + name, "",
                    [call = std::move(call)](const std::string&) {
                      call();
                      return std::string("an answer");
                    },
                    code, std::move(text)});
  }

  void add(Case other) { all_.push_back(std::move(other)); }

  std::vector<Case> take() { return std::move(all_); }

 private:
  std::string subject_;
  Read read_;
  std::vector<Case> all_;
};

struct Group {
  const char* name;
  std::vector<Case> (*cases)();
};

/// All of them; cases are numbered through the groups.
const std::vector<Group>& groups();

std::vector<Case> safetensors_cases();
std::vector<Case> shard_index_cases();
std::vector<Case> zip_cases();
std::vector<Case> pickle_cases();
std::vector<Case> config_cases();
std::vector<Case> processor_config_cases();
std::vector<Case> tokenizer_cases();
std::vector<Case> vocabulary_cases();
std::vector<Case> sentencepiece_cases();
std::vector<Case> text_cases();
std::vector<Case> png_cases();
std::vector<Case> jpeg_cases();
std::vector<Case> pixel_cases();
std::vector<Case> forward_cases();
std::vector<Case> state_cases();
std::vector<Case> index_cases();
std::vector<Case> name_cases();

/// A directory that all cases share; files in it are overwritten by the next case.
const std::filesystem::path& scratch();

/// Writes a file there and returns its path.
std::filesystem::path put(const std::string& name, std::string_view bytes);

std::string file_bytes(const std::filesystem::path& file);

/// `text`, `count` times.
std::string repeated(std::string_view text, std::size_t count);

/// `text` with the only `from` in it replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace bridgetower::hostile
