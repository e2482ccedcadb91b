// Files of torch.save: the values are those that safetensors holds, and a damaged file is an error.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <cstring>
#include <thread>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
namespace p = testing::pickle;

using testing::bytes_of;
using testing::expect_error;
using testing::read_all;
using testing::TemporaryDirectory;
using testing::torch_entries;
using testing::zip_file;
using testing::ZipFile;

const std::string kData = testing::test_data() + "/torch/";

std::string stored(const TensorFile& file, const std::string& name, std::int64_t first,
                   std::int64_t count) {
  std::string bytes(static_cast<std::size_t>(count) * size_of(file.find(name)->dtype), '?');
  file.read_stored(name, first, count, bytes.data());
  return bytes;
}

std::string stored(const TensorFile& file, const std::string& name) {
  return stored(file, name, 0, element_count(file.find(name)->shape));
}

void expect_equal(const TensorFile& got, const TensorFile& expected) {
  ASSERT_EQ(got.names(), expected.names());
  for (const std::string& name : expected.names()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(got.find(name)->dtype, expected.find(name)->dtype);
    EXPECT_EQ(got.find(name)->shape, expected.find(name)->shape);
    EXPECT_EQ(stored(got, name), stored(expected, name));
  }
}

TEST(TorchCheckpoint, ReadsEveryLayoutOfTorchSave) {
  const SafetensorsFile expected(kData + "layouts.safetensors");
  expect_equal(TorchCheckpoint(kData + "layouts.bin"), expected);
  expect_equal(TorchCheckpoint(kData + "plain.bin"), expected);
  expect_equal(TorchCheckpoint(kData + "module.bin"),
               SafetensorsFile(kData + "module.safetensors"));
  expect_equal(ShardedCheckpoint(kData + "sharded/pytorch_model.bin.index.json"),
               SafetensorsFile(kData + "module.safetensors"));
}

TEST(TorchCheckpoint, ReadsAnyPartInAnyOrder) {
  for (const char* const name : {"layouts.bin", "plain.bin"}) {
    const SafetensorsFile expected(kData + "layouts.safetensors");
    const TorchCheckpoint got(kData + name);
    for (const std::string& tensor : expected.names()) {
      const std::int64_t size = element_count(expected.find(tensor)->shape);
      for (std::int64_t first = size; first >= 0; --first) {
        for (std::int64_t count = 0; count <= size - first; ++count) {
          ASSERT_EQ(stored(got, tensor, first, count), stored(expected, tensor, first, count))
              << tensor << " " << first << " " << count;
        }
      }
    }
  }
}

/// The last of the file's storages, of which a view takes both ends.
TEST(TorchCheckpoint, ReadsNothingBehindAView) {
  const TemporaryDirectory directory;
  std::string storage(std::size_t{4} * 5001, '\0');
  const float last = 4.0F;
  std::memcpy(&storage[std::size_t{4} * 5000], &last, sizeof last);
  const std::string view = p::tensor(p::storage("0", 5001), 0, {2}, {5000});
  const auto file =
      directory.write("f", zip_file(torch_entries(p::dict({{"view", view}}), {storage})).bytes);
  float ends[2];
  TorchCheckpoint(file).read("view", 0, 2, ends);
  EXPECT_EQ(ends[0], 0.0F);
  EXPECT_EQ(ends[1], last);
}

TEST(TorchCheckpoint, WidensAsSafetensorsDoes) {
  const SafetensorsFile expected(kData + "layouts.safetensors");
  const TorchCheckpoint got(kData + "layouts.bin");
  for (const char* const name : {"float16", "bfloat16", "float32", "float64", "transposed"}) {
    const auto size = static_cast<std::size_t>(element_count(expected.find(name)->shape));
    std::vector<double> a(size), b(size);
    got.read(name, 0, static_cast<std::int64_t>(size), a.data());
    expected.read(name, 0, static_cast<std::int64_t>(size), b.data());
    EXPECT_EQ(a, b) << name;
  }
  float value = 0;
  expect_error(ErrorCode::kFormat,
               kData + "layouts.bin: \"int64\": expected F16, BF16, F32 or F64, got I64",
               [&] { got.read("int64", 0, 1, &value); });
  expect_error(ErrorCode::kFormat, kData + "layouts.bin: \"no\" is missing",
               [&] { got.read("no", 0, 1, &value); });
  expect_error(
      ErrorCode::kInput,
      kData + "layouts.bin: \"scalar\": elements: expected a range inside 0 to 1, got 1 from 1",
      [&] { got.read("scalar", 1, 1, &value); });
}

