#include "cli/common.hpp"

#include <unistd.h>

#include <algorithm>
#include <bridgetower/core/hub_cache.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "core/json.hpp"

namespace bridgetower::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelVariable = "BRIDGETOWER_MODEL";

std::string model_from_environment() {
  const char* const value = std::getenv(kModelVariable);
  return value == nullptr ? std::string() : value;
}

/// Beside the installed program, or in the sources that it was built from; empty where neither is.
fs::path demo_model() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed =
      error ? fs::path() : program.parent_path() / BRIDGETOWER_INSTALLED_DEMO_MODEL;
  for (const fs::path& directory : {installed, fs::path(BRIDGETOWER_SOURCE_DEMO_MODEL)}) {
    if (!directory.empty() && fs::is_directory(directory, error)) {
      return directory.lexically_normal();
    }
  }
  return {};
}

/// Bytes that are not UTF-8, as a file's name may hold, are replaced.
std::string to_line(const Json& record) {
  return record.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_image(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg";
}

void append_directory(const std::string& directory, std::vector<std::string>& files) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored) && is_image(it->path())) found.push_back(it->path().string());
  }
  if (error) throw IoError(directory, "cannot be read: " + error.message());
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

}  // namespace

void ModelOptions::add_model(CLI::App& command) {
  command.add_option("--model", model,
                     "model directory in Hugging Face layout, or ORG/NAME of a model in the local "
                     "Hugging Face cache (default: $BRIDGETOWER_MODEL, else the demo model)");
  command.add_option("--revision", revision, "branch, tag or commit of a model in the cache")
      ->capture_default_str();
}

void ModelOptions::add_compute(CLI::App& command) {
  command.add_option("--threads", threads, "threads to use (default: all cores of this process)")
      ->check(CLI::Range(1, 1024));
  command
      .add_option("--dtype", dtype,
                  "what matrices are kept in: float32; bfloat16 at half the memory; int8 at a "
                  "quarter, and faster")
      ->check(CLI::IsMember({"float32", "bfloat16", "int8"}))
      ->capture_default_str();
  command.add_option("--backend", backend, "who multiplies matrices: auto, eigen or onednn")
      ->check(CLI::IsMember({"auto", "eigen", "onednn"}))
      ->capture_default_str();
}

fs::path ModelOptions::directory() const {
  if (is_chosen()) return find_model(model.empty() ? model_from_environment() : model, revision);
  const fs::path demo = demo_model();
  if (demo.empty()) {
    throw UsageError("no model: give --model DIRECTORY or set " + std::string(kModelVariable));
  }
  return demo;
}

bool ModelOptions::is_chosen() const { return !model.empty() || !model_from_environment().empty(); }

LoadOptions ModelOptions::load_options() const {
  LoadOptions options;
  options.threads = threads;
  options.dtype = dtype == "int8" ? DType::kI8 : dtype == "bfloat16" ? DType::kBF16 : DType::kF32;
  options.backend = backend == "eigen"    ? Backend::kEigen
                    : backend == "onednn" ? Backend::kOneDnn
                                          : Backend::kAuto;
  return options;
}

void Results::add_to(CLI::App& command) {
  command
      .add_option("--format", format_,
                  "text, json or jsonl (default: text on a terminal, otherwise jsonl)")
      ->check(CLI::IsMember({"text", "json", "jsonl"}));
}

void Results::add_progress_to(CLI::App& command) {
  command.add_flag("--no-progress", no_progress_, "no progress is shown");
}

void Results::start_progress(std::size_t total, std::string unit) {
  if (!no_progress_) progress_.start(static_cast<std::int64_t>(total), std::move(unit));
}

bool Results::for_people() const {
  return format_.empty() ? isatty(out_ == &std::cout ? STDOUT_FILENO : STDERR_FILENO) == 1
                         : format_ == "text";
}

void Results::write(const Json& record, const std::function<std::string(const Json&)>& text) {
  progress_.erase();
  if (for_people()) {
    *out_ << text(record) << '\n';
  } else if (format_ == "json") {
    *out_ << (array_open_ ? ",\n " : "[") << to_line(record);
    array_open_ = true;
  } else {
    *out_ << to_line(record) << '\n';
  }
}

void Results::fail(Json record, const Error& error) {
  fail(std::move(record), to_string(error.code()), error.what());
}

void Results::fail(Json record, const std::string& code, const std::string& message) {
  failed_ = true;
  record["error"] = {{"code", code}, {"message", message}};
  write(record, [&message](const Json&) { return "error: " + message; });
}

void Results::write_heading(const std::string& line) {
  if (for_people()) *out_ << line << '\n';
}

Status Results::finish() {
  progress_.erase();
  if (!for_people() && format_ == "json") *out_ << (array_open_ ? "]\n" : "[]\n");
  out_->flush();
  if (!*out_)
    throw IoError(out_ == &std::cout ? "standard output" : "standard error", "cannot be written");
  return failed_ ? Status::kFailed : Status::kDone;
}

Json json_line(const std::string& line, const std::string& place) {
  const nlohmann::json parsed = detail::parse_json(line, place);
  if (!parsed.is_object()) {
    throw InputError(place, "line", "a JSON object", detail::describe(parsed));
  }
  return parsed;
}

std::uint64_t parse_size(const std::string& option, const std::string& text) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = text.substr(digits);
  const std::pair<const char*, std::uint64_t> units[] = {
      {"", 1},
      {"KB", 1'000},
      {"MB", 1'000'000},
      {"GB", 1'000'000'000},
      {"TB", 1'000'000'000'000},
      {"KiB", std::uint64_t{1} << 10},
      {"MiB", std::uint64_t{1} << 20},
      {"GiB", std::uint64_t{1} << 30},
      {"TiB", std::uint64_t{1} << 40},
  };
  for (const auto& [name, size] : units) {
    if (unit != name || digits == 0 || digits > 18) continue;
    const std::uint64_t number = std::stoull(text.substr(0, digits));
    if (number > 0 && number <= kMost / size) return number * size;
  }
  throw UsageError(option + ": expected a size such as 5GB or 200MB, got " + text);
}

std::vector<std::string> read_lines(const std::string& file) {
  std::ifstream opened;
  if (file != "-") {
    std::error_code error;
    if (fs::is_directory(file, error)) throw IoError(file, "is a directory");
    opened.open(file, std::ios::binary);
    if (!opened) throw IoError(file, "cannot be opened");
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  if (in.bad()) throw IoError(file, "cannot be read");
  return lines;
}

std::vector<std::string> image_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      append_directory(path, files);
    } else {
      files.push_back(path);
    }
  }
  return files;
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.setf(std::ios::fixed);
  text.precision(digits);
  text << value;
  return text.str();
}

Json error_record(const Error& error) {
  return {{"code", to_string(error.code())}, {"message", error.what()}};
}

}  // namespace bridgetower::cli
