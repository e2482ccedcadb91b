#include <bridgetower/preprocessing/image/image.hpp>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <new>
#include <utility>

#include "preprocessing/image/jpeg.hpp"

extern "C" {
#include <jerror.h>
#include <jpeglib.h>
}

namespace bridgetower {
namespace detail {
namespace {

/// One file being decoded with libjpeg's default settings, which are Pillow's. libjpeg reports
/// errors by a jump: the functions that it may jump back to hold no object with a destructor.
class Decompressor {
 public:
  explicit Decompressor(std::string_view bytes) : bytes_(bytes) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) {
      (*info->err->format_message)(info, of(info).message_);
      std::longjmp(of(info).jump_, 1);
    };
    errors_.emit_message = [](j_common_ptr info, int level) {
      // Other warnings are of broken data in between: decoded as far as it goes, as in Pillow.
      if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) (*info->err->error_exit)(info);
    };
    errors_.output_message = [](j_common_ptr) {};
  }
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  bool read_header() {
    if (setjmp(jump_) != 0) return false;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()),
                 static_cast<unsigned long>(bytes_.size()));
    jpeg_read_header(&info_, TRUE);
    // Pillow knows these three.
    return info_.num_components == 1 || info_.num_components == 3 || info_.num_components == 4;
  }

  /// RGB or, where there are four components, CMYK. `pixels` [height, width, channels()].
  bool read_pixels(std::uint8_t* pixels) {
    if (setjmp(jump_) != 0) return false;
    info_.out_color_space = channels() == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + std::size_t{info_.output_scanline} * info_.output_width *
                                  static_cast<std::size_t>(channels());
      jpeg_read_scanlines(&info_, &row, 1);
    }
    return true;
  }

  ImageSize size() const { return {info_.image_height, info_.image_width}; }
  int channels() const { return info_.num_components == 4 ? 4 : 3; }

  /// Why it failed. Throws std::bad_alloc where that was for want of memory.
  const char* message() const {
    if (errors_.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
    return message_;
  }

 private:
  static Decompressor& of(j_common_ptr info) {
    return *static_cast<Decompressor*>(info->client_data);
  }

  std::string_view bytes_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_{};
  char message_[JMSG_LENGTH_MAX] = "components: expected 1, 3 or 4";
};

/// Pillow's conversion. Files hold the inks inverted: 255 is none.
std::vector<std::uint8_t> cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(cmyk.size() / 4 * 3);
  for (std::size_t i = 0; i < cmyk.size(); i += 4) {
    const int white = cmyk[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[i + c]) * white + 128;
      rgb.push_back(static_cast<std::uint8_t>(white - (((product >> 8) + product) >> 8)));
    }
  }
  return rgb;
}

}  // namespace

std::optional<ImageSize> jpeg_size(std::string_view bytes) {
  Decompressor file(bytes);
  if (file.read_header()) return file.size();
  file.message();
  return std::nullopt;
}

std::optional<Decoded<std::uint8_t>> jpeg_decode(std::string_view bytes, std::string& reason) {
  Decompressor file(bytes);
  if (file.read_header()) {
    const ImageSize size = file.size();
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size.height * size.width) *
                                     static_cast<std::size_t>(file.channels()));
    if (file.read_pixels(pixels.data())) {
      if (file.channels() == 4) pixels = cmyk_to_rgb(pixels);
      return Decoded<std::uint8_t>{size.height, size.width, std::move(pixels)};
    }
  }
  reason = file.message();
  return std::nullopt;
}

}  // namespace detail

#define BRIDGETOWER_TEXT(x) #x
#define BRIDGETOWER_TEXT_OF(macro) BRIDGETOWER_TEXT(macro)
std::string_view jpeg_decoder() {
  return "libjpeg-turbo " BRIDGETOWER_TEXT_OF(LIBJPEG_TURBO_VERSION);
}

}  // namespace bridgetower
