#include "io/storage_record.hpp"

#include <algorithm>
#include <vector>

#include "io/crc32.hpp"
#include "io/zip_archive.hpp"

namespace bridgetower::detail {

void StorageRecord::read(std::uint64_t offset, void* out, std::size_t count, bool in_order) const {
  if (crc_) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (in_order && offset == passed_ && passed_ < bytes_) {
      file_.read(begin_ + offset, out, count);
      return pass(out, count);
    }
    // Values that have been handed out belong to a reading in order, which checks them at its end.
    if (!in_order || offset > passed_) check_rest();
  }
  file_.read(begin_ + offset, out, count);
}

void StorageRecord::check_rest() const {
  constexpr std::uint64_t kBlock = 1 << 18;
  std::vector<char> block(static_cast<std::size_t>(std::min(kBlock, bytes_ - passed_)));
  while (passed_ < bytes_) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, bytes_ - passed_));
    file_.read(begin_ + passed_, block.data(), count);
    pass(block.data(), count);
  }
}

void StorageRecord::pass(const void* bytes, std::size_t count) const {
  const std::uint32_t crc = crc32(crc_of_passed_, bytes, count);
  if (passed_ + count == bytes_ && crc != *crc_) {
    refuse_crc(file_.place(), name_, begin_, *crc_, crc);
  }
  crc_of_passed_ = crc;
  passed_ += count;
}

}  // namespace bridgetower::detail
