// info: what is in a model directory.
#include <algorithm>
#include <bridgetower/io/convert.hpp>
#include <bridgetower/model/memory_estimate.hpp>
#include <bridgetower/ops/detail/onednn_matrix.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/pipeline/requirements.hpp>
#include <map>
#include <set>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  bool verbose = false;
};

/// Of the text that goes with the image whose memory is stated.
constexpr std::int64_t kTokens = 12;

bool has(const WeightSource& weights, const char* name) { return weights.find(name).has_value(); }

/// Parameters in the file, how they are stored, and their bytes per precision. Buffers of integers
/// do not count.
Json sizes(const WeightSource& weights) {
  std::int64_t parameters = 0;
  std::int64_t tensors = 0;
  std::map<std::string, std::int64_t> stored_as;
  for (const std::string& name : weights.names()) {
    const auto info = weights.find(name);
    const bool is_int8 = info && info->dtype == DType::kI8 && weights.find(name + ".scale");
    const bool is_scale = name.size() > 6 && name.compare(name.size() - 6, 6, ".scale") == 0 &&
                          weights.find(name.substr(0, name.size() - 6));
    if (!info || is_scale || (!is_floating(info->dtype) && !is_int8)) continue;
    parameters += element_count(info->shape);
    stored_as[to_string(info->dtype)] += element_count(info->shape);
    ++tensors;
  }
  return {{"tensors", tensors},
          {"parameters", parameters},
          {"stored_as", stored_as},
          {"memory_bytes",
           {{"float16", parameters * 2},
            {"bfloat16", parameters * 2},
            {"int8", kept_bytes(weights, DType::kI8)},
            {"float32", parameters * 4},
            {"float64", parameters * 8}}}};
}

Json tasks(const std::filesystem::path& directory, const Checkpoint& checkpoint) {
  const std::pair<const char*, Task> all[] = {
      {"match", Task::kMatch}, {"fill-mask", Task::kFillMask}, {"embed", Task::kEmbed}};
  Json record = Json::object();
  for (const auto& [name, task] : all) {
    const auto missing = missing_for(task, directory, checkpoint.config, *checkpoint.weights);
    record[name] = {{"ready", missing.empty()}, {"missing", missing}};
  }
  return record;
}

Json architecture(const BridgeTowerConfig& config) {
  const TextConfig& text = config.text_config;
  const VisionConfig& vision = config.vision_config;
  return {{"text",
           {{"layers", text.num_hidden_layers},
            {"hidden_size", text.hidden_size},
            {"heads", text.num_attention_heads},
            {"vocab_size", text.vocab_size},
            {"max_tokens", text.max_position_embeddings - text.pad_token_id - 1}}},
          {"vision",
           {{"layers", vision.num_hidden_layers},
            {"hidden_size", vision.hidden_size},
            {"heads", vision.hidden_size / 64},
            {"image_size", vision.image_size},
            {"patch_size", vision.patch_size}}},
          {"cross_modal",
           {{"layers", config.num_hidden_layers},
            {"hidden_size", config.hidden_size},
            {"heads", text.num_attention_heads},
            {"link_tower_type", config.link_tower_type}}}};
}

Json files(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  Json all = Json::array();
  for (const std::string& name : names) {
    const auto bytes = std::filesystem::file_size(directory / name, error);
    if (!error) all.push_back({{"name", name}, {"bytes", bytes}});
  }
  return all;
}

/// What oneDNN multiplies this model's matrices by: for every number of inputs and every type the
/// name of its implementation for each number of rows; null where it has none.
Json onednn_products(const WeightSource& weights) {
  using ops::detail::OneDnnMatrix;
  std::set<std::int64_t> widths;
  for (const std::string& name : weights.names()) {
    const auto info = weights.find(name);
    if (!info || info->shape.size() < 2 || element_count(info->shape) == 0) continue;
    if (is_floating(info->dtype) || info->dtype == DType::kI8) {
      widths.insert(element_count(info->shape) / info->shape[0]);
    }
  }
  Json products = Json::array();
  for (const std::int64_t inputs : widths) {
    Json product{{"inputs", inputs}};
    for (const auto& [type, dtype] :
         {std::pair{"float32", DType::kF32}, {"bfloat16", DType::kBF16}, {"int8", DType::kI8}}) {
      product[type] = nullptr;
      try {
        for (const auto& [rows, name] : OneDnnMatrix::implementations(inputs, dtype)) {
          product[type][std::to_string(rows)] = name;
        }
      } catch (const InputError&) {  // none on this processor
      }
    }
    products.push_back(product);
  }
  return {{"version", OneDnnMatrix::version()}, {"products", products}};
}

