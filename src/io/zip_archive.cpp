#include "io/zip_archive.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/crc32.hpp"
#include "core/json.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint32_t kDescriptorSignature = 0x08074B50;
constexpr std::uint32_t kCentralSignature = 0x02014B50;
constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kZip64EndSignature = 0x06064B50;
constexpr std::uint32_t kZip64LocatorSignature = 0x07064B50;

constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kCentralBytes = 46;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kZip64EndBytes = 56;
constexpr std::uint64_t kZip64LocatorBytes = 20;

constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;  // the value stands in the zip64 extra field
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kHasDescriptor = 1 << 3;
constexpr std::uint32_t kNameIsUtf8 = 1 << 11;

/// Bytes of the file at a known offset, read as little-endian numbers one after the other.
class Fields {
 public:
  Fields(const std::string& place, std::string_view bytes, std::uint64_t offset)
      : place_(place), bytes_(bytes), offset_(offset) {}

  const std::string& place() const { return place_; }
  std::size_t left() const { return bytes_.size() - next_; }
  std::uint64_t offset() const { return offset_ + next_; }

  /// A number of 2, 4 or 8 bytes; `what` names it where they are missing.
  std::uint64_t number(std::size_t size, const char* what) {
    const std::string_view bytes = take(size, what);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }
  std::uint32_t u16(const char* what) { return static_cast<std::uint32_t>(number(2, what)); }
  std::uint32_t u32(const char* what) { return static_cast<std::uint32_t>(number(4, what)); }
  std::uint64_t u64(const char* what) { return number(8, what); }

  std::string_view take(std::size_t size, const char* what) {
    if (size > left()) refuse(what, std::to_string(size) + " bytes", std::to_string(left()));
    next_ += size;
    return bytes_.substr(next_ - size, size);
  }

  /// Throws unless the next number is `expected`.
  void demand(std::size_t size, std::uint64_t expected, const char* what) {
    const std::uint64_t got = number(size, what);
    if (got != expected) refuse(what, std::to_string(expected), std::to_string(got), size);
  }

  void demand_signature(std::uint32_t expected, const char* what) {
    if (left() >= 4) {
      const std::string got(bytes_.substr(next_, 4));
      if (u32(what) == expected) return;
      next_ -= 4;
      std::string wanted;
      for (int shift = 0; shift < 32; shift += 8) {
        wanted += static_cast<char>(expected >> shift & 0xFF);
      }
      refuse(what, in_quotes(wanted), in_quotes(got));
    }
    refuse(what, "4 bytes", std::to_string(left()));
  }

  /// At the next byte, or `back` bytes before it.
  [[noreturn]] void refuse(const std::string& what, const std::string& expected,
                           const std::string& got, std::uint64_t back = 0) const {
    throw FormatError(place_, "byte " + std::to_string(offset() - back) + ": " + what, expected,
                      got);
  }

 private:
  const std::string& place_;
  std::string_view bytes_;
  std::uint64_t offset_;
  std::size_t next_ = 0;
};

/// Where the central directory is.
struct Directory {
  std::uint64_t entries;
  std::uint64_t bytes;
  std::uint64_t begin;
};

/// One entry as a header describes it; the local header's numbers may be zero where a descriptor
/// follows the contents.
struct Header {
  std::uint32_t flags = 0;
  std::uint64_t crc = 0;
  std::uint64_t stored = 0;
  std::uint64_t bytes = 0;
  std::uint64_t local = 0;  // offset of the local header
  std::string name;
};

std::string read_at(const InputFile& file, std::uint64_t offset, std::uint64_t count) {
  std::string bytes(static_cast<std::size_t>(count), '\0');
  file.read(offset, bytes.data(), bytes.size());
  return bytes;
}

/// The zip64 end record and its locator, which stand before the end record at `end`.
Directory read_zip64_end(const InputFile& file, std::uint64_t end) {
  const std::uint64_t locator_begin = end - kZip64LocatorBytes;
  const std::uint64_t record_begin = locator_begin - kZip64EndBytes;
  const std::string bytes = read_at(file, record_begin, kZip64EndBytes + kZip64LocatorBytes);
  Fields in(file.place(), bytes, record_begin);
  in.demand_signature(kZip64EndSignature, "zip64 end record");
  in.demand(8, kZip64EndBytes - 12, "size of the zip64 end record");
  in.u32("versions");
  in.demand(4, 0, "number of this disk");
  in.demand(4, 0, "disk of the central directory");
  Directory directory{};
  directory.entries = in.u64("entries");
  in.demand(8, directory.entries, "entries in total");
  directory.bytes = in.u64("size of the central directory");
  directory.begin = in.u64("offset of the central directory");
  in.demand_signature(kZip64LocatorSignature, "zip64 locator");
  in.demand(4, 0, "disk of the zip64 end record");
  in.demand(8, record_begin, "offset of the zip64 end record");
  in.demand(4, 1, "number of disks");
  return directory;
}

