// Zip files: what torch.save writes is read, whatever two readers could take differently is not.
#include <gtest/gtest.h>

#include <bridgetower/io/torch_checkpoint.hpp>
#include <functional>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::patched;
using testing::TemporaryDirectory;
using testing::torch_entries;
using testing::zip_file;
using testing::ZipEntry;
using testing::ZipFile;
using testing::ZipStyle;

const std::string kFloats = bytes_of(0x3F800000, 4) + bytes_of(0x40000000, 4);  // 1, 2

/// One tensor "a" [2] of the values 1 and 2.
std::vector<ZipEntry> entries() {
  namespace p = testing::pickle;
  return torch_entries(p::dict({{"a", p::tensor(p::storage("0", 2), 0, {2}, {1})}}), {kFloats});
}

std::vector<float> values_of_a(const TemporaryDirectory& directory) {
  std::vector<float> values(2);
  TorchCheckpoint(directory.path() / "x.bin").read("a", 0, 2, values.data());
  return values;
}

TEST(ZipArchive, ReadsEveryStyleOfHeader) {
  const TemporaryDirectory directory;
  for (const ZipStyle style : {ZipStyle::kTorch, ZipStyle::kPlain, ZipStyle::kZip64}) {
    directory.write("x.bin", zip_file(entries(), style).bytes);
    EXPECT_EQ(values_of_a(directory), (std::vector<float>{1, 2}));
  }
  auto padded = entries();
  padded[2].extra = "FB" + bytes_of(7, 2) + "ZZZZZZZ";
  directory.write("x.bin", zip_file(padded).bytes);
  EXPECT_EQ(values_of_a(directory), (std::vector<float>{1, 2}));
}

/// A broken file and what it is refused with, behind the path.
struct Case {
  std::string bytes;
  std::string message;
};

void expect_refused(const std::vector<Case>& cases) {
  const TemporaryDirectory directory;
  for (const Case& broken : cases) {
    SCOPED_TRACE(broken.message);
    const auto path = directory.write("x.bin", broken.bytes);
    expect_error(ErrorCode::kFormat, path.string() + ": " + broken.message,
                 [&] { TorchCheckpoint opened(path); });
  }
}

std::string at(std::size_t offset) { return "byte " + std::to_string(offset) + ": "; }

TEST(ZipArchive, RefusesABrokenEnd) {
  const ZipFile zip = zip_file(entries());
  const std::string& good = zip.bytes;
  const auto end = [&](std::size_t offset, const std::string& bytes) {
    return patched(good, zip.end + offset, bytes);
  };
  const auto end64 = [&](std::size_t offset, const std::string& bytes) {
    return patched(good, zip.zip64_end + offset, bytes);
  };
  const auto locator = [&](std::size_t offset, const std::string& bytes) {
    return patched(good, zip.locator + offset, bytes);
  };
  const std::size_t directory = zip.central[0];
  const std::string bytes = std::to_string(zip.zip64_end - directory);
  expect_refused({
      {"PK\x03\x04", "zip file: expected at least 22 bytes, got 4"},
      {good.substr(0, good.size() - 1),
       at(zip.end - 1) + "end record of the zip file: expected \"PK\\x05\\x06\", got " +
           "\"\\x00PK\\x05\""},
      {good + "?", at(zip.end + 1) + "end record of the zip file: expected \"PK\\x05\\x06\", got " +
                       "\"K\\x05\\x06\\x00\""},
      {end(4, bytes_of(1, 2)), at(zip.end + 4) + "number of this disk: expected 0, got 1"},
      {end(6, bytes_of(1, 2)),
       at(zip.end + 6) + "disk of the central directory: expected 0, got 1"},
      {end(8, bytes_of(3, 2)), at(zip.end + 8) + "entries: expected 4, got 3"},
      {end(10, bytes_of(5, 2)), at(zip.end + 10) + "entries in total: expected 4, got 5"},
      {end(12, bytes_of(1, 4)),
       at(zip.end + 12) + "size of the central directory: expected " + bytes + ", got 1"},
      {end(16, bytes_of(1, 4)), at(zip.end + 16) + "offset of the central directory: expected " +
                                    std::to_string(directory) + ", got 1"},
      {end(20, bytes_of(1, 2)), at(zip.end + 20) + "length of the comment: expected 0, got 1"},
      {end64(0, "PK\x06\x07"),
       at(zip.zip64_end) + "zip64 end record: expected \"PK\\x06\\x06\", got \"PK\\x06\\x07\""},
      {end64(4, bytes_of(45, 8)),
       at(zip.zip64_end + 4) + "size of the zip64 end record: expected 44, got 45"},
      {end64(16, bytes_of(1, 4)),
       at(zip.zip64_end + 16) + "number of this disk: expected 0, got 1"},
      {end64(24, bytes_of(9, 8)), at(zip.zip64_end + 32) + "entries in total: expected 9, got 4"},
      {end64(40, bytes_of(1, 8)),
       at(zip.end + 12) + "size of the central directory: expected 1, got " + bytes},
      {locator(4, bytes_of(1, 4)),
       at(zip.locator + 4) + "disk of the zip64 end record: expected 0, got 1"},
      {locator(8, bytes_of(7, 8)), at(zip.locator + 8) +
                                       "offset of the zip64 end record: expected " +
                                       std::to_string(zip.zip64_end) + ", got 7"},
      {locator(16, bytes_of(2, 4)), at(zip.locator + 16) + "number of disks: expected 1, got 2"},
  });
}

