#include "cli/report.hpp"

#include <algorithm>
#include <bridgetower/pipeline/attention.hpp>
#include <bridgetower/preprocessing/image/image.hpp>

#include "cli/attention_sheet.hpp"
#include "cli/common.hpp"
#include "cli/heat.hpp"
#include "cli/html.hpp"
#include "cli/report_page.hpp"
#include "cli/write_image.hpp"

namespace bridgetower::cli {
namespace {

constexpr std::int64_t kThumbnail = 256;  // pixels of the longer side
constexpr int kQuality = 82;

std::string thumbnail(const Image& image) {
  const std::int64_t side = std::min(kThumbnail, std::max(image.height(), image.width()));
  return data_uri("image/jpeg", jpeg_bytes(scaled_to(image, side), kQuality));
}

/// Text that may be written in either direction does not turn what stands around it.
std::string isolated(const std::string& text) { return "<bdi>" + to_html(text) + "</bdi>"; }

std::string quoted(const std::string& text) { return "\u201c" + isolated(text) + "\u201d"; }

std::string percent(double share) { return fixed(100 * share, 1) + "\u00a0%"; }

std::string error_line(const Error& error) {
  return "<p class=\"error\">" + to_html(error.what()) + "</p>\n";
}

/// A term of the scores' list, with a bar of `share` of the width.
std::string score_row(const std::string& name, const std::string& number, double share) {
  return "<dt>" + name + "</dt><dd class=\"bar\" aria-hidden=\"true\"><i style=\"width:" +
         fixed(100 * std::clamp(share, 0.0, 1.0), 1) + "%\"></i></dd><dd class=\"number\">" +
         number + "</dd>\n";
}

std::string scores_of(const SearchResult& result) {
  const double similarity = result.similarity;
  std::string out = "<dl>\n";
  if (result.match) {
    out += score_row("Match", percent(static_cast<double>(*result.match)),
                     static_cast<double>(*result.match));
  }
  return out + score_row("Cosine", fixed(similarity, 3), similarity) + "</dl>\n";
}

/// The word whose attention is the least spread out: what is shown first.
std::size_t sharpest(const AttentionMap& map) {
  const auto peak = [](const WordAttention& word) {
    return *std::max_element(word.patches.begin(), word.patches.end());
  };
  const auto found =
      std::max_element(map.words.begin(), map.words.end(),
                       [&peak](const auto& a, const auto& b) { return peak(a) < peak(b); });
  return static_cast<std::size_t>(found - map.words.begin());
}

/// The button that opens the overlays of one result, and what it opens.
std::string overlays(const AttentionMap& map, const std::string& id) {
  const Image picture = scaled_to(map.picture, kThumbnail);
  const std::size_t first = sharpest(map);
  std::string out =
      "<button type=\"button\" class=\"toggle\" aria-expanded=\"false\" aria-controls=\"" + id +
      "\">What each word looks at</button>\n<div class=\"looks\" id=\"" + id +
      "\" role=\"group\" aria-label=\"What each word looks at\" hidden>\n"
      "<div class=\"frame\"><img alt=\"\"></div>\n"
      "<div class=\"words\" role=\"group\" aria-label=\"Words\">\n";
  for (std::size_t i = 0; i < map.words.size(); ++i) {
    const WordAttention& word = map.words[i];
    const float peak = *std::max_element(word.patches.begin(), word.patches.end());
    const std::string note = "Brightest patch " + percent(static_cast<double>(peak)) +
                             ", class position " + percent(static_cast<double>(word.cls)) + "; " +
                             attention_source(map) + ".";
    out += std::string("<button type=\"button\" aria-pressed=\"") +
           (i == first ? "true" : "false") + "\" data-note=\"" + to_html(note) + "\" data-heat=\"" +
           data_uri("image/jpeg", jpeg_bytes(with_heat(picture, word.patches), kQuality)) + "\">" +
           to_html(caption_of(word)) + "</button>\n";
  }
  return out + "</div>\n<p class=\"quiet\" aria-live=\"polite\"></p>\n</div>\n";
}

/// What a card shows of the picture and the words that look at it.
struct Look {
  std::string picture;
  std::string below;
};

Look look_at(const SearchResult& result, const std::string& id, const std::string& name,
             const AttentionExplainer* explainer, const std::string& text) {
  Look look{"<span class=\"missing\">no picture</span>", {}};
  if (result.error) {
    look.below = error_line(*result.error);
    return look;
  }
  try {
    const Image image = Image::load(result.image);
    look.picture = "<img src=\"" + thumbnail(image) + "\" alt=\"" + to_html(name) + "\">";
    if (explainer != nullptr) look.below = overlays(explainer->explain(image, text), id);
  } catch (const Error& error) {
    look.below = error_line(error);
  }
  return look;
}

std::string card(const SearchResult& result, std::size_t rank, const std::string& id,
                 const AttentionExplainer* explainer, const std::string& text) {
  const std::string name = std::filesystem::path(result.image).filename().string();
  const Look look = look_at(result, id + "-looks", name, explainer, text);
  return "<li><article aria-labelledby=\"" + id + "\">\n<h3 id=\"" + id + "\">" +
         std::to_string(rank) + ". " + isolated(name) + "</h3>\n<div class=\"frame\">" +
         look.picture + "</div>\n" + scores_of(result) + look.below + "<p class=\"quiet\">" +
         isolated(result.image) + "</p>\n</article></li>\n";
}

std::string heading(const ReportedQuery& query, const std::string& id) {
  std::string out = "<section aria-labelledby=\"" + id + "\">\n<h2 id=\"" + id + "\">" +
                    (query.is_image ? "Like " + isolated(query.value) : quoted(query.value)) +
                    "</h2>\n";
  if (query.error) return out + error_line(*query.error);
  if (query.is_image) {
    try {
      out += "<img class=\"like\" src=\"" + thumbnail(Image::load(query.value)) +
             "\" alt=\"The picture that was asked for\">\n";
    } catch (const Error& error) {
      out += error_line(error);
    }
  }
  const std::size_t count = query.results.size();
  return out + "<p class=\"quiet\">" +
         (count == 0   ? "Nothing was found."
          : count == 1 ? "1 picture."
                       : std::to_string(count) + " pictures, best first.") +
         "</p>\n";
}

bool needs_attention(const ReportedQuery& query) {
  return !query.is_image &&
         std::any_of(query.results.begin(), query.results.end(),
                     [](const SearchResult& result) { return !result.error.has_value(); });
}

}  // namespace

void Report::write(const std::filesystem::path& model, const LoadOptions& options) {
  std::optional<AttentionExplainer> explainer;
  if (std::any_of(queries_.begin(), queries_.end(), needs_attention)) {
    explainer = AttentionExplainer::from_pretrained(model, options);
  }
  // Part by part: a page of many queries need not fit into memory.
  const auto put = [this](const std::string& part) { file_.write(part.data(), part.size()); };
  put(kPageStart);
  put("<main>\n<h1>Search results</h1>\n<p class=\"quiet\">Match is the probability of the "
      "matching head, "
      "cosine compares the contrastive vectors.</p>\n");
  for (std::size_t q = 0; q < queries_.size(); ++q) {
    const ReportedQuery& query = queries_[q];
    const std::string id = "q" + std::to_string(q + 1);
    put(heading(query, id));
    if (!query.results.empty()) put("<ol class=\"cards\">\n");
    const AttentionExplainer* const of_text = !query.is_image && explainer ? &*explainer : nullptr;
    for (std::size_t i = 0; i < query.results.size(); ++i) {
      put(card(query.results[i], i + 1, id + "-" + std::to_string(i + 1), of_text, query.value));
    }
    if (!query.results.empty()) put("</ol>\n");
    put("</section>\n");
  }
  put("</main>\n");
  put(kPageEnd);
  file_.commit();
}

}  // namespace bridgetower::cli
