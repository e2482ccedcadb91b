#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bridgetower::detail {

/// What the pixels' meaning depends on beside the pixels.
struct PngFacts {
  int bit_depth = 0;
  int color_type = 0;
  int orientation = 1;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  std::uint64_t data_bytes = 0;  // of all IDAT chunks
};

/// Walks a PNG's chunks. Throws FormatError for a chunk beyond the file, a wrong checksum or a
/// missing end: stb_image would not notice.
PngFacts read_png(std::string_view bytes, const std::string& place);

/// Throws FormatError for a picture that so few bytes cannot hold: stb_image takes the memory
/// first.
void check_png_size(const PngFacts& facts, const std::string& place);

/// Walks a JPEG's segments up to its end marker and returns its EXIF orientation, 1 to 8. Throws
/// FormatError for a file that ends before (the decoders would fill the rest with grey) and for
/// Huffman tables of too many codes, LimitError for more than `max_scans`.
int read_jpeg_orientation(std::string_view bytes, const std::string& place, std::int64_t max_scans);

/// The orientation in a TIFF structure, 1 where there is none that can be read.
int exif_orientation(std::string_view tiff);

}  // namespace bridgetower::detail