TEST(ZipArchive, RefusesHugeCounts) {
  const ZipFile zip = zip_file(entries(), ZipStyle::kPlain);
  const auto end = [&](std::size_t offset, const std::string& bytes) {
    return patched(zip.bytes, zip.end + offset, bytes);
  };
  const std::size_t directory = zip.central[0];
  expect_refused({
      {end(8, bytes_of(0xFFFFFFFF, 4)),
       at(zip.end) + "entries: expected at most 4, what the central directory has room for, " +
           "got 65535"},
      {end(12, bytes_of(0xFFFFFFFF, 4)), at(directory) +
                                             "central directory: expected to end at byte " +
                                             std::to_string(zip.end) + ", got 4294967295 bytes"},
      {end(16, bytes_of(0xFFFFFFFF, 4)),
       "byte 4294967295: central directory: expected to end at "
       "byte " +
           std::to_string(zip.end) + ", got " + std::to_string(zip.end - directory) + " bytes"},
      {end(8, bytes_of(3, 2) + bytes_of(3, 2)),
       at(zip.central[3]) + "central directory: expected 3 " + "entries, got more bytes"},
  });
}

TEST(ZipArchive, RefusesBrokenCentralHeaders) {
  const ZipFile zip = zip_file(entries());
  const std::size_t second = zip.central[1];
  const auto central = [&](std::size_t offset, const std::string& bytes) {
    return patched(zip.bytes, second + offset, bytes);
  };
  const auto renamed = [](const std::string& name) {
    auto all = entries();
    all[1].name = name;
    return zip_file(all);
  };
  const auto refused_name = [&](const std::string& name, const std::string& quoted) {
    const ZipFile file = renamed(name);
    return Case{file.bytes, at(file.central[1] + 46) +
                                "name: expected a relative path without . and .., got " + quoted};
  };
  const ZipFile twice = renamed("x/data.pkl");
  expect_refused({
      {central(0, "PK\x01\x03"),
       at(second) + "central header: expected \"PK\\x01\\x02\", got \"PK\\x01\\x03\""},
      {central(8, bytes_of(0x0809, 2)), at(second + 8) + "flags: expected a plain entry, got 2057"},
      {central(10, bytes_of(8, 2)),
       at(second + 10) + "compression method: expected 0, a stored entry, got 8"},
      {central(20, bytes_of(5, 4)),
       at(second + 57) + "size of \"x/byteorder\": expected 6 stored bytes, got 5"},
      {central(28, bytes_of(0xFFFF, 2)), at(second + 46) + "name: expected 65535 bytes, got " +
                                             std::to_string(zip.zip64_end - second - 46)},
      {central(32, bytes_of(3, 2)), at(second + 32) + "length of the comment: expected 0, got 3"},
      {central(34, bytes_of(1, 2)), at(second + 34) + "disk of the entry: expected 0, got 1"},
      {central(42, bytes_of(0, 4)),
       at(second) + "central header: expected an entry of its own, got the local header at byte 0 "
                    "again"},
      {central(42, bytes_of(0x7FFFFFFF, 4)),
       at(zip.local[1]) + "entries: expected the local header of \"x/data/0\", got one at byte " +
           std::to_string(zip.local[2])},
      {twice.bytes,
       at(twice.central[1]) + "central header: expected every name once, got \"x/data.pkl\" again"},
      refused_name("/etc/passwd", "\"/etc/passwd\""),
      refused_name("x/../../evil", "\"x/../../evil\""),
      refused_name("x/./data/0", "\"x/./data/0\""),
      refused_name("x//data", "\"x//data\""),
      refused_name("x/folder/", "\"x/folder/\""),
      refused_name("x\\data", "\"x\\\\data\""),
      refused_name(std::string("x/a\0b", 5), "\"x/a\\x00b\""),
      refused_name("", "\"\""),
  });
}

