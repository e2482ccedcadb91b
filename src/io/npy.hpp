#pragma once

#include <cstdint>
#include <string>

namespace bridgetower::detail {

/// What a NumPy file of float32 [rows, columns] begins with (format 1.0): magic, version, length of
/// the header, header padded to 64 bytes. The values follow, row by row.
std::string npy_header(std::int64_t rows, std::int64_t columns);

}  // namespace bridgetower::detail