bool has_zip64_end(const InputFile& file, std::uint64_t end) {
  if (end < kZip64LocatorBytes + kZip64EndBytes) return false;
  const std::string bytes = read_at(file, end - kZip64LocatorBytes, 4);
  return Fields(file.place(), bytes, 0).u32("signature") == kZip64LocatorSignature;
}

Directory read_end(const InputFile& file, const Limits& limits) {
  if (file.size() < kEndBytes) {
    throw FormatError(file.place(), "zip file", "at least 22 bytes", std::to_string(file.size()));
  }
  const std::uint64_t end = file.size() - kEndBytes;
  const std::string bytes = read_at(file, end, kEndBytes);
  Fields in(file.place(), bytes, end);
  in.demand_signature(kEndSignature, "end record of the zip file");
  in.demand(2, 0, "number of this disk");
  in.demand(2, 0, "disk of the central directory");
  const bool zip64 = has_zip64_end(file, end);
  Directory directory = zip64 ? read_zip64_end(file, end) : Directory{};
  // The end record repeats what the zip64 one says, or has all bits set where that is too large.
  const auto repeat = [&](std::size_t size, std::uint64_t& value, const char* what) {
    const std::uint64_t all_set = (std::uint64_t{1} << (8 * size)) - 1;
    const std::uint64_t got = in.number(size, what);
    if (!zip64) value = got;
    if (got == value || (zip64 && got == all_set)) return;
    in.refuse(what, std::to_string(value), std::to_string(got), size);
  };
  repeat(2, directory.entries, "entries");
  std::uint64_t in_total = directory.entries;
  repeat(2, in_total, "entries in total");
  if (in_total != directory.entries) {
    in.refuse("entries in total", std::to_string(directory.entries), std::to_string(in_total), 2);
  }
  repeat(4, directory.bytes, "size of the central directory");
  repeat(4, directory.begin, "offset of the central directory");
  in.demand(2, 0, "length of the comment");

  const std::uint64_t directory_end = zip64 ? end - kZip64LocatorBytes - kZip64EndBytes : end;
  if (directory.begin > directory_end || directory.bytes != directory_end - directory.begin) {
    throw FormatError(file.place(),
                      "byte " + std::to_string(directory.begin) + ": central directory",
                      "to end at byte " + std::to_string(directory_end),
                      std::to_string(directory.bytes) + " bytes");
  }
  if (directory.bytes > limits.listing_bytes) {
    throw LimitError(file.place(), "size of the central directory",
                     "at most " + std::to_string(limits.listing_bytes) + " bytes",
                     std::to_string(directory.bytes) + " bytes");
  }
  if (directory.entries > directory.bytes / kCentralBytes) {
    throw FormatError(file.place(), "byte " + std::to_string(end) + ": entries",
                      "at most " + std::to_string(directory.bytes / kCentralBytes) +
                          ", what the central directory has room for",
                      std::to_string(directory.entries));
  }
  if (directory.entries > limits.tensors) {
    throw LimitError(file.place(), "entries", "at most " + std::to_string(limits.tensors),
                     std::to_string(directory.entries));
  }
  return directory;
}

