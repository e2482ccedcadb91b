#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/dtype.hpp>
#include <bridgetower/model/bridgetower_model.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bridgetower {

/// Images and texts that are encoded once and kept: as states, as bytes in memory or in files. The
/// bytes are a safetensors file of the state's tensors in F32 or BF16, named after the members,
/// with the model's fingerprint (BridgeTowerModel::fingerprint) among its metadata.
///
/// F32 gives back the state's very bits, and so the bits of every result; BF16 rounds each number
/// to the nearest, ties to even, and takes half the bytes. Hidden states are not kept.
///
///     save_state("cat.safetensors", matcher.encode(image));
///     const auto image = load_image_state("cat.safetensors", matcher.model());

/// What a state will take, exactly, known before anything is encoded.
struct StateBytes {
  std::uint64_t memory = 0;  ///< the numbers of an ImageState or TextState, always F32
  std::uint64_t packed = 0;  ///< pack_state's bytes, or a file of save_state
};

/// `positions` P: for an image of the model's size (image_size / patch_size)² + 1. Throws
/// InputError for sizes that no state has, or another type than F32 and BF16.
StateBytes image_state_bytes(const BridgeTowerConfig& config, std::int64_t positions,
                             DType dtype = DType::kF32);

/// `tokens` L, the special ones included; `attended`: how many of them may be attended to, where
/// that is not all.
StateBytes text_state_bytes(const BridgeTowerConfig& config, std::int64_t tokens,
                            DType dtype = DType::kF32,
                            std::optional<std::int64_t> attended = std::nullopt);

/// The state as bytes. Throws InputError for tensors that are not a state's or values that are no
/// finite numbers.
std::string pack_state(const ImageState<float>& state, DType dtype = DType::kF32);
std::string pack_state(const TextState<float>& state, DType dtype = DType::kF32);

/// The state in such bytes, e.g. of a part of a larger file. Throws FormatError for bytes that are
/// no state, InputError for a state of another model.
ImageState<float> unpack_image_state(std::string_view bytes, const BridgeTowerModel<float>& model);
TextState<float> unpack_text_state(std::string_view bytes, const BridgeTowerModel<float>& model);

/// pack_state into a file, which appears when it is complete. Throws IoError as well.
void save_state(const std::filesystem::path& path, const ImageState<float>& state,
                DType dtype = DType::kF32);
void save_state(const std::filesystem::path& path, const TextState<float>& state,
                DType dtype = DType::kF32);

/// Throw what unpack_*_state throw, or IoError.
ImageState<float> load_image_state(const std::filesystem::path& path,
                                   const BridgeTowerModel<float>& model);
TextState<float> load_text_state(const std::filesystem::path& path,
                                 const BridgeTowerModel<float>& model);

}  // namespace bridgetower
