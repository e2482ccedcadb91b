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
};

/// Walks a PNG's chunks. Throws FormatError for a chunk beyond the file, a wrong checksum or a
/// missing end: stb_image would not notice.
PngFacts read_png(std::string_view bytes, const std::string& place);

/// Walks a JPEG's segments up to its end marker and returns its EXIF orientation, 1 to 8. Throws
/// FormatError for a file that ends before (the decoders would fill the rest with grey) and for
/// Huffman tables of too many codes, LimitError for more than 1000 scans.
int read_jpeg_orientation(std::string_view bytes, const std::string& place);

/// The orientation in a TIFF structure, 1 where there is none that can be read.
int exif_orientation(std::string_view tiff);

}  // namespace bridgetower::detail
