#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/weights.hpp>
#include <bridgetower/model/memory_estimate.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <memory>

namespace bridgetower {

/// Makes BridgeTowerModel or one of the three head classes from a configuration and a checkpoint.
/// Throws ConfigError, InputError for options that do not go together, LimitError (before a weight
/// is read) beyond Limits::model_memory, or one WeightError that lists everything wrong with the
/// tensors.
template <template <class> class Model, class Scalar>
Model<Scalar> load_model(const BridgeTowerConfig& config, const WeightSource& source,
                         const LoadOptions& options = {}) {
  config.validate();
  ops::check_weight_dtype<Scalar>(options.dtype, options.backend);
  WeightLoader<Scalar> loader(source, options.backend, options.dtype);
  const auto threads = std::make_shared<ThreadPool>(options.threads);
  check_model_memory<Scalar>(config, source, options, threads->threads());
  const ParallelScope scope(threads.get());
  Model<Scalar> model(config, WeightView<Scalar>(loader), threads);
  loader.finish();
  return model;
}

}  // namespace bridgetower
