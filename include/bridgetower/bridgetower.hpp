#pragma once

/// The whole public interface: what programs that use the library include.

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/heads/for_contrastive_learning.hpp>
#include <bridgetower/heads/for_image_and_text_retrieval.hpp>
#include <bridgetower/heads/for_masked_lm.hpp>
#include <bridgetower/model/bridgetower_model.hpp>
#include <bridgetower/ops/reduce.hpp>
#include <bridgetower/pipeline/attention.hpp>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <bridgetower/search/embedding_index.hpp>
#include <bridgetower/search/export.hpp>
#include <bridgetower/search/index_images.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <bridgetower/search/shards.hpp>
#include <bridgetower/search/two_stage_search.hpp>
