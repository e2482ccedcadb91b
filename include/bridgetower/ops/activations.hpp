#pragma once

#include <bridgetower/core/error.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace bridgetower::ops {

/// HF: the names of ACT2FN that a BridgeTower config may use.
enum class Activation { kGelu, kGeluTanh, kQuickGelu, kRelu, kSilu, kTanh, kSigmoid, kLinear };

/// "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "silu", "swish",
/// "tanh", "sigmoid" or "linear"; anything else is a ConfigError.
inline Activation activation_from_name(std::string_view name) {
  if (name == "gelu") return Activation::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
    return Activation::kGeluTanh;
  if (name == "quick_gelu") return Activation::kQuickGelu;
  if (name == "relu") return Activation::kRelu;
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "tanh") return Activation::kTanh;
  if (name == "sigmoid") return Activation::kSigmoid;
  if (name == "linear") return Activation::kLinear;
  throw ConfigError("config", "hidden_act", "the name of an activation", std::string(name));
}

namespace detail {

/// The plain formulas, for scalars without kernels and for activations that are rare.
template <class Scalar>
Scalar activated(Activation activation, Scalar x) {
  constexpr Scalar kHalf = Scalar(0.5);
  const auto sigmoid = [](Scalar v) { return Scalar(1) / (Scalar(1) + std::exp(-v)); };
  switch (activation) {
    case Activation::kGelu:
      return x * kHalf * std::erfc(x * Scalar(-0.70710678118654752440));
    case Activation::kGeluTanh: {
      const Scalar cubic = x + Scalar(0.044715) * x * x * x;
      return kHalf * x * (Scalar(1) + std::tanh(Scalar(0.79788456080286535588) * cubic));
    }
    case Activation::kQuickGelu:
      return x * sigmoid(Scalar(1.702) * x);
    case Activation::kRelu:
      return x > Scalar(0) ? x : Scalar(0);
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kLinear:
      break;
  }
  return x;
}

template <Activation kActivation, class Scalar>
void activate_all(Scalar* values, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) values[i] = activated(kActivation, values[i]);
}

}  // namespace detail

/// Applies an activation to `size` values in place.
template <class Scalar>
using ActivationFunction = void (*)(Scalar* values, std::int64_t size);

/// Null for kLinear.
template <class Scalar>
ActivationFunction<Scalar> activation_function(Activation activation) {
  if constexpr (detail::has_kernels<Scalar>()) {
    const detail::Kernels& kernel = detail::kernels();
    if (activation == Activation::kGelu) return kernel.gelu;
    if (activation == Activation::kGeluTanh) return kernel.gelu_tanh;
    if (activation == Activation::kQuickGelu) return kernel.quick_gelu;
    if (activation == Activation::kSilu) return kernel.silu;
  }
  switch (activation) {
    case Activation::kGelu:
      return detail::activate_all<Activation::kGelu>;
    case Activation::kGeluTanh:
      return detail::activate_all<Activation::kGeluTanh>;
    case Activation::kQuickGelu:
      return detail::activate_all<Activation::kQuickGelu>;
    case Activation::kRelu:
      return detail::activate_all<Activation::kRelu>;
    case Activation::kSilu:
      return detail::activate_all<Activation::kSilu>;
    case Activation::kTanh:
      return detail::activate_all<Activation::kTanh>;
    case Activation::kSigmoid:
      return detail::activate_all<Activation::kSigmoid>;
    case Activation::kLinear:
      break;
  }
  return nullptr;
}

}  // namespace bridgetower::ops
