#include "cli/attention_sheet.hpp"

#include <algorithm>
#include <cmath>

#include "cli/canvas.hpp"
#include "cli/common.hpp"
#include "cli/heat.hpp"

namespace bridgetower::cli {
namespace {

constexpr std::int64_t kMargin = 28;
constexpr std::int64_t kGap = 22;
constexpr std::int64_t kSmallestPanel = 240;  // pictures of small models are enlarged
constexpr std::int64_t kMostColumns = 6;
constexpr int kLarge = 3;  // pixels a dot of the font
constexpr int kNormal = 2;
constexpr std::int64_t kLine = kTextHeight * kNormal;
constexpr std::uint8_t kBlack = 20;
constexpr std::uint8_t kGrey = 110;

std::string percent(float share) { return fixed(100 * static_cast<double>(share), 1) + " %"; }

std::string numbers_of(const WordAttention& word) {
  const float peak = *std::max_element(word.patches.begin(), word.patches.end());
  return "peak " + percent(peak) + ", cls " + percent(word.cls);
}

Image enlarged(const Image& picture) {
  const std::int64_t side = std::max(picture.height(), picture.width());
  return scaled_to(picture, side * ((kSmallestPanel + side - 1) / side));
}

class Sheet {
 public:
  Sheet(const AttentionMap& map, const std::string& text)
      : map_(map),
        picture_(enlarged(map.picture)),
        panels_(static_cast<std::int64_t>(map.words.size()) + 1),
        columns_(std::clamp<std::int64_t>(
            std::llround(std::ceil(std::sqrt(1.6 * static_cast<double>(panels_)))), 1,
            std::min(panels_, kMostColumns))),
        width_(2 * kMargin + columns_ * picture_.width() + (columns_ - 1) * kGap),
        title_(wrap(text, width_ - 2 * kMargin, kLarge)),
        top_(kMargin + static_cast<std::int64_t>(title_.size()) * kTextHeight * kLarge + kLine +
             kGap),
        panel_height_(picture_.height() + 8 + 2 * kLine),
        canvas_(height(), width_) {}

  Image draw() {
    std::int64_t y = kMargin;
    for (const std::string& line : title_) {
      canvas_.write(line, kMargin, y, kLarge, kBlack);
      y += kTextHeight * kLarge;
    }
    canvas_.write(attention_source(map_) + ", each panel scaled to its peak", kMargin, y, kNormal,
                  kGrey);
    panel(0, picture_, "(picture)", "as the model sees it");
    for (std::size_t i = 0; i < map_.words.size(); ++i) {
      const WordAttention& word = map_.words[i];
      panel(static_cast<std::int64_t>(i) + 1, with_heat(picture_, word.patches), caption_of(word),
            numbers_of(word));
    }
    return canvas_.image();
  }

 private:
  std::int64_t height() const {
    const std::int64_t rows = (panels_ + columns_ - 1) / columns_;
    return top_ + rows * panel_height_ + (rows - 1) * kGap + kMargin;
  }

  void panel(std::int64_t index, const Image& picture, const std::string& caption,
             const std::string& numbers) {
    const std::int64_t x = kMargin + index % columns_ * (picture_.width() + kGap);
    const std::int64_t y = top_ + index / columns_ * (panel_height_ + kGap);
    canvas_.draw(picture, x, y);
    const std::int64_t below = y + picture_.height() + 8;
    canvas_.write(fit(caption, picture_.width(), kNormal), x, below, kNormal, kBlack);
    canvas_.write(fit(numbers, picture_.width(), kNormal), x, below + kLine, kNormal, kGrey);
  }

  const AttentionMap& map_;
  Image picture_;
  std::int64_t panels_;
  std::int64_t columns_;
  std::int64_t width_;
  std::vector<std::string> title_;
  std::int64_t top_;
  std::int64_t panel_height_;
  Canvas canvas_;
};

}  // namespace

std::string caption_of(const WordAttention& word) {
  if (word.candidates.empty()) return word.word;
  const std::string& filling = word.candidates.front().token;
  const std::size_t start = filling.find_first_not_of(' ');
  return word.word + " \u2192 " + (start == std::string::npos ? filling : filling.substr(start));
}

std::string attention_source(const AttentionMap& map) {
  return "layer " + std::to_string(map.layer) + ", " +
         (map.head ? "head " + std::to_string(*map.head) : std::string("heads averaged"));
}

Image attention_sheet(const AttentionMap& map, const std::string& text) {
  return Sheet(map, text).draw();
}

}  // namespace bridgetower::cli
