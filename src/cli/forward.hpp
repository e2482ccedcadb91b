#pragma once

#include <bridgetower/core/load_options.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <filesystem>
#include <map>
#include <string>

namespace bridgetower::cli {

/// Which class's forward, and what it returns beside its outputs.
struct ForwardRequest {
  std::string head;  // base, itm, mlm or itc
  bool hidden_states = false;
  bool attentions = false;
};

/// The forward of one Hugging Face class on the tensors "inputs.<argument>" of a file; a tensor of
/// rank 0 is a plain argument. Outputs under Hugging Face's names; what HF nests is joined with
/// dots.
template <class Scalar>
std::map<std::string, AnyTensor> forward(const ForwardRequest& request, const SafetensorsFile& file,
                                         const std::filesystem::path& model,
                                         const LoadOptions& options);

extern template std::map<std::string, AnyTensor> forward<float>(const ForwardRequest&,
                                                                const SafetensorsFile&,
                                                                const std::filesystem::path&,
                                                                const LoadOptions&);
extern template std::map<std::string, AnyTensor> forward<double>(const ForwardRequest&,
                                                                 const SafetensorsFile&,
                                                                 const std::filesystem::path&,
                                                                 const LoadOptions&);

}  // namespace bridgetower::cli