TEST(ZipArchive, RefusesLocalHeadersThatSaySomethingElse) {
  const ZipFile zip = zip_file(entries());
  const std::size_t second = zip.local[1];
  const auto local = [&](std::size_t offset, const std::string& bytes) {
    return patched(zip.bytes, second + offset, bytes);
  };
  const std::string header = at(second) + "local header of \"x/byteorder\": expected ";
  const std::string crc = std::to_string(testing::slow_crc32("little"));
  auto gap = entries();
  gap[0].contents += std::string(64, '.');  // room to move the next header into
  const ZipFile roomy = zip_file(gap);
  auto bad_extra = entries();
  bad_extra[1].extra = "FB" + bytes_of(9, 2) + "ZZ";
  const ZipFile extra = zip_file(bad_extra);
  ZipFile short64 = zip_file(entries(), ZipStyle::kZip64);
  short64.bytes = patched(short64.bytes, short64.central[0] + 46 + 10 + 2, bytes_of(20, 2));
  expect_refused({
      {local(0, "PK\x03\x05"),
       at(second) + "local header: expected \"PK\\x03\\x04\", got \"PK\\x03\\x05\""},
      {local(6, bytes_of(8, 2)), header + "flags 2056 as in the central header, got 8"},
      {local(8, bytes_of(8, 2)),
       at(second + 8) + "compression method: expected 0, a stored entry, got 8"},
      {local(14, bytes_of(1, 4)), header + "CRC-32 " + crc + " as in the central header, got 1"},
      {local(18, bytes_of(7, 4)), header + "stored size 6 as in the central header, got 7"},
      {local(22, bytes_of(7, 4)), header + "size 6 as in the central header, got 7"},
      {local(33, "b"), at(second + 30) +
                           "name in the local header: expected \"x/byteorder\", got " +
                           "\"x/bbteorder\""},
      {local(26, bytes_of(0xFFFF, 2)), at(second + 30) + "local header of \"x/byteorder\": " +
                                           "expected to end before the central directory, got " +
                                           "65535 bytes"},
      {patched(zip.bytes, zip.descriptors[1], "PK\x07\x09"),
       at(zip.descriptors[1]) + "descriptor of \"x/byteorder\": expected what the central header " +
           "says, got \"PK\\x07\\x09\\x85=\\xe3\\x19\\x06\\x00\\x00\\x00\\x06\\x00\\x00\\x00\""},
      {patched(zip.bytes, zip.descriptors[1] + 8, bytes_of(5, 4)),
       at(zip.descriptors[1]) + "descriptor of \"x/byteorder\": expected what the central header " +
           "says, got \"PK\\x07\\x08\\x85=\\xe3\\x19\\x05\\x00\\x00\\x00\\x06\\x00\\x00\\x00\""},
      {patched(roomy.bytes, roomy.central[0] + 20, bytes_of(1, 4) + bytes_of(1, 4)),
       at(roomy.contents[0] + 1) +
           "descriptor of \"x/data.pkl\": expected what the central header " +
           "says, got \"\\x02}(X\\x01\\x00\\x00\\x00actorch.\""},
      {patched(zip.bytes, zip.central[3] + 20, bytes_of(0x70000000, 4) + bytes_of(0x70000000, 4)),
       at(zip.contents[3]) + "contents of \"x/version\": expected 1879048192 bytes before the " +
           "central directory, got " + std::to_string(zip.central[0] - zip.contents[3])},
      {extra.bytes, at(extra.contents[1] - 2) + "extra field: expected 9 bytes, got 2"},
      {short64.bytes,
       at(short64.central[0] + 46 + 10 + 20) + "zip64 field: expected 8 more bytes, got 4"},
  });
}

