#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bridgetower::detail {

/// Of tables whose keys a file chooses: a polynomial at a point that is drawn when the program
/// starts, modulo 2^61 - 1. Whoever does not know the point cannot write keys that collide, which
/// would make a table as slow as a list.
class SeededHash {
 public:
  /// Not noexcept: libstdc++ then keeps the hash beside the text.
  std::size_t operator()(std::string_view text) const {
    std::uint64_t hash = text.size();
    for (const char c : text) hash = step(hash, static_cast<unsigned char>(c));
    return static_cast<std::size_t>(hash);
  }

  std::size_t operator()(std::uint64_t number) const noexcept {
    return static_cast<std::size_t>(
        step(step(1, number >> 32), static_cast<std::uint32_t>(number)));
  }

  std::size_t operator()(std::int64_t number) const noexcept {
    return (*this)(static_cast<std::uint64_t>(number));
  }

 private:
  static std::uint64_t point() noexcept;

  std::uint64_t step(std::uint64_t hash, std::uint64_t value) const noexcept {
    __extension__ using Wide = unsigned __int128;
    constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;
    const Wide product = static_cast<Wide>(hash + value) * point_;
    const std::uint64_t sum =
        static_cast<std::uint64_t>(product & kPrime) + static_cast<std::uint64_t>(product >> 61);
    return sum >= kPrime ? sum - kPrime : sum;
  }

  std::uint64_t point_ = point();
};

}  // namespace bridgetower::detail
