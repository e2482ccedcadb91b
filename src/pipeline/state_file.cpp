#include <array>
#include <bridgetower/core/weights.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <cstdio>
#include <set>
#include <type_traits>
#include <vector>

#include "core/file.hpp"
#include "core/json.hpp"
#include "io/narrow.hpp"
#include "io/safetensors_header.hpp"

namespace bridgetower {
namespace {

constexpr const char* kVersion = "1";
constexpr const char* kAttended = "attended";

template <class State>
constexpr bool kIsText = std::is_same_v<std::remove_const_t<State>, TextState<float>>;

template <class State>
constexpr const char* kFormat =
    kIsText<State> ? "bridgetower text state" : "bridgetower image state";

/// What the tensors of a state look like.
struct Layout {
  std::int64_t layers = 0;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  std::optional<std::int64_t> attended;
  DType dtype = DType::kF32;
};

/// The floats of a state, [rows, width] each but for one row of cls; visit(name, tensor).
template <class State, class Visit>
void visit_tensors(State& state, const Visit& visit) {
  visit(std::string("attended_own"), state.attended_own);
  visit(std::string("cls"), state.cls);
  for (std::size_t i = 0; i < state.layers.size(); ++i) {
    visit("layers." + std::to_string(i), state.layers[i]);
  }
}

/// The tensors of such a state in their order in the file.
std::vector<detail::NamedInfo> infos_of(const Layout& layout) {
  const WeightSource::Info rows{layout.dtype, {layout.rows, layout.width}};
  std::vector<detail::NamedInfo> infos{{"attended_own", rows},
                                       {"cls", {layout.dtype, {1, layout.width}}}};
  for (std::int64_t i = 0; i < layout.layers; ++i) {
    infos.push_back({"layers." + std::to_string(i), rows});
  }
  if (layout.attended) infos.push_back({kAttended, {DType::kI64, {*layout.attended}}});
  return infos;
}

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string header_of(const Layout& layout, const char* format, std::uint64_t model) {
  return detail::safetensors_header(
      infos_of(layout), {{"format", format}, {"version", kVersion}, {"model", hex(model)}});
}

void check_dtype(DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kBF16) return;
  throw InputError("state", "dtype", "F32 or BF16", to_string(dtype));
}

std::uint64_t data_bytes(const Layout& layout) {
  std::uint64_t bytes = 0;
  for (const detail::NamedInfo& tensor : infos_of(layout)) bytes += detail::bytes_of(tensor.info);
  return bytes;
}

StateBytes bytes_of(const Layout& layout, const char* format) {
  check_dtype(layout.dtype);
  // Room for the largest type, so that no sum overflows.
  if (layout.rows < 1 || layout.layers < 1 ||
      element_count({layout.layers + 2, layout.rows, layout.width, 16}) < 0) {
    throw InputError("state", "rows", "1 or more, of a state that can be",
                     std::to_string(layout.rows));
  }
  if (layout.attended && (*layout.attended < 0 || *layout.attended > layout.rows)) {
    throw InputError("state", "attended rows", "0 to " + std::to_string(layout.rows),
                     std::to_string(*layout.attended));
  }
  Layout in_memory = layout;
  in_memory.dtype = DType::kF32;
  return {data_bytes(in_memory), header_of(layout, format, 0).size() + data_bytes(layout)};
}

void append(std::string& bytes, const void* more, std::size_t count) {
  bytes.append(static_cast<const char*>(more), count);
}

template <class State>
std::string pack(const State& state, DType dtype) {
  check_dtype(dtype);
  if (state.layers.empty() || state.layers.front().rank() != 2) {
    throw InputError("state", "layers", "[rows, width] each", "none");
  }
  Layout layout{static_cast<std::int64_t>(state.layers.size()), state.layers.front().dim(0),
                state.layers.front().dim(1), std::nullopt, dtype};
  if constexpr (kIsText<State>) {
    if (state.attended) layout.attended = static_cast<std::int64_t>(state.attended->size());
  }
  std::string bytes = header_of(layout, kFormat<State>, state.model);
  bytes.reserve(bytes.size() + data_bytes(layout));
  visit_tensors(state, [&](const std::string& name, const Tensor<float>& tensor) {
    const Shape expected{name == "cls" ? 1 : layout.rows, layout.width};
    if (tensor.shape() != expected) {
      throw InputError("state", name, to_string(expected), to_string(tensor.shape()));
    }
    if (!detail::all_finite(tensor.data(), static_cast<std::int64_t>(tensor.size()))) {
      throw InputError("state", name, "finite numbers", "others");
    }
    const std::size_t begin = bytes.size();
    bytes.resize(begin + tensor.size() * size_of(dtype));
    detail::narrow(dtype, tensor.data(), tensor.size(),
                   reinterpret_cast<unsigned char*>(bytes.data() + begin));
  });
  if constexpr (kIsText<State>) {
    if (state.attended) {
      append(bytes, state.attended->data(), state.attended->size() * sizeof(std::int64_t));
    }
  }
  return bytes;
}

void check_fact(const SafetensorsFile& file, const char* key, const char* expected) {
  const auto found = file.metadata().find(key);
  if (found != file.metadata().end() && found->second == expected) return;
  throw FormatError(file.place(), key, detail::in_quotes(expected),
                    found == file.metadata().end() ? "none" : detail::in_quotes(found->second));
}

/// What the file's tensors must look like: as the model's states, with the file's own number of
/// rows and type.
template <class State>
Layout layout_of(const SafetensorsFile& file, const BridgeTowerConfig& config) {
  const auto own = file.find("attended_own");
  if (!own) throw FormatError(file.place(), "\"attended_own\" is missing");
  const bool is_rows = own->shape.size() == 2 && own->shape[0] > 0;
  if (!is_rows || (own->dtype != DType::kF32 && own->dtype != DType::kBF16)) {
    throw FormatError(file.place(), "\"attended_own\"", "F32 or BF16 [rows, width]",
                      to_string(own->dtype) + (" " + to_string(own->shape)));
  }
  Layout layout{config.num_hidden_layers, own->shape[0], config.hidden_size, std::nullopt,
                own->dtype};
  const auto attended = file.find(kAttended);
  if (kIsText<State> && attended) {
    layout.attended = attended->shape.size() == 1 ? attended->shape[0] : 0;
  }
  return layout;
}

void check_tensors(const SafetensorsFile& file, const std::vector<detail::NamedInfo>& expected) {
  std::set<std::string> extra;
  for (std::string& name : file.names()) extra.insert(std::move(name));
  for (const auto& [name, info] : expected) {
    const auto found = file.find(name);
    if (!found) throw FormatError(file.place(), detail::in_quotes(name) + " is missing");
    if (found->dtype != info.dtype || found->shape != info.shape) {
      throw FormatError(file.place(), detail::in_quotes(name),
                        to_string(info.dtype) + (" " + to_string(info.shape)),
                        to_string(found->dtype) + (" " + to_string(found->shape)));
    }
    extra.erase(name);
  }
  if (!extra.empty()) {
    throw FormatError(file.place(), detail::in_quotes(*extra.begin()), "no such tensor", "one");
  }
}

template <class State>
State unpack(const SafetensorsFile& file, const BridgeTowerModel<float>& model) {
  check_fact(file, "format", kFormat<State>);
  check_fact(file, "version", kVersion);
  const auto made_by = file.metadata().find("model");
  if (made_by == file.metadata().end() || made_by->second != hex(model.fingerprint())) {
    throw InputError(file.place(), "state", "one of this model", "another model's");
  }
  const Layout layout = layout_of<State>(file, model.config());
  check_tensors(file, infos_of(layout));
  State state;
  state.model = model.fingerprint();
  state.layers.resize(static_cast<std::size_t>(layout.layers));
  visit_tensors(state, [&](const std::string& name, Tensor<float>& tensor) {
    tensor = file.tensor<float>(name);
    if (!detail::all_finite(tensor.data(), static_cast<std::int64_t>(tensor.size()))) {
      throw FormatError(file.place(), detail::in_quotes(name), "finite numbers", "others");
    }
  });
  if constexpr (kIsText<State>) {
    if (layout.attended) {
      const auto rows = file.tensor<std::int64_t>(kAttended);
      state.attended.emplace(rows.begin(), rows.end());
    }
  }
  if (!detail::keys_fit(state, layout.rows)) {
    throw FormatError(file.place(), "\"attended\"", "ascending rows of the text", "others");
  }
  return state;
}

}  // namespace

