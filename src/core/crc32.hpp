#pragma once

#include <cstddef>
#include <cstdint>

namespace bridgetower::detail {

/// The CRC-32 of zip and PNG over more bytes: `crc` is that of the bytes before, 0 at the start.
std::uint32_t crc32(std::uint32_t crc, const void* bytes, std::size_t count);

}  // namespace bridgetower::detail
