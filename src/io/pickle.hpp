#pragma once

#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/shape.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridgetower::detail {

/// What a pickle file of torch.save says about tensors, found without executing anything: the
/// interpreter knows the opcodes of protocol 2 that torch writes and a closed set of values, and
/// refuses every other opcode, every other name and every call of another form.
struct PickledTensors {
  struct Storage {
    std::string key;
    DType dtype;
    std::uint64_t count;   ///< elements
    std::uint64_t offset;  ///< of the opcode that asked for it
  };
  /// A view: element i of an axis is `strides` elements after element i - 1.
  struct Tensor {
    std::size_t storage;
    std::uint64_t begin;  ///< first element in the storage
    Shape shape;
    Shape strides;
  };

  std::vector<Storage> storages;
  std::vector<std::pair<std::string, Tensor>> tensors;  ///< in the order of the dictionary
  std::size_t bytes;                                    ///< of the pickle, its STOP included
};

/// Which of torch's two file layouts the pickle comes from: they name storages differently.
enum class TorchLayout : std::uint8_t {
  kZip,   ///< since torch 1.6: ("storage", type, key, location, count)
  kPlain  ///< before: the same and a view of another storage, or None
};

/// Where a pickle lies, for messages.
struct PicklePlace {
  const std::string& file;
  const std::string& where;  ///< goes before the offsets: "data.pkl byte "
  std::uint64_t offset;      ///< of the first byte
};

/// Interprets the pickle at the beginning of `pickle`. Every tensor lies within its storage. Throws
/// FormatError with the byte offset, or LimitError.
PickledTensors read_pickled_tensors(std::string_view pickle, TorchLayout layout,
                                    const PicklePlace& place, const Limits& limits);

/// A pickled list of strings, which lie in `pickle`; `bytes` becomes the length of its pickle.
std::vector<std::string_view> read_pickled_strings(std::string_view pickle,
                                                   const PicklePlace& place, const Limits& limits,
                                                   std::size_t& bytes);

/// A pickled dictionary, of which `key` is True or False; `bytes` becomes the length of its pickle.
bool read_pickled_flag(std::string_view pickle, std::string_view key, const PicklePlace& place,
                       const Limits& limits, std::size_t& bytes);

}  // namespace bridgetower::detail