TEST(ZipArchive, RefusesOtherContents) {
  const ZipFile zip = zip_file(entries());
  const std::string pickle = entries()[0].contents;
  std::string other = zip.bytes;
  ++other[zip.contents[0] + 9];
  std::string changed = pickle;
  ++changed[9];
  const auto with = [](std::size_t index, const ZipEntry& entry) {
    auto all = entries();
    all[index] = entry;
    return zip_file(all);
  };
  const ZipFile big = with(1, {"x/byteorder", "big"});
  const ZipFile version = with(3, {"x/version", "11\n"});
  const ZipFile script = with(1, {"x/code/__torch__.py", "def forward(self)"});
  const ZipFile outside = with(1, {"y/byteorder", "little"});
  expect_refused({
      {other, at(zip.contents[0]) + "contents of \"x/data.pkl\": expected CRC-32 " +
                  std::to_string(testing::slow_crc32(pickle)) + ", got " +
                  std::to_string(testing::slow_crc32(changed))},
      {big.bytes, at(big.contents[1]) + "\"x/byteorder\": expected \"little\", got \"big\""},
      {version.bytes,
       at(version.contents[3]) + "\"x/version\": expected a version from 1 to 10, got \"11\\x0a\""},
      {script.bytes, at(script.contents[1]) +
                         "entry \"x/code/__torch__.py\": expected the entries " +
                         "of a dictionary of tensors, got another"},
      {outside.bytes, at(outside.contents[1]) +
                          "entry \"y/byteorder\": expected the entries of a " +
                          "dictionary of tensors, got another"},
      {zip_file({{"x/version", "3\n"}}).bytes,
       "entries of the zip file: expected data.pkl in one folder, got none"},
      {zip_file({{"x/data.pkl", pickle}}).bytes,
       "entries of the zip file: expected \"x/version\", got none"},
      {zip_file({}).bytes, "entries of the zip file: expected data.pkl in one folder, got none"},
  });
}

TEST(ZipArchive, RefusesALargeDirectory) {
  const TemporaryDirectory directory;
  const ZipFile zip = zip_file(entries(), ZipStyle::kPlain);
  const auto path = directory.write("x.bin", zip.bytes);
  std::filesystem::resize_file(path, zip.bytes.size() + (65 << 20));
  // An end record after 65 MiB of nothing, which it calls the central directory.
  const std::uint64_t begin = zip.central[0];
  const std::uint64_t end = zip.bytes.size() + (65 << 20);
  std::ofstream(path, std::ios::binary | std::ios::app)
      << "PK\x05\x06" + bytes_of(0, 4) + bytes_of(0x00040004, 4) + bytes_of(end - begin, 4) +
             bytes_of(begin, 4) + bytes_of(0, 2);
  expect_error(ErrorCode::kLimit,
               path.string() +
                   ": size of the central directory: expected at most 67108864 bytes, "
                   "got " +
                   std::to_string(end - begin) + " bytes",
               [&] { TorchCheckpoint opened(path); });
}

}  // namespace
}  // namespace bridgetower
