#pragma once

#include <bridgetower/core/limits.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// How pictures become pixels: the keys of preprocessor_config.json with Hugging Face's defaults.
/// HF: BridgeTowerImageProcessorPil.
struct ImageProcessorConfig {
  bool do_resize = true;
  std::int64_t size = 288;  ///< "size": {"shortest_edge": n} or n; pixels of the shorter side
  std::int64_t size_divisor = 32;  ///< resized sides are rounded down to a multiple
  int resample = 3;                ///< Pillow's code: 0 nearest … 3 bicubic … 5 hamming
  bool do_center_crop = true;
  /// "crop_size": {"shortest_edge": n}. Absent or null it follows `size`, as documented and as
  /// checkpoints of 294 pixels need it; transformers 5.23.0 takes 288 for an absent one.
  std::optional<std::int64_t> crop_size;
  bool do_rescale = true;
  double rescale_factor = 1.0 / 255.0;
  bool do_normalize = true;
  std::vector<double> image_mean{0.48145466, 0.4578275, 0.40821073};  ///< one, or one a channel
  std::vector<double> image_std{0.26862954, 0.26130258, 0.27577711};  ///< one, or one a channel
  bool do_pad = true;  ///< smaller pictures of a batch are filled up; gives the pixel mask

  /// Reads preprocessor_config.json of a model directory; its keys are strictly typed, unknown ones
  /// ignored. Throws IoError, FormatError, LimitError or ConfigError.
  static ImageProcessorConfig from_pretrained(const std::filesystem::path& model,
                                              const std::string& revision = "main",
                                              const Limits& limits = {});

  /// The same from text; `place` names it in errors.
  static ImageProcessorConfig from_json(std::string_view text, const std::string& place,
                                        const Limits& limits = {});

  /// Replaces one key by a JSON value, e.g. set("size", "384"). An unknown key is a ConfigError.
  void set(const std::string& key, std::string_view json);

  /// Throws ConfigError for what cannot be run, naming the key.
  void validate() const;

  /// The side of the crop.
  std::int64_t crop() const noexcept { return crop_size.value_or(size); }
};

}  // namespace bridgetower