TEST(TorchCheckpoint, ReadsFromManyThreads) {
  const TorchCheckpoint got(kData + "tiny_float16.bin");
  const std::vector<std::string> names = got.names();
  std::vector<std::string> parts(4);
  std::vector<std::thread> threads;
  for (std::string& part : parts) {
    threads.emplace_back([&] {
      for (const std::string& name : names) part += stored(got, name);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& part : parts) EXPECT_EQ(part, parts.front());
}

/// Two storages: "a" is all of the first; "b" and "c" are parts of the second.
ZipFile three_tensors() {
  const std::string second = p::storage("1", 4);
  return zip_file(torch_entries(p::dict({{"a", p::tensor(p::storage("0", 4), 0, {4}, {1})},
                                         {"b", p::tensor(second, 0, {2}, {1})},
                                         {"c", p::tensor(second, 1, {2}, {2})}}),
                                {std::string(16, 'a'), std::string(16, 'b')}));
}

TEST(TorchCheckpoint, NoticesADamagedStorage) {
  const TemporaryDirectory directory;
  const ZipFile zip = three_tensors();
  std::string bytes = zip.bytes;
  bytes[zip.contents[2] + 15] = 'x';
  bytes[zip.contents[3] + 15] = 'x';
  const auto path = directory.write("x.bin", bytes);
  const auto message = [&](int entry, const std::string& name, char fill) {
    const std::string good(16, fill);
    return path.string() + ": byte " +
           std::to_string(zip.contents[static_cast<std::size_t>(entry)]) +
           ": contents of \"x/data/" + name + "\": expected CRC-32 " +
           std::to_string(testing::slow_crc32(good)) + ", got " +
           std::to_string(testing::slow_crc32(good.substr(1) + "x"));
  };
  const TorchCheckpoint opened(path);
  // A whole storage is checked when its last byte passes, again and again.
  EXPECT_EQ(stored(opened, "a", 0, 3), std::string(12, 'a'));
  for (int i = 0; i < 2; ++i) {
    expect_error(ErrorCode::kFormat, message(2, "0", 'a'), [&] { stored(opened, "a", 3, 1); });
  }
  // Out of order, or of a part of a storage, no value comes before the check.
  const TorchCheckpoint again(path);
  expect_error(ErrorCode::kFormat, message(2, "0", 'a'), [&] { stored(again, "a", 1, 1); });
  expect_error(ErrorCode::kFormat, message(3, "1", 'b'), [&] { stored(again, "b", 0, 1); });
  expect_error(ErrorCode::kFormat, message(3, "1", 'b'), [&] { stored(again, "c", 0, 1); });
}

TEST(TorchCheckpoint, ATruncatedFileIsAnError) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "x.bin";
  for (const char* const name : {"module.bin", "plain.bin"}) {
    fs::copy_file(kData + name, path, fs::copy_options::overwrite_existing);
    for (std::uintmax_t size = fs::file_size(path); size-- > 0;) {
      fs::resize_file(path, size);
      EXPECT_THROW(TorchCheckpoint opened(path), FormatError) << name << " " << size;
    }
  }
}

TEST(TorchCheckpoint, AFileThatShrinksOrChangesIsAnError) {
  const TemporaryDirectory directory;
  const ZipFile zip = three_tensors();
  const auto path = directory.write("x.bin", zip.bytes);
  {
    const TorchCheckpoint opened(path);
    fs::resize_file(path, zip.contents[2] + 4);
    expect_error(ErrorCode::kIo,
                 path.string() + ": read at byte " + std::to_string(zip.contents[2]) +
                     ": expected 16 bytes, got 4 bytes",
                 [&] { stored(opened, "a"); });
  }
  directory.write("x.bin", zip.bytes);
  const TorchCheckpoint opened(path);
  directory.write("x.bin", std::string(zip.bytes.size(), '?'));  // the same file
  EXPECT_THROW(stored(opened, "a"), FormatError);
}

TEST(TorchCheckpoint, RefusesWhatIsNoFileOfTorchSave) {
  const TemporaryDirectory directory;
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  const std::pair<std::string, std::string> cases[] = {
      {"", "nothing"},
      {"version https://git-lfs.github.com/spec/v1\n", "\"version https://...\""},
      {"\x80\x02}q\x01.", "\"\\x80\\x02}q\\x01.\""},
      {tar, "a tar archive, as torch before 0.1.10 wrote"},
  };
  for (const auto& [bytes, got] : cases) {
    const auto path = directory.write("x.bin", bytes);
    expect_error(
        ErrorCode::kFormat,
        path.string() + ": byte 0: file format: expected what torch.save writes, got " + got,
        [&] { TorchCheckpoint opened(path); });
  }
}

TEST(TorchCheckpoint, RefusesWhatIsNoRegularFile) {
  const TemporaryDirectory directory;
  const std::string fifo = (directory.path() / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::pair<std::string, std::string> cases[] = {
      {fifo, "a FIFO"},
      {"/dev/zero", "a device"},
      {directory.path().string(), "a directory"},
      {"/nowhere/x.bin", "No such file or directory"},
  };
  for (const auto& [path, got] : cases) {
    expect_error(ErrorCode::kIo, path + ": open: expected a regular file, got " + got,
                 [&, &file = path] { TorchCheckpoint opened(file); });
  }
}

TEST(TorchCheckpoint, RefusesABrokenPlainFile) {
  const TemporaryDirectory directory;
  const std::string begin(
      "\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03.", 21);
  const auto info = [](const std::string& little) {
    return p::proto() + "}" + p::text("little_endian") + little + "s.";
  };
  const std::string place = p::text("cpu");
  const auto storage = [&](const std::string& view) {
    return p::tuple(p::text("storage") + p::name("torch", "FloatStorage") + p::text("7") + place +
                    p::number(4) + view) +
           "Q";
  };
  const auto keys = [](const std::vector<std::string>& all) {
    std::string parts;
    for (const std::string& key : all) parts += p::text(key);
    return p::proto() + "](" + parts + "e.";
  };
  const std::string head = begin + info("\x88");
  const std::string dict = p::dict({{"a", p::tensor(storage("N"), 0, {4}, {1})}});
  const std::string data = bytes_of(4, 8) + std::string(16, 'a');
  const std::string good = head + dict + keys({"7"}) + data;
  {
    const TorchCheckpoint opened(directory.write("x.bin", good));
    EXPECT_EQ(stored(opened, "a"), std::string(16, 'a'));
    const std::string view = p::tuple(p::text("8") + p::number(1) + p::number(2));
    const TorchCheckpoint viewed(
        directory.write("v.bin", head + p::dict({{"a", p::tensor(storage(view), 1, {1}, {1})}}) +
                                     keys({"7"}) + bytes_of(4, 8) + "aaaabbbbccccdddd"));
    EXPECT_EQ(stored(viewed, "a"), "cccc");
  }
  const auto at = [](std::size_t offset) { return "byte " + std::to_string(offset) + ": "; };
  const std::size_t keys_at = head.size() + dict.size();
  const std::size_t data_at = keys_at + keys({"7"}).size();
  const std::string outside = p::tuple(p::text("8") + p::number(3) + p::number(2));
  const std::string view_dict = p::dict({{"a", p::tensor(storage(outside), 0, {1}, {1})}});
  const std::pair<std::string, std::string> cases[] = {
      {begin + info("\x89") + dict, at(21) + "little_endian: expected True, got False"},
      {begin + info("N") + dict,
       at(head.size() - 1) + "STOP: expected \"little_endian\": a boolean, got None"},
      {begin + p::proto() + "}.", at(24) + "STOP: expected \"little_endian\", got none"},
      {head + p::proto() + "cos\nsystem\n)R.",
       at(head.size() + 2) +
           "GLOBAL: expected OrderedDict, _rebuild_tensor_v2, _rebuild_parameter " +
           "or a storage type of F32, F16, BF16, F64 or I64, got \"os.system\""},
      {head + p::dict({{"a", p::tensor(p::storage("7", 4), 0, {4}, {1})}}),
       at(head.size() + dict.find("NtQ") + 1) + "BINPERSID: expected a storage of 6 parts, got 5"},
      {head + view_dict + keys({"7"}) + data,
       at(head.size() + view_dict.find("ttQ") + 2) +
           "BINPERSID: expected a view inside a storage of 4 elements, got 2 from 3"},
      {head + dict + p::proto() + "}.",
       at(keys_at + 3) + "STOP: expected a list of strings, got a dictionary"},
      {head + dict + keys({}) + data, at(keys_at) + "keys: expected 1 storages, got 0"},
      {head + dict + keys({"8"}) + data,
       at(data_at) + "storage: expected a key of the dictionary, once, got \"8\""},
      {head + dict + keys({"7"}) + "1234",
       at(data_at) + "storage \"7\": expected 8 bytes of its " + "size, got 4"},
      {head + dict + keys({"7"}) + bytes_of(5, 8) + std::string(20, 'a'),
       at(data_at) + "storage \"7\": expected 4 elements, got 5"},
      {good.substr(0, good.size() - 1),
       at(data_at + 8) + "storage \"7\": expected 16 bytes, got 15"},
      {good + "?", at(good.size()) + "storages: expected the end of the file, got 1 more bytes"},
  };
  for (const auto& [bytes, message] : cases) {
    SCOPED_TRACE(message);
    const auto path = directory.write("x.bin", bytes);
    expect_error(ErrorCode::kFormat, path.string() + ": " + message,
                 [&] { TorchCheckpoint opened(path); });
  }
}

TEST(OpenCheckpoint, PrefersSafetensors) {
  const TemporaryDirectory directory;
  const auto add = [&](const std::string& source, const std::string& name) {
    fs::copy_file(kData + source, directory.path() / name);
    return open_checkpoint(directory.path())->place();
  };
  const std::string base = directory.path().string() + "/";
  expect_error(ErrorCode::kIo,
               directory.path().string() +
                   ": weights: expected model.safetensors or pytorch_model.bin, whole or in shards "
                   "with an index, got none",
               [&] { open_checkpoint(directory.path()); });
  for (const char* const shard :
       {"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"}) {
    fs::copy_file(kData + "sharded/" + shard, base + shard);
  }
  EXPECT_EQ(add("sharded/pytorch_model.bin.index.json", "pytorch_model.bin.index.json"),
            base + "pytorch_model.bin.index.json");
  EXPECT_EQ(add("module.bin", "pytorch_model.bin"), base + "pytorch_model.bin");
  fs::copy_file(kData + "module.safetensors", base + "only.safetensors");
  directory.write(
      "model.safetensors.index.json",
      R"({"weight_map": {"0.bias": "only.safetensors", "0.weight": "only.safetensors", "1.bias": "only.safetensors", "1.weight": "only.safetensors", "2.bias": "only.safetensors", "2.weight": "only.safetensors"}})");
  EXPECT_EQ(open_checkpoint(directory.path())->place(), base + "model.safetensors.index.json");
  EXPECT_EQ(add("module.safetensors", "model.safetensors"), base + "model.safetensors");
}

TEST(ShardedCheckpoint, RefusesShardsOutsideTheDirectory) {
  const TemporaryDirectory directory;
  for (const char* const name : {"../x.bin", "/etc/passwd", "a/b.bin", "..", ""}) {
    const auto index = directory.write("pytorch_model.bin.index.json",
                                       std::string(R"({"weight_map": {"a": ")") + name + "\"}}");
    expect_error(ErrorCode::kFormat,
                 index.string() +
                     ": weight_map \"a\": expected the name of a file in the same "
                     "directory, got string \"" +
                     name + "\"",
                 [&] { ShardedCheckpoint opened(index); });
  }
}

}  // namespace
}  // namespace bridgetower
