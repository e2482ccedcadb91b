#include "tests/fuzz/mutators.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/torch_file.hpp"

namespace bridgetower::fuzz {
namespace {

using Json = nlohmann::ordered_json;

std::size_t below(std::size_t n, std::mt19937& chance) {
  return chance() % std::max<std::size_t>(1, n);
}

Json other_number(const Json& number, std::mt19937& chance) {
  const std::uint64_t value = number.is_number_integer() ? number.get<std::uint64_t>() : 0;
  constexpr std::uint64_t kLargest = INT64_MAX;
  const Json choices[] = {value + 1, value - 1, 0, -1, kLargest, kLargest + 1, 1 << 30, 0.5};
  return choices[below(std::size(choices), chance)];
}

Json other_dtype(std::mt19937& chance) {
  const char* const names[] = {"F64", "F32", "F16", "BF16", "I64", "I8", "U8", "BOOL", "F8_E4M3"};
  return names[below(std::size(names), chance)];
}

/// Changes one thing about the tensor `about`.
void mutate_tensor(Json& about, std::mt19937& chance) {
  const char* const keys[] = {"dtype", "shape", "data_offsets"};
  const std::string key = keys[below(3, chance)];
  if (below(16, chance) == 0) {
    about.erase(key);
  } else if (key == "dtype") {
    about[key] = other_dtype(chance);
  } else if (Json& list = about[key]; list.is_array() && !list.empty()) {
    const std::size_t at = below(list.size(), chance);
    if (below(8, chance) == 0) {
      list.push_back(list[at]);
    } else {
      list[at] = other_number(list[at], chance);
    }
  }
}

void mutate_header(Json& header, std::mt19937& chance) {
  auto tensor = header.begin();
  std::advance(tensor, below(header.size(), chance));
  const std::string name = tensor.key();
  if (!tensor->is_object()) return;
  switch (below(8, chance)) {
    case 0:
      header[name + "x"] = Json(*tensor);
      break;
    case 1:
      header.erase(name);
      break;
    default:
      mutate_tensor(*tensor, chance);
  }
}

/// The pieces that pickles of tensors are made of.
const std::vector<std::string>& pickle_pieces() {
  namespace pickle = testing::pickle;
  static const std::vector<std::string> pieces{"(",
                                               ".",
                                               "N",
                                               ")",
                                               "t",
                                               "]",
                                               "a",
                                               "e",
                                               "}",
                                               "s",
                                               "u",
                                               "R",
                                               "b",
                                               "Q",
                                               "\x85",
                                               "\x86",
                                               "\x87",
                                               "\x88",
                                               "\x89",
                                               pickle::proto(),
                                               pickle::number(0),
                                               pickle::number(3),
                                               pickle::number(0x7FFFFFFF),
                                               pickle::number(0xFFFFFFFF),
                                               pickle::text("weight"),
                                               pickle::ordered_dict(),
                                               pickle::storage("0", 16),
                                               pickle::storage("1", 8, "HalfStorage"),
                                               pickle::numbers({2, 2}),
                                               pickle::name("torch._utils", "_rebuild_tensor_v2"),
                                               pickle::name("torch._utils", "_rebuild_parameter"),
                                               pickle::name("torch", "FloatStorage"),
                                               pickle::name("os", "system"),
                                               "q\x01",
                                               "h\x01",
                                               std::string("j\1\0\0\0", 5),
                                               std::string("K\0", 2),
                                               std::string("\x8A\x01\x01", 3),
                                               std::string("M\0\1", 3)};
  return pieces;
}

/// Bytes of the opcode at `at` and its argument.
std::size_t length_of_opcode(const std::string& bytes, std::size_t at) {
  const auto byte = [&bytes](std::size_t i) {
    return i < bytes.size() ? static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])) : 0;
  };
  switch (byte(at)) {
    case 'K':
    case 'q':
    case 'h':
    case 0x80:
      return 2;
    case 'M':
      return 3;
    case 'J':
    case 'r':
    case 'j':
      return 5;
    case 'G':
      return 9;
    case 'U':
    case 0x8A:
      return 2 + byte(at + 1);
    case 'X':
    case 'T':
      return 5 + byte(at + 1) + 256 * byte(at + 2);
    case 'c': {
      const std::size_t line = std::min(bytes.find('\n', at), bytes.size() - 1);
      return std::min(bytes.find('\n', line + 1), bytes.size() - 1) + 1 - at;
    }
    default:
      return 1;
  }
}

std::vector<std::string> split_opcodes(const std::string& bytes) {
  std::vector<std::string> opcodes;
  for (std::size_t at = 0; at < bytes.size();) {
    opcodes.push_back(bytes.substr(at, length_of_opcode(bytes, at)));
    at += opcodes.back().size();
  }
  return opcodes;
}

}  // namespace

std::string mutate_safetensors(const std::string& bytes, std::mt19937& chance) {
  if (bytes.size() < 8) return bytes;
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > bytes.size() - 8) return bytes;
  const std::string text = bytes.substr(8, length);
  Json header = Json::parse(text, nullptr, false);
  if (!header.is_object() || header.empty()) return bytes;
  mutate_header(header, chance);
  const std::string changed = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  return testing::bytes_of(changed.size(), 8) + changed + bytes.substr(8 + length);
}

std::string mutate_pickle(const std::string& bytes, std::mt19937& chance) {
  std::vector<std::string> opcodes = split_opcodes(bytes);
  if (opcodes.empty()) opcodes.push_back(testing::pickle::proto());
  const std::size_t at = below(opcodes.size(), chance);
  const auto place = opcodes.begin() + static_cast<std::ptrdiff_t>(at);
  const std::string piece = pickle_pieces()[below(pickle_pieces().size(), chance)];
  switch (below(5, chance)) {
    case 0:
      opcodes.insert(place, std::string(*place));
      break;
    case 1:
      opcodes.erase(place);
      break;
    case 2:
      std::swap(opcodes[at], opcodes[below(opcodes.size(), chance)]);
      break;
    case 3:
      opcodes[at] = piece;
      break;
    default:
      opcodes.insert(place, piece);
  }
  std::string changed;
  for (const std::string& opcode : opcodes) changed += opcode;
  return changed;
}

}  // namespace bridgetower::fuzz
