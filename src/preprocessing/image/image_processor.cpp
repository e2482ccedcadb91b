#include <algorithm>
#include <array>
#include <bridgetower/core/error.hpp>
#include <bridgetower/preprocessing/image/image_processor.hpp>
#include <bridgetower/preprocessing/image/resize.hpp>
#include <string>

namespace bridgetower {
namespace {

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

void check_pixels(std::int64_t height, std::int64_t width, std::int64_t most) {
  if (height <= most / width) return;
  throw LimitError("image processor", "prepared picture",
                   "at most " + std::to_string(most) + " pixels", size_text(height, width));
}

/// HF: get_resize_output_image_size. The shorter side becomes config.size, unless the longer one
/// would pass 1333 / 800 of it; then both are rounded down to multiples of the divisor.
Image resize_to_config(const Image& image, const ImageProcessorConfig& config,
                       std::int64_t max_pixels) {
  const auto shorter = static_cast<double>(config.size);
  const double longest = static_cast<double>(static_cast<std::int64_t>(1333.0 / 800.0 * shorter));
  const auto height = static_cast<double>(image.height());
  const auto width = static_cast<double>(image.width());
  const double scale = shorter / std::min(height, width);
  double new_height = height < width ? shorter : scale * height;
  double new_width = height < width ? scale * width : shorter;
  const double longer = std::max(new_height, new_width);
  if (longer > longest) {
    new_height *= longest / longer;
    new_width *= longest / longer;
  }
  const auto rounded = [&config](double side) {
    return static_cast<std::int64_t>(side + 0.5) / config.size_divisor * config.size_divisor;
  };
  const std::int64_t rows = rounded(new_height);
  const std::int64_t columns = rounded(new_width);
  if (rows == 0 || columns == 0) {
    throw InputError("image", "a picture of " + size_text(image.height(), image.width()),
                     "sides that fit a multiple of " + std::to_string(config.size_divisor) +
                         " pixels after resizing",
                     size_text(rows, columns));
  }
  check_pixels(rows, columns, max_pixels);
  return resize(image, rows, columns, static_cast<Resample>(config.resample));
}

/// A square of `side` pixels from the middle. What is missing is black; of an odd number of missing
/// rows or columns the larger part lies in front, of an odd number too many too few are cut there.
Image center_crop(const Image& image, std::int64_t side) {
  const auto start = [side](std::int64_t size) {
    return size >= side ? (size - side) / 2 : -((side - size + 1) / 2);
  };
  const std::int64_t top = start(image.height());
  const std::int64_t left = start(image.width());
  const std::int64_t channels = image.channels();
  Image out(side, side, channels);
  const std::int64_t first = std::max<std::int64_t>(0, -left);
  const std::int64_t last = std::min(side, image.width() - left);
  for (std::int64_t y = std::max<std::int64_t>(0, -top); y < std::min(side, image.height() - top);
       ++y) {
    const std::uint8_t* const source =
        image.data() + ((y + top) * image.width() + first + left) * channels;
    std::copy_n(source, (last - first) * channels, out.data() + (y * side + first) * channels);
  }
  return out;
}

/// What each of the 256 values of a channel becomes, with HF's roundings: the product in double,
/// the rest in float.
using Table = std::array<float, 256>;

Table value_table(const ImageProcessorConfig& config, std::size_t channel) {
  const auto of_channel = [channel](const std::vector<double>& values) {
    return static_cast<float>(values.size() == 1 ? values.front() : values[channel]);
  };
  Table table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    auto x = static_cast<float>(value);
    if (config.do_rescale)
      x = static_cast<float>(static_cast<double>(value) * config.rescale_factor);
    if (config.do_normalize) {
      x = (x - of_channel(config.image_mean)) / of_channel(config.image_std);
    }
    table[value] = x;
  }
  return table;
}

/// All pictures into [B, C, height, width]; `convert(channel, byte)` makes a value.
template <class Value, class Convert>
Tensor<Value> to_batch(const std::vector<Image>& images, std::int64_t height, std::int64_t width,
                       const Convert& convert) {
  const std::int64_t channels = images.front().channels();
  Tensor<Value> batch({static_cast<std::int64_t>(images.size()), channels, height, width});
  Value* plane = batch.data();
  for (const Image& image : images) {
    for (std::int64_t c = 0; c < channels; ++c, plane += height * width) {
      const std::uint8_t* source = image.data() + c;
      for (std::int64_t y = 0; y < image.height(); ++y) {
        for (std::int64_t x = 0; x < image.width(); ++x, source += channels) {
          plane[y * width + x] = convert(static_cast<std::size_t>(c), *source);
        }
      }
    }
  }
  return batch;
}

Tensor<std::int64_t> make_mask(const std::vector<Image>& images, std::int64_t height,
                               std::int64_t width) {
  Tensor<std::int64_t> mask({static_cast<std::int64_t>(images.size()), height, width});
  std::int64_t* plane = mask.data();
  for (const Image& image : images) {
    for (std::int64_t y = 0; y < image.height(); ++y) {
      std::fill_n(plane + y * width, image.width(), 1);
    }
    plane += height * width;
  }
  return mask;
}

void check_channels(const std::vector<Image>& images, const ImageProcessorConfig& config) {
  if (images.empty()) throw InputError("images", "number of pictures", "at least 1", "0");
  const std::int64_t channels = images.front().channels();
  for (const Image& image : images) {
    if (image.channels() != channels) {
      throw InputError("images", "channels", std::to_string(channels),
                       std::to_string(image.channels()));
    }
  }
  for (const std::vector<double>* values : {&config.image_mean, &config.image_std}) {
    const auto count = static_cast<std::int64_t>(values->size());
    if (config.do_normalize && count != 1 && count != channels) {
      throw InputError("images", "channels, one for each image_mean and image_std",
                       std::to_string(count), std::to_string(channels));
    }
  }
}

}  // namespace