StateBytes image_state_bytes(const BridgeTowerConfig& config, std::int64_t positions, DType dtype) {
  return bytes_of({config.num_hidden_layers, positions, config.hidden_size, std::nullopt, dtype},
                  kFormat<ImageState<float>>);
}

StateBytes text_state_bytes(const BridgeTowerConfig& config, std::int64_t tokens, DType dtype,
                            std::optional<std::int64_t> attended) {
  return bytes_of({config.num_hidden_layers, tokens, config.hidden_size, attended, dtype},
                  kFormat<TextState<float>>);
}

std::string pack_state(const ImageState<float>& state, DType dtype) { return pack(state, dtype); }

std::string pack_state(const TextState<float>& state, DType dtype) { return pack(state, dtype); }

ImageState<float> unpack_image_state(std::string_view bytes, const BridgeTowerModel<float>& model) {
  return unpack<ImageState<float>>(SafetensorsFile("image state", bytes), model);
}

TextState<float> unpack_text_state(std::string_view bytes, const BridgeTowerModel<float>& model) {
  return unpack<TextState<float>>(SafetensorsFile("text state", bytes), model);
}

void save_state(const std::filesystem::path& path, const ImageState<float>& state, DType dtype) {
  detail::write_file(path, pack(state, dtype));
}

void save_state(const std::filesystem::path& path, const TextState<float>& state, DType dtype) {
  detail::write_file(path, pack(state, dtype));
}

ImageState<float> load_image_state(const std::filesystem::path& path,
                                   const BridgeTowerModel<float>& model) {
  return unpack<ImageState<float>>(SafetensorsFile(path), model);
}

TextState<float> load_text_state(const std::filesystem::path& path,
                                 const BridgeTowerModel<float>& model) {
  return unpack<TextState<float>>(SafetensorsFile(path), model);
}

}  // namespace bridgetower
