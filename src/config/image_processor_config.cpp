#include <array>
#include <bridgetower/config/image_processor_config.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <cmath>
#include <limits>
#include <utility>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxSide = 16384;
constexpr const char* kSideText = "an integer from 1 to 16384";
constexpr const char* kNumberText = "a number that float can hold";
constexpr const char* kResampleText = "one of Pillow's codes 0 to 5";

[[noreturn]] void refuse(const std::string& place, const std::string& key, const char* expected,
                         const json& got) {
  throw ConfigError(place, key, expected, detail::describe(got));
}

/// Of a list, without a tree that would be destroyed here.
[[noreturn]] void refuse_list(const std::string& place, const std::string& key,
                              const char* expected) {
  throw ConfigError(place, key, expected, "an array");
}

bool fits_float(double value) {
  return std::isfinite(value) && std::abs(value) <= std::numeric_limits<float>::max();
}

bool boolean(const json& value, const std::string& place, const std::string& key) {
  if (!value.is_boolean()) refuse(place, key, "true or false", value);
  return value.get<bool>();
}

std::int64_t side(const json& value, const std::string& place, const std::string& key) {
  if (!value.is_number_integer() || value < 1 || value > kMaxSide) {
    refuse(place, key, kSideText, value);
  }
  return value.get<std::int64_t>();
}

/// {"shortest_edge": n}; other members are ignored, as in HF.
std::int64_t shortest_edge(const json& value, const std::string& place, const std::string& key) {
  if (!value.is_object() || !value.contains("shortest_edge")) {
    refuse(place, key, "an object with shortest_edge", value);
  }
  return side(value["shortest_edge"], place, key + ".shortest_edge");
}

double number(const json& value, const std::string& place, const std::string& key) {
  if (!value.is_number() || !fits_float(value.get<double>())) {
    refuse(place, key, kNumberText, value);
  }
  return value.get<double>();
}

void check_per_channel(const std::vector<double>& values, const std::string& place,
                       const std::string& key) {
  for (const double value : values) number(value, place, key);
  if (values.size() != 1 && values.size() != 3) refuse_list(place, key, "1 or 3 numbers");
}

/// One number for all channels, or one for each.
std::vector<double> per_channel(const json& value, const std::string& place,
                                const std::string& key) {
  if (!value.is_array()) return {number(value, place, key)};
  std::vector<double> all;
  for (const json& item : value) all.push_back(number(item, place, key));
  check_per_channel(all, place, key);
  return all;
}

void set_key(ImageProcessorConfig& config, const std::string& key, const json& value,
             const std::string& place, bool& known) {
  known = true;
  const std::pair<const char*, bool*> switches[] = {
      {"do_resize", &config.do_resize},   {"do_center_crop", &config.do_center_crop},
      {"do_rescale", &config.do_rescale}, {"do_normalize", &config.do_normalize},
      {"do_pad", &config.do_pad},
  };
  for (const auto& [name, field] : switches) {
    if (key != name) continue;
    *field = !value.is_null() && boolean(value, place, key);  // HF: null counts as false
    return;
  }
  if (key == "size") {
    config.size = value.is_number() ? side(value, place, key) : shortest_edge(value, place, key);
  } else if (key == "size_divisor") {
    config.size_divisor = side(value, place, key);
  } else if (key == "resample") {
    if (!value.is_number_integer() || value < 0 || value > 5) {
      refuse(place, key, kResampleText, value);
    }
    config.resample = value.get<int>();
  } else if (key == "crop_size") {
    config.crop_size.reset();
    if (!value.is_null()) config.crop_size = shortest_edge(value, place, key);
  } else if (key == "rescale_factor") {
    config.rescale_factor = number(value, place, key);
  } else if (key == "image_mean") {
    config.image_mean = per_channel(value, place, key);
  } else if (key == "image_std") {
    config.image_std = per_channel(value, place, key);
    for (const double deviation : config.image_std) {
      if (static_cast<float>(deviation) == 0) refuse(place, key, "numbers other than 0", value);
    }
  } else {
    known = false;
  }
}

/// Keys that files and the reference's to_dict hold and that change nothing here.
bool is_ignored(const std::string& key) {
  for (const char* name :
       {"do_convert_rgb", "data_format", "input_data_format", "image_processor_type", "pad_size",
        "processor_class", "feature_extractor_type", "default_to_square", "device",
        "disable_grouping", "return_tensors", "pad_and_return_pixel_mask", "image_seq_length"}) {
    if (key == name) return true;
  }
  return false;
}

bool is_off(const json& root, const char* key) {
  const auto found = root.find(key);
  return found != root.end() && (*found == false || found->is_null());
}

/// HF takes null for what a step needs only where that step is off.
bool may_be_null(const std::string& key, const json& root) {
  if (key == "size" || key == "resample") return is_off(root, "do_resize");
  if (key == "rescale_factor") return is_off(root, "do_rescale");
  if (key == "image_mean" || key == "image_std") return is_off(root, "do_normalize");
  return false;
}

}  // namespace

ImageProcessorConfig ImageProcessorConfig::from_json(std::string_view text,
                                                     const std::string& place,
                                                     const Limits& limits) {
  json root = detail::parse_json(text, place, limits);
  const detail::JsonGuard guard(root);
  if (!root.is_object()) throw FormatError(place, "JSON", "an object", detail::describe(root));
  ImageProcessorConfig config;
  for (const auto& [key, value] : root.items()) {
    bool known = false;
    if (!value.is_null() || !may_be_null(key, root)) set_key(config, key, value, place, known);
  }
  return config;
}

void ImageProcessorConfig::validate() const {
  const std::string place = "image processor";
  const std::pair<const char*, std::int64_t> sides[] = {
      {"size", size}, {"size_divisor", size_divisor}, {"crop_size", crop()}};
  for (const auto& [key, value] : sides) side(value, place, key);
  if (resample < 0 || resample > 5) refuse(place, "resample", kResampleText, resample);
  number(rescale_factor, place, "rescale_factor");
  check_per_channel(image_mean, place, "image_mean");
  check_per_channel(image_std, place, "image_std");
  for (const double deviation : image_std) {
    if (static_cast<float>(deviation) == 0) {
      refuse_list(place, "image_std", "numbers other than 0");
    }
  }
}

ImageProcessorConfig ImageProcessorConfig::from_pretrained(const std::filesystem::path& model,
                                                           const std::string& revision,
                                                           const Limits& limits) {
  const std::filesystem::path file = find_model(model, revision) / "preprocessor_config.json";
  return from_json(detail::read_file(file, limits.config_bytes), file.string(), limits);
}

void ImageProcessorConfig::set(const std::string& key, std::string_view json_text) {
  const std::string place = "image processor";
  json value = detail::parse_json(json_text, place + ": " + key);
  const detail::JsonGuard guard(value);
  bool known = false;
  set_key(*this, key, value, place, known);
  if (!known && !is_ignored(key)) {
    throw ConfigError(place, detail::in_quotes(key) + " is no key of preprocessor_config.json");
  }
}

}  // namespace bridgetower
