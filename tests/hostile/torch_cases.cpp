#include <algorithm>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <vector>

#include "tests/hostile/hostile.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower::hostile {
namespace {

namespace p = testing::pickle;
using testing::bytes_of;
using testing::patched;
using testing::torch_entries;
using testing::zip_file;
using testing::ZipEntry;
using testing::ZipFile;
using testing::ZipStyle;
constexpr ErrorCode kFormat = ErrorCode::kFormat;

std::string read_torch(const std::string& bytes) {
  constexpr std::int64_t kMost = 256;
  float values[kMost];
  const TorchCheckpoint file(put("model.bin", bytes));
  const std::vector<std::string> names = file.names();
  for (const std::string& name : names) {
    file.read(name, 0, std::min(kMost, element_count(file.find(name)->shape)), values);
  }
  return std::to_string(names.size()) + " tensors";
}

std::string good_pickle() { return p::dict({{"a", p::tensor(p::storage("0", 2), 0, {2}, {1})}}); }

std::vector<ZipEntry> good_entries() { return torch_entries(good_pickle(), {"12345678"}); }

ZipFile good_zip(ZipStyle style = ZipStyle::kTorch) { return zip_file(good_entries(), style); }

/// A zip file of which one entry is another.
std::string with_entry(std::size_t index, const ZipEntry& entry) {
  auto entries = good_entries();
  entries[index] = entry;
  return zip_file(entries).bytes;
}

void add_zip_ends(Cases& cases) {
  const ZipFile zip = good_zip();
  const auto end = [&](const std::string& name, std::size_t offset, const std::string& bytes,
                       const std::string& message) {
    cases.refused(name, patched(zip.bytes, zip.end + offset, bytes), kFormat, message);
  };
  const auto end64 = [&](const std::string& name, std::size_t offset, const std::string& bytes,
                         const std::string& message) {
    cases.refused(name, patched(zip.bytes, zip.zip64_end + offset, bytes), kFormat, message);
  };
  cases.refused("two letters", "PK", kFormat, "zip file: expected at least 22 bytes, got 2");
  cases.refused("the last byte missing", zip.bytes.substr(0, zip.bytes.size() - 1), kFormat,
                "end record of the zip file: expected \"PK\\x05\\x06\"");
  cases.refused("a byte behind the end", zip.bytes + "?", kFormat, "end record of the zip file");
  cases.refused("a second archive behind the first", zip.bytes + zip.bytes, kFormat, "byte ");
  cases.refused("a program in front", "#!/bin/sh\n" + zip.bytes, kFormat, "file format");
  end("another disk", 4, bytes_of(1, 2), "number of this disk: expected 0, got 1");
  end("fewer entries than there are", 8, bytes_of(3, 2), "entries: expected 4, got 3");
  end("a comment", 20, bytes_of(1, 2), "length of the comment: expected 0, got 1");
  end("another size of the directory", 12, bytes_of(1, 4), "size of the central directory");
  end64("2^64 - 1 entries", 24, bytes_of(~std::uint64_t{0}, 8) + bytes_of(~std::uint64_t{0}, 8),
        "entries");
  end64("a directory of 2^64 - 1 bytes", 40, bytes_of(~std::uint64_t{0}, 8), "central directory");
  end64("a directory that begins at 2^64 - 1", 48, bytes_of(~std::uint64_t{0}, 8),
        "central directory");
  end64("a zip64 record of 2^63 bytes", 4, bytes_of(std::uint64_t{1} << 63, 8),
        "size of the zip64 end record");
  cases.refused("a zip64 locator that leads elsewhere",
                patched(zip.bytes, zip.locator + 8, bytes_of(7, 8)), kFormat,
                "offset of the zip64 end record");
}

void add_zip_entries(Cases& cases) {
  const ZipFile zip = good_zip();
  const auto central = [&](const std::string& name, std::size_t offset, const std::string& bytes,
                           const std::string& message) {
    cases.refused(name, patched(zip.bytes, zip.central[1] + offset, bytes), kFormat, message);
  };
  const auto local = [&](const std::string& name, std::size_t offset, const std::string& bytes,
                         const std::string& message) {
    cases.refused(name, patched(zip.bytes, zip.local[1] + offset, bytes), kFormat, message);
  };
  central("an encrypted entry", 8, bytes_of(0x0809, 2), "flags: expected a plain entry");
  central("a compressed entry", 10, bytes_of(8, 2), "expected 0, a stored entry, got 8");
  central("an unknown compression", 10, bytes_of(99, 2), "expected 0, a stored entry, got 99");
  central("an entry that shrinks", 20, bytes_of(5, 4), "expected 6 stored bytes, got 5");
  central("a name beyond the directory", 28, bytes_of(0xFFFF, 2), "name: expected 65535 bytes");
  central("two entries with one local header", 42, bytes_of(0, 4),
          "the local header at byte 0 again");
  central("a local header behind the file", 42, bytes_of(0x7FFFFFFF, 4), "entries: expected");
  local("another name in the local header", 33, "b", "name in the local header");
  local("another size in the local header", 22, bytes_of(7, 4), "size 6 as in the central header");
  local("another CRC-32 in the local header", 14, bytes_of(1, 4), "CRC-32");
  local("a local name beyond the file", 26, bytes_of(0xFFFF, 2),
        "to end before the central directory");
  cases.refused("a descriptor that says something else",
                patched(zip.bytes, zip.descriptors[1] + 8, bytes_of(5, 4)), kFormat, "descriptor");
  cases.refused("entries that overlap",
                patched(zip.bytes, zip.central[0] + 20, bytes_of(1, 4) + bytes_of(1, 4)), kFormat,
                "byte ");
  cases.refused(
      "an entry of 1.9 GB in a file of 1 KB",
      patched(zip.bytes, zip.central[3] + 20, bytes_of(0x70000000, 4) + bytes_of(0x70000000, 4)),
      kFormat, "expected 1879048192 bytes before the central directory");
  ZipFile zip64 = good_zip(ZipStyle::kZip64);
  cases.refused("a zip64 field too short for its numbers",
                patched(zip64.bytes, zip64.central[0] + 46 + 10 + 2, bytes_of(20, 2)), kFormat,
                "zip64 field: expected 8 more bytes, got 4");
  cases.refused("a zip64 field that says 2^64 - 1 bytes",
                patched(zip64.bytes, zip64.central[0] + 46 + 10 + 4,
                        bytes_of(~std::uint64_t{0}, 8) + bytes_of(~std::uint64_t{0}, 8)),
                kFormat, "x/data.pkl");
  std::string damaged = zip.bytes;
  damaged[zip.contents[0] + 9] ^= 1;
  cases.refused("a pickle with a wrong CRC-32", damaged, kFormat,
                "contents of \"x/data.pkl\": expected CRC-32");
  damaged = zip.bytes;
  damaged[zip.contents[2]] ^= 1;
  cases.refused("a storage with a wrong CRC-32", damaged, kFormat,
                "contents of \"x/data/0\": expected CRC-32");
}

void add_zip_names(Cases& cases) {
  const auto name = [&](const std::string& what, const std::string& text) {
    cases.refused(what, with_entry(1, {text, "little"}), kFormat,
                  "name: expected a relative path without . and ..");
  };
  name("an entry outside", "x/../../evil");
  name("an absolute entry", "/etc/passwd");
  name("an entry with a backslash", "x\\..\\evil");
  name("an entry with a zero byte", std::string("x/a\0b", 5));
  name("an entry without a name", "");
  cases.refused("a program beside the tensors",
                with_entry(1, {"x/code/__torch__.py", "def forward(self)"}), kFormat,
                "expected the entries of a dictionary of tensors, got another");
  cases.refused("an entry twice", with_entry(1, {"x/data.pkl", good_pickle()}), kFormat,
                "every name once, got \"x/data.pkl\" again");
  cases.refused("big-endian numbers", with_entry(1, {"x/byteorder", "big"}), kFormat,
                "expected \"little\", got \"big\"");
  cases.refused("a version from the future", with_entry(3, {"x/version", "11\n"}), kFormat,
                "a version from 1 to 10");
  cases.refused(
      "a version of a megabyte",
      [] {
        return with_entry(3, {"x/version", std::string(1 << 20, '3')});
      },
      ErrorCode::kLimit, "at most 64 bytes, got 1048576 bytes");
  cases.refused("no entries", zip_file({}).bytes, kFormat, "data.pkl in one folder, got none");
  cases.refused("no pickle", zip_file({{"x/version", "3\n"}}).bytes, kFormat,
                "data.pkl in one folder, got none");
}

/// The pickle in an archive with a storage of six floats.
std::string read_pickle(const std::string& pickle) {
  return read_torch(zip_file(torch_entries(pickle, {std::string(24, '\0')})).bytes);
}

void add_pickle_code(Cases& cases) {
  const std::string call = p::tuple(p::text("touch /tmp/owned")) + "R.";
  const auto global = [&](const std::string& module, const std::string& function) {
    cases.refused("calls " + module + "." + function, p::proto() + p::name(module, function) + call,
                  kFormat, "GLOBAL: expected OrderedDict");
  };
  global("os", "system");
  global("posix", "system");
  global("nt", "system");
  global("builtins", "eval");
  global("builtins", "exec");
  global("builtins", "__import__");
  global("__builtin__", "getattr");
  global("subprocess", "Popen");
  global("shutil", "rmtree");
  global("socket", "create_connection");
  global("pickle", "loads");
  global("torch", "load");
  global("torch.hub", "load");
  global("torch._utils", "_rebuild_sparse_tensor");
  global("torch.storage", "_load_from_bytes");
  global("numpy.core.multiarray", "_reconstruct");
  global("collections", "OrderedDict.__init__");
  const auto opcode = [&](const std::string& name, const std::string& text,
                          const std::string& message) {
    cases.refused(name, p::proto() + text, kFormat, message);
  };
  opcode("a class of the old kind", "(" + p::text("id") + "ios\nsystem\n.", "\"os.system\"");
  opcode("a name from the stack", p::text("os") + p::text("system") + "\x93.", "\"os.system\"");
  opcode("an object made by NEWOBJ", ")\x81.", "got NEWOBJ");
  opcode("an object made by NEWOBJ_EX", "))}\x92.", "got NEWOBJ_EX");
  opcode("an object made by OBJ", "(o.", "got OBJ");
  opcode("an extension", "\x82\x01.", "got EXT1");
  opcode("an extension of four bytes", "\x84" + bytes_of(0x7FFFFFFF, 4) + ".", "got EXT4");
  opcode("a persistent id in text", "Pos.system\n.", "got PERSID");
  opcode("a text that Python evaluates", "S'a'\n.", "got STRING");
  opcode("POP, which hides what was made", "N0.", "got POP");
  opcode("DUP, which doubles", "N2.", "got DUP");
  opcode("an integer of 4 GB", "\x8B" + bytes_of(0xFFFFFFFF, 4), "got LONG4");
  opcode("an opcode that does not exist", std::string(1, '\0'), "got opcode 0");
  cases.refused("protocol 5", "\x80\x05}.", kFormat, "expected protocol 2, got 5");
  cases.refused("protocol 0", "(dp0\n.", kFormat, "expected PROTO, got MARK");
  cases.refused("nothing", "", kFormat, "expected another opcode, got the end of the pickle");
  cases.refused("a second pickle behind the first", good_pickle() + p::proto() + "N.", kFormat,
                "the end after STOP");
}

void add_pickle_bombs(Cases& cases) {
  const auto opcode = [&](const std::string& name, const std::string& text,
                          const std::string& message) {
    cases.refused(name, p::proto() + text, kFormat, message);
  };
  opcode("a text of 4 GB", "X" + bytes_of(0xFFFFFFFF, 4) + "ab", "expected 4294967295 bytes");
  opcode("a byte string of 2 GB", "T" + bytes_of(0x7FFFFFFF, 4), "expected 2147483647 bytes");
  opcode("an integer of 255 bytes", "\x8A\xFF.", "an integer of at most 8 bytes");
  opcode("a name without an end", "cos", "expected a line after it");
  opcode("a text that is not UTF-8", p::text("\xED\xA0\x80") + ".", "expected UTF-8");
  opcode("a mark that is not there", "t.", "expected a mark, got none");
  opcode("a value below the mark", "N(\x85.", "expected a value, got none");
  opcode("an odd number of keys and values", "}(" + p::text("a") + "u.", "keys and values");
  opcode("a memo that was never put", "h\x05.", "a number that was put, got 5");
  opcode("a memo put twice", "}q\x01]q\x01.", "every number once, got 1 again");
  opcode("a dictionary in itself", "}q\x01(" + p::text("a") + "h\x01u.",
         "a tensor under \"a\", got a dictionary");
  opcode("a list in itself", "]q\x01h\x01" + std::string("a."), "a dictionary of tensors");
  opcode("two values at the end", "}N.", "one value on the stack, got 2 values");
  const auto many = [&](const std::string& name, const std::string& text) {
    cases.refused(
        name, [text] { return p::proto() + repeated(text, 2'000'000 / text.size()) + "."; },
        ErrorCode::kLimit, "expected at most ");
  };
  many("two million empty lists", "]");
  many("two million marks", "(");
  many("a million tuples in tuples", "N\x85");
  many("texts without an end", p::text("a"));
  // Each tuple is twice the one before: 2^100 values for whoever follows them.
  std::string doubled = "N";
  for (int i = 0; i < 100; ++i) {
    doubled += "q" + std::string(1, static_cast<char>(i)) + "h" +
               std::string(1, static_cast<char>(i)) + "\x86";
  }
  opcode("a tuple of 2^100 values", doubled + ".", "a dictionary of tensors, got a tuple");
  cases.refused(
      "a memo that is recalled two million times",
      [] { return p::proto() + "]q\x01(" + repeated("h\x01", 2'000'000) + "e."; },
      ErrorCode::kLimit, "expected at most ");
}

void add_pickle_tensors(Cases& cases) {
  const std::string floats = p::storage("0", 6);
  const auto tensor = [&](const std::string& name, std::uint32_t begin,
                          const std::vector<std::uint32_t>& sizes,
                          const std::vector<std::uint32_t>& strides, const std::string& message) {
    cases.refused(name, p::dict({{"a", p::tensor(floats, begin, sizes, strides)}}), kFormat,
                  message);
  };
  const std::string inside = "a view inside a storage of 6 elements";
  tensor("a tensor longer than its storage", 0, {7}, {1}, inside);
  tensor("a tensor that begins behind its storage", 7, {0}, {1}, inside);
  tensor("a stride that leaves the storage", 0, {2}, {0x7FFFFFFF}, inside);
  tensor("strides that leave it together", 0, {2, 2}, {5, 1}, inside);
  tensor("a negative size", 0, {0xFFFFFFFF}, {1}, "sizes: 0 or more, got -1");
  tensor("a negative stride", 0, {1}, {0xFFFFFFFE}, "strides: 0 or more, got -2");
  tensor("a negative offset", 0xFFFFFFFF, {1}, {1}, "storage offset: 0 or more, got -1");
  tensor("fewer strides than axes", 0, {1, 1}, {1}, "a stride for each of 2 axes, got 1");
  tensor("a product of 2^93", 0, {0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF}, {0, 0, 0},
         "sizes with a product below 2^62 bytes");
  tensor("65 axes", 0, std::vector<std::uint32_t>(65, 1), std::vector<std::uint32_t>(65, 1),
         "at most 64 axes, got 65");
  cases.refused("a storage that is not there",
                p::dict({{"a", p::tensor(p::storage("9", 6), 0, {1}, {1})}}), kFormat,
                "storage \"9\": expected an entry of 24 bytes, got none");
  cases.refused("a storage outside of the archive",
                p::dict({{"a", p::tensor(p::storage("../../0", 6), 0, {1}, {1})}}), kFormat,
                "storage \"../../0\": expected an entry");
  cases.refused("a storage longer than its entry",
                p::dict({{"a", p::tensor(p::storage("0", 7), 0, {1}, {1})}}), kFormat,
                "expected an entry of 28 bytes, got 24 bytes");
  cases.refused("a storage of two types",
                p::dict({{"a", p::tensor(floats, 0, {1}, {1})},
                         {"b", p::tensor(p::storage("0", 3, "DoubleStorage"), 0, {1}, {1})}}),
                kFormat, "storage \"0\" as before");
  cases.refused("a persistent id that is no storage",
                p::proto() + p::tuple(p::text("module")) + "Q.", kFormat,
                "a storage of 5 parts, got 1");
  cases.refused("a persistent id of another kind",
                p::proto() + p::tuple(p::text("module") + "NNNN") + "Q.", kFormat,
                "expected \"storage\", got \"module\"");
  cases.refused("a function for a storage type",
                p::proto() +
                    p::tuple(p::text("storage") + p::name("collections", "OrderedDict") +
                             p::text("0") + p::text("cpu") + p::number(6)) +
                    "Q.",
                kFormat, "a storage type, got \"collections.OrderedDict\"");
  cases.refused("hooks",
                p::proto() + p::name("torch._utils", "_rebuild_tensor_v2") +
                    p::tuple(floats + p::number(0) + p::numbers({1}) + p::numbers({1}) + "\x89" +
                             p::text("hook")) +
                    "R.",
                kFormat, "no hooks, got a string");
  cases.refused("a storage type that is called",
                p::proto() + p::name("torch", "FloatStorage") + ")R.", kFormat,
                "a function, got a storage type");
  cases.refused(
      "a tensor twice",
      p::dict({{"a", p::tensor(floats, 0, {1}, {1})}, {"a", p::tensor(floats, 0, {1}, {1})}}),
      kFormat, "every key once, got \"a\" again");
  cases.refused("an integer for a tensor", p::dict({{"a", p::number(1)}}), kFormat,
                "a tensor under \"a\", got an integer");
  cases.refused("an integer for a name",
                p::proto() + "}" + p::number(1) + p::tensor(floats, 0, {1}, {1}) + "s.", kFormat,
                "keys that are strings, got an integer");
  cases.answered("one number as 2^30", p::dict({{"a", p::tensor(floats, 0, {1U << 30}, {0})}}),
                 "1 tensors");
}

/// The layout before torch 1.6: pickles one after the other, then the storages.
const std::string kPlainBegin =
    std::string("\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03.", 21);

std::string flags(const std::string& value) {
  return p::proto() + "}" + p::text("little_endian") + value + "s.";
}

void add_plain_layout(Cases& cases) {
  const std::string empty = p::proto() + "}.";
  cases.answered("plain layout without tensors",
                 kPlainBegin + flags("\x88") + empty + p::proto() + "].", "0 tensors");
  cases.refused("plain layout cut behind its beginning", kPlainBegin, kFormat, "another opcode");
  cases.refused("plain layout of a big-endian machine", kPlainBegin + flags("\x89"), kFormat,
                "little_endian: expected True, got False");
  cases.refused("plain layout with one storage too many",
                kPlainBegin + flags("\x88") + empty + p::proto() + "]" + p::text("0") + "a.",
                kFormat, "keys: expected 0 storages, got 1");
  cases.refused("plain layout with bytes behind",
                kPlainBegin + flags("\x88") + empty + p::proto() + "].rest", kFormat,
                "the end of the file, got 4 more bytes");
  cases.refused(
      "plain layout with a megabyte of text for each of 100000 keys",
      [=] {
        return kPlainBegin + flags("\x88") + empty + p::proto() + "]" +
               p::text(std::string(1 << 20, 'x')) + "q\x01" + "(" + repeated("h\x01", 100'000) +
               "e.";
      },
      kFormat, "");
  cases.refused(
      "a thousand views of all of a megabyte",
      [] {
        constexpr std::uint32_t kCount = 1 << 18;
        std::vector<std::pair<std::string, std::string>> views;
        for (int i = 0; i < 1000; ++i) {
          views.emplace_back(std::to_string(i),
                             p::tensor(p::storage("0", kCount), 0, {2}, {kCount - 1}));
        }
        return zip_file(torch_entries(p::dict(views), {std::string(4 * kCount, '\0')})).bytes;
      },
      ErrorCode::kLimit, "views that gather at most 64 times the bytes of the file");
  cases.refused("a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", kFormat,
                "what torch.save writes, got \"version https://...\"");
  cases.refused("an empty file", "", kFormat, "what torch.save writes, got nothing");
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  cases.refused("a tar archive", tar, kFormat, "got a tar archive");
}

}  // namespace

std::vector<Case> zip_cases() {
  Cases cases("zip", read_torch);
  add_zip_ends(cases);
  add_zip_entries(cases);
  add_zip_names(cases);
  add_plain_layout(cases);
  return cases.take();
}

std::vector<Case> pickle_cases() {
  Cases cases("pickle", read_pickle);
  add_pickle_code(cases);
  add_pickle_bombs(cases);
  add_pickle_tensors(cases);
  return cases.take();
}

}  // namespace bridgetower::hostile
