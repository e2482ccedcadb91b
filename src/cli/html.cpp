#include "cli/html.hpp"

#include <cstdint>

#include "preprocessing/text/unicode.hpp"

namespace bridgetower::cli {
namespace {

/// U+2400 and on: the symbol of a control character.
std::string symbol_of(char control) {
  const int code = control == '\x7f' ? 0x21 : control;
  return {'\xe2', '\x90', static_cast<char>(0x80 + code)};
}

}  // namespace

std::string to_html(const std::string& bytes) {
  std::string out;
  for (const char c : detail::repaired_utf8(bytes)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if ((c >= 0 && c < ' ') || c == '\x7f') {
      out += symbol_of(c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string data_uri(std::string_view type, std::string_view bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "data:" + std::string(type) + ";base64,";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const bool there = i + k < bytes.size();
      group = group << 8 | (there ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

}  // namespace bridgetower::cli