/// One line for each number of inputs and type.
std::string onednn_text(const Json& onednn) {
  if (onednn.is_null()) return "\n  oneDNN: not in this build";
  std::string text = "\n  oneDNN " + onednn["version"].get<std::string>();
  for (const Json& product : onednn["products"]) {
    for (const char* type : {"float32", "bfloat16", "int8"}) {
      text += "\n    " + product["inputs"].dump() + " inputs, " + type + ":";
      if (product[type].is_null()) text += " none on this processor";
      for (const auto& [rows, name] : product[type].items()) {
        text += " " + name.get<std::string>() + " (" + rows + " rows)";
      }
    }
  }
  return text;
}

std::string to_text(const Json& record) {
  std::string text = record["model"].get<std::string>();
  for (const char* part : {"text", "vision", "cross_modal"}) {
    text += std::string("\n  ") + part + ":";
    for (const auto& [key, value] : record["architecture"][part].items()) {
      text += " " + key + " " + (value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  text += "\n  heads:";
  for (const auto& [head, present] : record["heads"].items()) {
    if (present.get<bool>()) text += " " + head;
  }
  for (const auto& [task, state] : record["tasks"].items()) {
    text += "\n  " + task + ": ";
    const Json& missing = state["missing"];
    if (missing.empty()) text += "ready";
    constexpr std::size_t kShown = 3;
    for (std::size_t i = 0; i < std::min(kShown, missing.size()); ++i) {
      text += (i == 0 ? "missing " : ", ") + missing[i].get<std::string>();
    }
    if (missing.size() > kShown) {
      text += " and " + std::to_string(missing.size() - kShown) + " more";
    }
  }
  return text + "\n  parameters: " + record["parameters"].dump() + " in " +
         record["tensors"].dump() +
         " tensors\n  memory: " + record["memory_bytes"]["float32"].dump() + " bytes in float32, " +
         record["memory_bytes"]["float16"].dump() +
         " in float16 or bfloat16\n  beside it: " + record["workspace_bytes"].dump() +
         " bytes at most for an image and " + std::to_string(kTokens) + " tokens" +
         (record.contains("onednn") ? onednn_text(record["onednn"]) : "");
}

Status info(Options& options) {
  const std::filesystem::path directory = options.model.directory();
  const Checkpoint checkpoint = Checkpoint::open(directory);
  const WeightSource& weights = *checkpoint.weights;
  Json record{{"model", directory.string()},
              {"weights", weights.place()},
              {"architecture", architecture(checkpoint.config)},
              {"heads",
               {{"itm", has(weights, "itm_score.fc.weight")},
                {"mlm", has(weights, "mlm_score.transform.dense.weight")},
                {"itc", has(weights, "itc_text_head.fc.weight")}}}};
  record.update(sizes(weights));
  record["workspace_bytes"] = workspace_bytes(checkpoint.config, kTokens, ThreadPool(0).threads());
  record["tasks"] = tasks(directory, checkpoint);
  record["files"] = files(directory);
  if (options.verbose) {
    record["onednn"] = nullptr;
    if (!ops::detail::OneDnnMatrix::version().empty()) record["onednn"] = onednn_products(weights);
  }
  options.results.write(record, to_text);
  return options.results.finish();
}

}  // namespace

Command add_info(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("info", "What a model directory holds");
  command->footer("Example:\n  bridgetower info --model DIR");
  const auto options = std::make_shared<Options>();
  options->model.add_model(*command);
  command->add_flag("--verbose", options->verbose,
                    "also what oneDNN multiplies the model's matrices by");
  options->results.add_to(*command);
  return [options] { return info(*options); };
}

}  // namespace bridgetower::cli