/// A relative path without `.`, `..` or empty parts.
bool is_harmless(std::string_view name) {
  if (name.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

/// Takes from the extra fields the numbers that the header leaves to zip64, in their order.
void read_extra(Fields extra, std::initializer_list<std::uint64_t*> numbers) {
  bool seen = false;
  while (extra.left() > 0) {
    const std::uint32_t id = extra.u16("extra field");
    const std::uint32_t size = extra.u16("size of the extra field");
    const std::uint64_t begin = extra.offset();
    if (size > extra.left()) {
      extra.refuse("extra field", std::to_string(size) + " bytes", std::to_string(extra.left()));
    }
    if (id != kZip64Extra) {
      extra.take(size, "extra field");
      continue;
    }
    if (seen) extra.refuse("extra field", "one zip64 field", "another");
    seen = true;
    for (std::uint64_t* const number : numbers) {
      if (*number != kInZip64) continue;
      if (extra.offset() + 8 > begin + size) {
        extra.refuse("zip64 field", "8 more bytes", std::to_string(begin + size - extra.offset()));
      }
      *number = extra.u64("zip64 field");
    }
    // What follows describes numbers that the header itself has room for.
    extra.take(static_cast<std::size_t>(begin + size - extra.offset()), "zip64 field");
  }
}

/// The numbers that both kinds of header begin with, from the flags on.
void read_common(Fields& in, Header& header) {
  header.flags = in.u16("flags");
  if ((header.flags & ~(kHasDescriptor | kNameIsUtf8)) != 0) {
    in.refuse("flags", "a plain entry", std::to_string(header.flags), 2);
  }
  const std::uint32_t method = in.u16("compression method");
  if (method != 0) {
    in.refuse("compression method", "0, a stored entry", std::to_string(method), 2);
  }
  in.u32("time");
  header.crc = in.u32("CRC-32");
  header.stored = in.u32("stored size");
  header.bytes = in.u32("size");
}

Header read_central(Fields& in) {
  Header header;
  in.demand_signature(kCentralSignature, "central header");
  in.u32("versions");
  read_common(in, header);
  const std::uint32_t name_bytes = in.u16("length of the name");
  const std::uint32_t extra_bytes = in.u16("length of the extra fields");
  in.demand(2, 0, "length of the comment");
  in.demand(2, 0, "disk of the entry");
  in.u16("attributes");
  in.u32("attributes");
  header.local = in.u32("offset of the local header");
  const std::uint64_t name_begin = in.offset();
  header.name = in.take(name_bytes, "name");
  if (!is_harmless(header.name)) {
    throw FormatError(in.place(), "byte " + std::to_string(name_begin) + ": name",
                      "a relative path without . and ..", in_quotes(header.name));
  }
  const std::uint64_t extra_begin = in.offset();
  read_extra(Fields(in.place(), in.take(extra_bytes, "extra fields"), extra_begin),
             {&header.bytes, &header.stored, &header.local});
  if (header.stored != header.bytes) {
    in.refuse("size of " + in_quotes(header.name), std::to_string(header.bytes) + " stored bytes",
              std::to_string(header.stored));
  }
  return header;
}

/// Reads an entry's local header and what follows the contents; both must say what the central
/// header says. Returns where the next entry begins.
std::uint64_t read_entry(const InputFile& file, const Header& central, std::uint64_t directory,
                         ZipArchive::Entry& entry) {
  const std::string& place = file.place();
  const std::string what = "local header of " + in_quotes(central.name);
  const auto refuse = [&](std::uint64_t at, const std::string& subject, const std::string& expected,
                          const std::string& got) {
    throw FormatError(place, "byte " + std::to_string(at) + ": " + subject, expected, got);
  };
  if (central.local > directory || directory - central.local < kLocalBytes) {
    refuse(central.local, what, "30 bytes before the central directory",
           std::to_string(directory - std::min(directory, central.local)));
  }
  const std::string bytes = read_at(file, central.local, kLocalBytes);
  Fields in(place, bytes, central.local);
  Header local;
  in.demand_signature(kLocalSignature, "local header");
  in.u16("version");
  read_common(in, local);
  const std::uint64_t name_bytes = in.u16("length of the name");
  const std::uint64_t extra_bytes = in.u16("length of the extra fields");
  const std::uint64_t name_begin = in.offset();
  if (name_bytes + extra_bytes > directory - name_begin) {
    refuse(name_begin, what, "to end before the central directory",
           std::to_string(name_bytes + extra_bytes) + " bytes");
  }
  const std::string rest = read_at(file, name_begin, name_bytes + extra_bytes);
  Fields names(place, rest, name_begin);
  local.name = names.take(name_bytes, "name");
  read_extra(Fields(place, names.take(extra_bytes, "extra fields"), name_begin + name_bytes),
             {&local.bytes, &local.stored});

  if (local.name != central.name) {
    refuse(name_begin, "name in the local header", in_quotes(central.name), in_quotes(local.name));
  }
  const auto agree = [&](const char* field, std::uint64_t expected, std::uint64_t got) {
    const bool later = (central.flags & kHasDescriptor) != 0 && got == 0;
    if (got == expected || later) return;
    refuse(central.local, what,
           std::string(field) + " " + std::to_string(expected) + " as in the central header",
           std::to_string(got));
  };
  if (local.flags != central.flags) {
    refuse(central.local, what,
           "flags " + std::to_string(central.flags) + " as in the central header",
           std::to_string(local.flags));
  }
  agree("CRC-32", central.crc, local.crc);
  agree("stored size", central.stored, local.stored);
  agree("size", central.bytes, local.bytes);

  entry.begin = name_begin + name_bytes + extra_bytes;
  entry.bytes = central.bytes;
  entry.crc = static_cast<std::uint32_t>(central.crc);
  if (entry.bytes > directory - entry.begin) {
    refuse(entry.begin, "contents of " + in_quotes(central.name),
           std::to_string(entry.bytes) + " bytes before the central directory",
           std::to_string(directory - entry.begin));
  }
  const std::uint64_t end = entry.begin + entry.bytes;
  if ((central.flags & kHasDescriptor) == 0) return end;

  constexpr std::uint64_t kShort = 16;
  constexpr std::uint64_t kLong = 24;
  const std::string descriptor = read_at(file, end, std::min(kLong, directory - end));
  for (const std::uint64_t size : {kShort, kLong}) {
    if (descriptor.size() < size) continue;
    Fields after(place, descriptor, end);
    const std::size_t number = size == kShort ? 4 : 8;
    if (after.u32("signature") == kDescriptorSignature && after.u32("CRC-32") == central.crc &&
        after.number(number, "stored size") == central.stored &&
        after.number(number, "size") == central.bytes) {
      return end + size;
    }
  }
  refuse(end, "descriptor of " + in_quotes(central.name), "what the central header says",
         in_quotes(descriptor.substr(0, kShort)));
  return end;
}

}  // namespace

ZipArchive::ZipArchive(const InputFile& file, const Limits& limits) : file_(file) {
  const Directory directory = read_end(file, limits);
  const std::string bytes = read_at(file, directory.begin, directory.bytes);
  Fields in(file.place(), bytes, directory.begin);
  std::map<std::uint64_t, Header> by_offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const std::uint64_t begin = in.offset();
    Header header = read_central(in);
    if (!entries_.try_emplace(header.name).second) {
      throw FormatError(file.place(), "byte " + std::to_string(begin) + ": central header",
                        "every name once", in_quotes(header.name) + " again");
    }
    const std::uint64_t local = header.local;
    if (!by_offset.try_emplace(local, std::move(header)).second) {
      throw FormatError(file.place(), "byte " + std::to_string(begin) + ": central header",
                        "an entry of its own",
                        "the local header at byte " + std::to_string(local) + " again");
    }
  }
  if (in.left() > 0) {
    in.refuse("central directory", std::to_string(directory.entries) + " entries", "more bytes");
  }
  std::uint64_t end = 0;
  for (const auto& [local, header] : by_offset) {
    if (local != end) {
      throw FormatError(file.place(), "byte " + std::to_string(end) + ": entries",
                        "the local header of " + in_quotes(header.name),
                        "one at byte " + std::to_string(local));
    }
    end = read_entry(file, header, directory.begin, entries_[header.name]);
  }
  if (end != directory.begin) {
    throw FormatError(file.place(), "byte " + std::to_string(end) + ": entries",
                      "the central directory", "one at byte " + std::to_string(directory.begin));
  }
}

std::string ZipArchive::read(const std::string& name, std::uint64_t max_bytes) const {
  const Entry& entry = entries_.at(name);
  if (entry.bytes > max_bytes) {
    throw LimitError(file_.place(), "size of " + in_quotes(name),
                     "at most " + std::to_string(max_bytes) + " bytes",
                     std::to_string(entry.bytes) + " bytes");
  }
  std::string contents = read_at(file_, entry.begin, entry.bytes);
  const std::uint32_t got = crc32(0, contents.data(), contents.size());
  if (got != entry.crc) refuse_crc(file_.place(), name, entry.begin, entry.crc, got);
  return contents;
}

void refuse_crc(const std::string& place, const std::string& name, std::uint64_t begin,
                std::uint32_t expected, std::uint32_t got) {
  throw FormatError(place, "byte " + std::to_string(begin) + ": contents of " + in_quotes(name),
                    "CRC-32 " + std::to_string(expected), std::to_string(got));
}

}  // namespace bridgetower::detail
