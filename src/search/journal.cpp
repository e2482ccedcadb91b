#include "search/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/crc32.hpp"
#include "search/mapped_file.hpp"

namespace bridgetower::detail {
namespace {

constexpr char kMagic[] = "bridgetower-journal-2\n";

/// Before every entry: how long it is, and its CRC-32.
struct Frame {
  std::uint32_t bytes;
  std::uint32_t crc;
};

/// An entry: this, the path, the vector, the state.
struct EntryHead {
  std::uint64_t bytes;
  std::int64_t modified_ns;
  unsigned char sha256[32];
  std::uint64_t state_bytes;  // 0: none
};

template <class Value>
void append_value(std::string& bytes, const Value& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

IoError write_error(const std::string& place) {
  return IoError(place, "write", "all bytes written", std::generic_category().message(errno));
}

}  // namespace

Journal::Journal(const std::filesystem::path& path, const Format& format, bool resume,
                 const Visit& visit)
    : path_(path),
      vector_bytes_(static_cast<std::size_t>(format.size) * sizeof(float)),
      state_bytes_(format.states.bytes_each) {
  descriptor_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!descriptor_.is_open()) {
    throw IoError(path.string(), "create", "a writable directory",
                  std::generic_category().message(errno));
  }
  const std::string header = kMagic + format.model + " " + std::to_string(format.size) + " " +
                             std::to_string(state_bytes_) + " " + to_string(format.states.dtype) +
                             "\n";
  if (resume) replay(header, visit);
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(end_)) != 0) {
    throw write_error(path.string());
  }
  if (end_ == 0) write(header);
}

void Journal::replay(const std::string& header, const Visit& visit) {
  const MappedFile file(path_);
  const auto* const data = reinterpret_cast<const char*>(file.data());
  if (file.size() < header.size()) return;  // killed before anything was done
  if (std::memcmp(data, header.data(), header.size()) != 0) {
    throw InputError(path_.string(), "unfinished run", "one with this model and these states",
                     "one with another; without --resume it is dropped");
  }
  end_ = header.size();
  Frame frame;
  EntryHead head;
  while (file.size() - end_ >= sizeof frame) {
    std::memcpy(&frame, data + end_, sizeof frame);
    const char* const entry = data + end_ + sizeof frame;
    if (frame.bytes > file.size() - end_ - sizeof frame ||
        frame.bytes <= sizeof head + vector_bytes_ || crc32(0, entry, frame.bytes) != frame.crc) {
      return;  // what the kill cut off
    }
    std::memcpy(&head, entry, sizeof head);
    const std::uint64_t rest = frame.bytes - sizeof head - vector_bytes_;  // path and state
    if (head.state_bytes >= rest || (head.state_bytes != 0 && head.state_bytes != state_bytes_)) {
      return;
    }
    ImageRecord record;
    record.path.assign(entry + sizeof head, rest - head.state_bytes);
    record.bytes = head.bytes;
    record.modified_ns = head.modified_ns;
    std::copy(std::begin(head.sha256), std::end(head.sha256), record.sha256.begin());
    end_ += sizeof frame + frame.bytes;
    visit(std::move(record), end_ - vector_bytes_ - head.state_bytes, head.state_bytes != 0);
  }
}

std::uint64_t Journal::append(const ImageRecord& record, const float* vector,
                              std::string_view state) {
  EntryHead head{record.bytes, record.modified_ns, {}, state.size()};
  std::copy(record.sha256.begin(), record.sha256.end(), head.sha256);
  Frame frame{};
  std::string entry;
  entry.reserve(sizeof frame + sizeof head + record.path.size() + vector_bytes_ + state.size());
  append_value(entry, frame);
  append_value(entry, head);
  entry += record.path;
  entry.append(reinterpret_cast<const char*>(vector), vector_bytes_);
  entry += state;
  frame.bytes = static_cast<std::uint32_t>(entry.size() - sizeof frame);
  frame.crc = crc32(0, entry.data() + sizeof frame, frame.bytes);
  std::memcpy(entry.data(), &frame, sizeof frame);
  write(entry);
  return end_ - vector_bytes_ - state.size();
}

void Journal::write(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::pwrite(descriptor_.get(), bytes.data() + done, bytes.size() - done,
                                   static_cast<off_t>(end_ + done));
    if (count < 0 && errno != EINTR) throw write_error(path_.string());
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  end_ += bytes.size();
}

}  // namespace bridgetower::detail
