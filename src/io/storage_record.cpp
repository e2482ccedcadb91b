#include "io/storage_record.hpp"

#include <algorithm>
#include <vector>

#include "core/crc32.hpp"
#include "io/zip_archive.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::size_t kBlock = 1 << 17;  // still in the cache when it is checked

}  // namespace

void StorageRecord::read(std::uint64_t offset, void* out, std::size_t count, bool in_order) const {
  if (crc_) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (in_order && offset == passed_ && passed_ < bytes_) {
      auto* const bytes = static_cast<char*>(out);
      for (std::size_t done = 0; done < count; done += kBlock) {
        const std::size_t size = std::min(kBlock, count - done);
        file_.read(begin_ + offset + done, bytes + done, size);
        pass(bytes + done, size);
      }
      return;
    }
    // Values that have been handed out belong to a reading in order, which checks them at its end.
    if (!in_order || offset > passed_) check_rest();
  }
  file_.read(begin_ + offset, out, count);
}

void StorageRecord::check_rest() const {
  std::vector<char> block(kBlock);
  while (passed_ < bytes_) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, bytes_ - passed_));
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