Image BridgeTowerImageProcessor::prepare(const Image& image) const {
  Image resized = config_.do_resize ? resize_to_config(image, config_, max_pixels_) : image;
  if (!config_.do_center_crop) return resized;
  check_pixels(config_.crop(), config_.crop(), max_pixels_);
  return center_crop(resized, config_.crop());
}

ImageFeatures BridgeTowerImageProcessor::operator()(const std::vector<Image>& images) const {
  if (static_cast<std::int64_t>(images.size()) > max_batch_) {
    throw LimitError("images", "number of pictures", "at most " + std::to_string(max_batch_),
                     std::to_string(images.size()));
  }
  check_channels(images, config_);
  std::vector<Image> ready;
  std::int64_t height = 0;
  std::int64_t width = 0;
  for (const Image& image : images) {
    ready.push_back(prepare(image));
    height = std::max(height, ready.back().height());
    width = std::max(width, ready.back().width());
  }
  check_pixels(height, width, max_pixels_);
  for (const Image& image : ready) {
    if (config_.do_pad || (image.height() == height && image.width() == width)) continue;
    throw InputError("images", "sizes without do_pad", size_text(height, width),
                     size_text(image.height(), image.width()));
  }
  ImageFeatures features;
  if (config_.do_rescale || config_.do_normalize) {
    std::vector<Table> tables;
    for (std::int64_t c = 0; c < images.front().channels(); ++c) {
      tables.push_back(value_table(config_, static_cast<std::size_t>(c)));
    }
    features.pixel_values = to_batch<float>(
        ready, height, width,
        [&tables](std::size_t channel, std::uint8_t byte) { return tables[channel][byte]; });
  } else {
    features.pixel_bytes = to_batch<std::uint8_t>(
        ready, height, width, [](std::size_t, std::uint8_t byte) { return byte; });
  }
  if (config_.do_pad) features.pixel_mask = make_mask(ready, height, width);
  return features;
}

}  // namespace bridgetower
