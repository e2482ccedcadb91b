// verify: does this machine compute what Hugging Face's classes computed?
#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/common.hpp"
#include "cli/forward.hpp"
#include "cli/verify_index.hpp"

namespace bridgetower::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  ModelOptions model;
  Results results;
  std::vector<std::string> goldens;
  std::vector<std::string> indexes;
};

/// The files golden*.safetensors beside the model's weights.
std::vector<std::string> stored_goldens(const fs::path& model) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(model, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() == ".safetensors" && path.filename().string().rfind("golden", 0) == 0) {
      files.push_back(path.string());
    }
  }
  if (error) throw IoError(model.string(), "cannot be read: " + error.message());
  if (files.empty()) {
    throw InputError(model.string(), "goldens", "a file golden*.safetensors, or --golden", "none");
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// How one golden is to be run and compared.
struct Terms {
  ForwardRequest request;
  double atol = 0;
  double rtol = 0;
  bool raises = false;
};

const std::string& entry(const SafetensorsFile& golden, const std::string& key) {
  const auto found = golden.metadata().find(key);
  if (found == golden.metadata().end()) {
    throw FormatError(golden.place(), "metadata", "the key " + key, "none");
  }
  return found->second;
}

double tolerance(const SafetensorsFile& golden, const std::string& key) {
  const std::string& text = entry(golden, key);
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  double value = 0;
  if (!(in >> value) || !in.eof() || !(value >= 0)) {
    throw FormatError(golden.place(), key, "a number of at least 0", text);
  }
  return value;
}

Terms read_terms(const SafetensorsFile& golden) {
  Terms terms;
  terms.request.head = entry(golden, "head");
  const auto& heads = {"base", "itm", "mlm", "itc"};
  if (std::find(heads.begin(), heads.end(), terms.request.head) == heads.end()) {
    throw FormatError(golden.place(), "head", "base, itm, mlm or itc", terms.request.head);
  }
  terms.raises = golden.metadata().count("raises") != 0;
  if (terms.raises) return terms;
  terms.atol = tolerance(golden, "atol");
  terms.rtol = tolerance(golden, "rtol");
  const auto options = golden.metadata().find("options");
  if (options != golden.metadata().end()) {
    terms.request.hidden_states = options->second.find("--hidden-states") != std::string::npos;
    terms.request.attentions = options->second.find("--attentions") != std::string::npos;
  }
  return terms;
}

/// The largest errors of one output: absolute, relative to the largest expected value (none where
/// that is within the tolerance), and in tolerances.
struct Errors {
  double absolute = 0;
  double relative = 0;
  double tolerances = 0;
};

Errors compare(const Tensor<float>& actual, const Tensor<double>& expected, const Terms& terms) {
  Errors errors;
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double value = expected.data()[i];
    double difference = std::abs(static_cast<double>(actual.data()[i]) - value);
    if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(value));
    if (difference <= 0) continue;
    errors.absolute = std::max(errors.absolute, difference);
    errors.tolerances =
        std::max(errors.tolerances, difference / (terms.atol + terms.rtol * std::abs(value)));
  }
  if (largest > terms.atol) errors.relative = errors.absolute / largest;
  return errors;
}

/// One golden's record, but for its name; "ok" says how it went.
Json compare_outputs(const SafetensorsFile& golden, const Terms& terms,
                     const std::map<std::string, AnyTensor>& outputs) {
  Json record{{"ok", true},         {"max_abs", 0.0},     {"max_rel", 0.0}, {"worst", ""},
              {"atol", terms.atol}, {"rtol", terms.rtol}, {"outputs", 0}};
  double worst = -1;
  for (const std::string& name : golden.names()) {
    if (name.rfind("outputs.", 0) != 0) continue;
    const std::string output = name.substr(8);
    const auto expected = golden.tensor<double>(name);
    const auto found = outputs.find(output);
    if (found == outputs.end()) {
      throw FormatError(golden.place(), name, "an output of the head " + terms.request.head, name);
    }
    const auto& actual = std::get<Tensor<float>>(found->second);
    if (actual.shape() != expected.shape()) {
      throw FormatError(golden.place(), name, to_string(actual.shape()),
                        to_string(expected.shape()));
    }
    const Errors errors = compare(actual, expected, terms);
    record["ok"] = record["ok"].get<bool>() && errors.tolerances <= 1;
    record["max_abs"] = std::max(record["max_abs"].get<double>(), errors.absolute);
    record["max_rel"] = std::max(record["max_rel"].get<double>(), errors.relative);
    record["outputs"] = record["outputs"].get<int>() + 1;
    if (errors.tolerances > worst) {
      worst = errors.tolerances;
      record["worst"] = output;
    }
  }
  if (worst < 0) throw FormatError(golden.place(), "outputs", "at least one", "none");
  return record;
}

Json check(const std::string& file, const Options& options) {
  const SafetensorsFile golden(file);
  const Terms terms = read_terms(golden);
  Json record{{"golden", file}, {"head", terms.request.head}};
  const auto run = [&] {
    return forward<float>(terms.request, golden, options.model.directory(),
                          options.model.load_options());
  };
  if (!terms.raises) {
    record.update(compare_outputs(golden, terms, run()));
    return record;
  }
  record["ok"] = false;
  record["raises"] = entry(golden, "raises");
  try {
    run();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kIo || error.code() == ErrorCode::kWeight) throw;
    record["ok"] = true;
  }
  return record;
}

std::string scientific(const Json& value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(1);
  text << std::scientific << value.get<double>();
  return text.str();
}

std::string to_text(const Json& record) {
  std::string text = record["ok"].get<bool>() ? "ok      " : "FAILED  ";
  text += record["golden"].get<std::string>() + "  " + record["head"].get<std::string>();
  if (record.contains("raises")) {
    return text + (record["ok"].get<bool>() ? ": refused, as" : ": not refused, while") +
           " Hugging Face raises " + record["raises"].get<std::string>();
  }
  return text + ": " + record["outputs"].dump() + " outputs, largest error " +
         scientific(record["max_abs"]) + " (relative " + scientific(record["max_rel"]) +
         "), nearest to its tolerance: " + record["worst"].get<std::string>();
}

Status verify(Options& options) {
  if (!options.indexes.empty()) {
    verify_indexes(options.indexes, options.model.threads, options.results);
    return options.results.finish();
  }
  const std::vector<std::string> goldens =
      options.goldens.empty() ? stored_goldens(options.model.directory()) : options.goldens;
  bool all_close = true;
  for (const std::string& file : goldens) {
    try {
      const Json record = check(file, options);
      all_close = all_close && record["ok"].get<bool>();
      options.results.write(record, to_text);
    } catch (const Error& error) {
      options.results.fail({{"golden", file}}, error);
    }
  }
  const Status status = options.results.finish();
  return all_close ? status : Status::kFailed;
}

}  // namespace

Command add_verify(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "verify", "Compares with results that Hugging Face's classes stored; checks indexes");
  command->footer(
      "A golden is a safetensors file with inputs.*, outputs.* and, in its metadata, the head and\n"
      "the tolerances; without --golden the model's own golden*.safetensors are taken.\n"
      "Examples:\n  bridgetower verify --model DIR\n  bridgetower verify --index photos.index");
  const auto options = std::make_shared<Options>();
  CLI::Option* const goldens =
      command->add_option("--golden", options->goldens, "goldens to compare with");
  command
      ->add_option("--index", options->indexes,
                   "instead: indexes, or directories of their parts, whose every byte is checked")
      ->excludes(goldens);
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options] { return verify(*options); };
}

}  // namespace bridgetower::cli
