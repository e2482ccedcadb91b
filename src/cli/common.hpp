#pragma once

#include <CLI/CLI.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/load_options.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/progress.hpp"

namespace bridgetower::cli {

using Json = nlohmann::ordered_json;

/// What a subcommand returns: the exit status of the program.
enum class Status { kDone = 0, kFailed = 1, kUsage = 2 };

/// A mistake on the command line that the parser cannot see; ends the program with status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The options of every subcommand that loads a model.
struct ModelOptions {
  std::string model;
  std::string revision = "main";
  int threads = 0;
  std::string dtype = "float32";
  std::string backend = "auto";

  void add_model(CLI::App& command);
  void add_compute(CLI::App& command);

  /// Of --model, else $BRIDGETOWER_MODEL (a model of the Hugging Face cache is looked up there),
  /// else the demo model that came with the program. Throws UsageError where there is none, IoError
  /// where it is not in the cache.
  std::filesystem::path directory() const;

  /// Whether the model is chosen by --model or $BRIDGETOWER_MODEL.
  bool is_chosen() const;
  LoadOptions load_options() const;
};

/// Results on stdout: one JSON object a line, one JSON array, or text for people; beside them a
/// progress bar on stderr.
class Results {
 public:
  /// For commands that write something else on stdout.
  void use_stderr() { out_ = &std::cerr; }

  /// Adds --format.
  void add_to(CLI::App& command);

  /// Adds --no-progress, for commands that call start_progress().
  void add_progress_to(CLI::App& command);

  /// For programs whose stderr somebody else writes to the terminal.
  void use_progress_lines() { progress_.use_lines(); }

  /// `total` steps follow, `unit` names them; advance() ends each.
  void start_progress(std::size_t total, std::string unit);
  void advance() { progress_.advance(); }

  /// Writes a record; `text` makes its line for people.
  void write(const Json& record, const std::function<std::string(const Json&)>& text);

  /// A record that says what went wrong with one input; the program's status becomes 1.
  void fail(Json record, const Error& error);
  void fail(Json record, const std::string& code, const std::string& message);

  /// A line above the records, for people only.
  void write_heading(const std::string& line);

  /// Ends the output. Throws IoError when stdout cannot be written.
  Status finish();

 private:
  bool for_people() const;

  std::string format_;
  bool no_progress_ = false;
  ProgressBar progress_;
  std::ostream* out_ = &std::cout;
  bool array_open_ = false;
  bool failed_ = false;
};

/// A line that holds a JSON object. Throws FormatError or InputError; `place` names it in errors.
Json json_line(const std::string& line, const std::string& place);

/// Lines of a text file ("-": standard input), without their line ends.
std::vector<std::string> read_lines(const std::string& file);

/// "5GB", "200MB": powers of 1000; "1GiB": powers of 1024. Throws UsageError, also for 0.
std::uint64_t parse_size(const std::string& option, const std::string& text);

/// The PNG and JPEG files among the arguments, directories walked in the order of their names.
std::vector<std::string> image_files(const std::vector<std::string>& paths);

/// "0.9731"
std::string fixed(double value, int digits = 4);

/// {"code": …, "message": …}
Json error_record(const Error& error);

using Command = std::function<Status()>;

/// Every subcommand's file has one of these: it describes the options and returns what to run.
Command add_match(CLI::App& app);
Command add_fill_mask(CLI::App& app);
Command add_attention(CLI::App& app);
Command add_similarity(CLI::App& app);
Command add_embed(CLI::App& app);
Command add_index(CLI::App& app);
Command add_merge(CLI::App& app);
Command add_search(CLI::App& app);
Command add_tokenize(CLI::App& app);
Command add_detokenize(CLI::App& app);
Command add_preprocess(CLI::App& app);
Command add_convert(CLI::App& app);
Command add_info(CLI::App& app);
Command add_run(CLI::App& app);
Command add_verify(CLI::App& app);
Command add_bench(CLI::App& app);

}  // namespace bridgetower::cli
