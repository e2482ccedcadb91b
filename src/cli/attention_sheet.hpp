#pragma once

#include <bridgetower/pipeline/attention.hpp>
#include <bridgetower/preprocessing/image/image.hpp>
#include <string>

namespace bridgetower::cli {

/// What a word is called below its panel: itself, or the mask and its best filling.
std::string caption_of(const WordAttention& word);

/// "layer 5, heads averaged"
std::string attention_source(const AttentionMap& map);

/// One sheet: the sentence, then the picture as the model sees it and one panel a word.
Image attention_sheet(const AttentionMap& map, const std::string& text);

}  // namespace bridgetower::cli
