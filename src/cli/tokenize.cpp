// tokenize and detokenize: the tokenizer alone.
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <limits>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::string file = "-";
  bool jsonl = false;
  bool tokens = false;
};

struct Request {
  std::string text;
  std::optional<std::string> pair;
  EncodeOptions options;
  bool offsets = false;
};

[[noreturn]] void refuse(const std::string& key, const std::string& expected, const Json& got) {
  throw InputError("tokenize", key, expected,
                   got.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool boolean(const Json& line, const char* key, bool otherwise) {
  if (!line.contains(key)) return otherwise;
  if (!line[key].is_boolean()) refuse(key, "true or false", line[key]);
  return line[key].get<bool>();
}

std::string text_of(const Json& line, const char* key) {
  if (!line.contains(key) || !line[key].is_string()) {
    refuse(key, "a string", line.contains(key) ? line[key] : Json());
  }
  return line[key].get<std::string>();
}

Padding padding_of(const Json& value) {
  if (value == Json(true) || value == "longest") return Padding::kLongest;
  if (value == Json(false) || value.is_null() || value == "do_not_pad") return Padding::kNone;
  if (value == "max_length") return Padding::kMaxLength;
  refuse("padding", "true, false, \"longest\", \"max_length\" or \"do_not_pad\"", value);
}

Truncation truncation_of(const Json& value) {
  if (value == Json(true) || value == "longest_first") return Truncation::kLongestFirst;
  if (value == Json(false) || value.is_null() || value == "do_not_truncate")
    return Truncation::kNone;
  if (value == "only_first") return Truncation::kOnlyFirst;
  if (value == "only_second") return Truncation::kOnlySecond;
  refuse("truncation", "true, false or the name of a strategy", value);
}

Request request_from(const Json& line) {
  Request request;
  request.text = text_of(line, "text");
  if (line.contains("text_pair") && !line["text_pair"].is_null()) {
    request.pair = text_of(line, "text_pair");
  }
  request.options.add_special_tokens = boolean(line, "add_special_tokens", true);
  request.offsets = boolean(line, "return_offsets_mapping", false);
  if (line.contains("padding")) request.options.padding = padding_of(line["padding"]);
  if (line.contains("truncation")) request.options.truncation = truncation_of(line["truncation"]);
  if (line.contains("max_length") && !line["max_length"].is_null()) {
    const Json& length = line["max_length"];
    if (!length.is_number_integer()) refuse("max_length", "an integer", length);
    request.options.max_length = length.get<std::int64_t>();
    // HF: a max_length asks for truncation where nothing else is said.
    const bool unsaid = !line.contains("truncation") || line["truncation"].is_null();
    if (unsaid && line.value("padding", Json(false)) == false) {
      request.options.truncation = Truncation::kLongestFirst;
    }
  }
  return request;
}

Json encode(const TextTokenizer& tokenizer, const Request& request, bool tokens) {
  EncodeOptions options = request.options;
  options.invalid_utf8 = InvalidUtf8::kError;
  const Encoding encoding = request.pair ? tokenizer.encode(request.text, *request.pair, options)
                                         : tokenizer.encode(request.text, options);
  Json record{{"input_ids", encoding.input_ids}, {"attention_mask", encoding.attention_mask}};
  if (tokens) record["tokens"] = encoding.tokens;
  if (request.offsets) record["offset_mapping"] = encoding.offset_mapping;
  return record;
}

std::string ids_as_text(const Json& record) {
  const Json& shown = record.contains("tokens") ? record["tokens"] : record["input_ids"];
  std::string text;
  for (const Json& item : shown) {
    text += (text.empty() ? "" : " ") + (item.is_string() ? item.get<std::string>() : item.dump());
  }
  return text;
}

Status tokenize(Options& options) {
  const auto tokenizer = RobertaTokenizer::from_pretrained(options.model.directory());
  for (const std::string& line : read_lines(options.file)) {
    try {
      Request request;
      if (options.jsonl) {
        request = request_from(json_line(line, "tokenize"));
      } else {
        request.text = line;
      }
      options.results.write(encode(*tokenizer, request, options.tokens), ids_as_text);
    } catch (const Error& error) {
      options.results.fail(Json::object(), error);
    }
  }
  return options.results.finish();
}

Json decode(const TextTokenizer& tokenizer, const Json& line) {
  if (!line.contains("ids") || !line["ids"].is_array()) {
    throw InputError("detokenize", "ids", "an array of integers of 64 bits",
                     line.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80));
  }
  std::vector<std::int64_t> ids;
  for (const Json& id : line["ids"]) {
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
    if (!id.is_number_integer() ||
        (id.is_number_unsigned() && id.get<std::uint64_t>() > kLargest)) {
      throw InputError("detokenize", "ids", "an array of integers of 64 bits", id.dump());
    }
    ids.push_back(id.get<std::int64_t>());
  }
  return {{"text", tokenizer.decode(ids, boolean(line, "skip_special_tokens", false))}};
}

Status detokenize(Options& options) {
  const auto tokenizer = RobertaTokenizer::from_pretrained(options.model.directory());
  for (const std::string& line : read_lines(options.file)) {
    try {
      options.results.write(decode(*tokenizer, json_line(line, "detokenize")),
                            [](const Json& record) { return record["text"].get<std::string>(); });
    } catch (const Error& error) {
      options.results.fail(Json::object(), error);
    }
  }
  return options.results.finish();
}

}  // namespace

Command add_tokenize(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("tokenize", "Texts to token ids, one record a line");
  command->footer(
      "Example:\n  echo \"a <mask> looking out of the window\" | bridgetower tokenize --model DIR");
  const auto options = std::make_shared<Options>();
  command->add_option("--texts", options->file, "file of texts, one a line; - for standard input")
      ->capture_default_str();
  command->add_flag("--jsonl", options->jsonl,
                    "lines are objects: text, text_pair, padding, truncation, max_length, "
                    "add_special_tokens, return_offsets_mapping");
  command->add_flag("--tokens", options->tokens, "show the tokens as strings too");
  options->model.add_model(*command);
  options->results.add_to(*command);
  return [options] { return tokenize(*options); };
}

Command add_detokenize(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("detokenize", "Token ids to texts, one record a line");
  command->footer(
      "Example:\n  echo '{\"ids\": [0, 102, 2]}' | bridgetower detokenize --model DIR --jsonl -");
  const auto options = std::make_shared<Options>();
  command
      ->add_option(
          "--jsonl", options->file,
          "file of lines {\"ids\": […], \"skip_special_tokens\"?: true}; - for standard input")
      ->required();
  options->model.add_model(*command);
  options->results.add_to(*command);
  return [options] { return detokenize(*options); };
}

}  // namespace bridgetower::cli
