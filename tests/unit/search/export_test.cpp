#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/search/export.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/expect_error.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::random_tensor;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kModel(64, 'b');
constexpr std::int64_t kSize = 7;

/// Names that are hard to write down, in the order of their bytes.
const std::vector<std::string> kNames = {
    "\n\t\r\\n.png",    "\"'$$;--.png",     "\\.",         "\\N", "a b.png", "\xC3\xA4.png",
    "\xED\xA0\x80.png", "\xF0\x9F\x90\x88", "\xFF\n\\.png"};

struct Picture {
  ImageRecord record;
  Tensor<float> vector;
};

std::vector<Picture> pictures() {
  using Limits = std::numeric_limits<float>;
  const float hard[kSize] = {0.1F,
                             -0.0F,
                             1.0F / 3,
                             Limits::max(),
                             Limits::min(),
                             Limits::denorm_min(),
                             -1 - Limits::epsilon()};
  const std::int64_t times[] = {0, -1, 1'000'000'000'123'456'789};
  std::vector<Picture> all;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    Picture picture;
    picture.record.path = kNames[i];
    picture.record.bytes = 1000 + i;
    picture.record.modified_ns = times[i % 3];
    picture.record.sha256.fill(static_cast<unsigned char>(0xA0 + i));
    picture.vector = random_tensor<float>({kSize}, static_cast<std::uint32_t>(i) + 1);
    if (i == 0) std::copy(std::begin(hard), std::end(hard), picture.vector.data());
    all.push_back(std::move(picture));
  }
  return all;
}

EmbeddingIndex build(const fs::path& directory, const std::vector<Picture>& all,
                     VectorType type = VectorType::kFloat32, std::int64_t size = kSize) {
  IndexBuilder::Options options;
  options.type = type;
  IndexBuilder builder(directory, kModel, size, options);
  for (const Picture& picture : all) builder.add(picture.record, picture.vector);
  builder.commit();
  return EmbeddingIndex::open(directory, 1);
}

std::string exported(const EmbeddingIndex& index, ExportFormat format) {
  std::string bytes;
  export_index(index, format, [&bytes](std::string_view more) { bytes += more; });
  return bytes;
}

std::vector<std::string> split(const std::string& text, char end) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, end);) parts.push_back(part);
  return parts;
}

/// The same bits, so that -0 and 0 differ.
::testing::AssertionResult same_bits(const float* a, const Tensor<float>& b) {
  if (std::memcmp(a, b.data(), b.size() * sizeof(float)) == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "other bits";
}

std::string hex(std::string_view bytes) {
  std::ostringstream out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
  }
  return out.str();
}

std::string sha256_of(const Picture& picture) {
  return hex({reinterpret_cast<const char*>(picture.record.sha256.data()), 32});
}

const char* const kTimes[] = {"1970-01-01T00:00:00.000000000Z", "1969-12-31T23:59:59.999999999Z",
                              "2001-09-09T01:46:40.123456789Z"};

TEST(Export, NpyIsAHeaderAndTheVectors) {
  const TemporaryDirectory directory;
  for (const VectorType type : {VectorType::kFloat32, VectorType::kBFloat16}) {
    const auto index =
        build(directory.path() / std::to_string(static_cast<int>(type)), pictures(), type);
    const std::string bytes = exported(index, ExportFormat::kNpy);
    ASSERT_EQ(bytes.size(), 128 + kNames.size() * kSize * sizeof(float));
    EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
    EXPECT_EQ(bytes.substr(10, 61),
              "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 7), }  ");
    EXPECT_EQ(bytes[127], '\n');
    std::vector<float> values(kNames.size() * kSize);
    std::memcpy(values.data(), bytes.data() + 128, values.size() * sizeof(float));
    for (std::int64_t row = 0; row < index.images(); ++row) {
      EXPECT_TRUE(same_bits(values.data() + row * kSize, index.vector(row))) << row;
    }
  }
}

TEST(Export, SafetensorsHasTheRecordsBesideTheVectors) {
  const TemporaryDirectory directory;
  const auto all = pictures();
  export_index(build(directory.path() / "index", all), ExportFormat::kSafetensors,
               directory.path() / "out.safetensors");
  const SafetensorsFile file(directory.path() / "out.safetensors");
  EXPECT_EQ(file.metadata(), (SafetensorsFile::Metadata{{"model", kModel}}));
  const auto embeddings = file.tensor<float>("embeddings");
  const auto ends = file.tensor<std::int64_t>("path_ends");
  const auto paths = file.tensor<std::uint8_t>("paths");
  const auto sums = file.tensor<std::uint8_t>("sha256");
  ASSERT_EQ(embeddings.shape(), (Shape{9, kSize}));
  ASSERT_EQ(sums.shape(), (Shape{9, 32}));
  std::int64_t begin = 0;
  for (std::int64_t row = 0; row < 9; ++row) {
    const Picture& picture = all[static_cast<std::size_t>(row)];
    EXPECT_TRUE(same_bits(embeddings.data() + row * kSize, picture.vector)) << row;
    EXPECT_EQ(std::string(paths.begin() + begin, paths.begin() + ends(row)), picture.record.path);
    EXPECT_EQ(file.tensor<std::int64_t>("size")(row), 1000 + row);
    EXPECT_EQ(file.tensor<std::int64_t>("modified_ns")(row), picture.record.modified_ns);
    EXPECT_EQ(sums(row, 31), picture.record.sha256[31]);
    begin = ends(row);
  }
}

TEST(Export, JsonlHasAnObjectAPicture) {
  const TemporaryDirectory directory;
  const auto all = pictures();
  const auto lines = split(exported(build(directory.path(), all), ExportFormat::kJsonl), '\n');
  ASSERT_EQ(lines.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto record = nlohmann::json::parse(lines[i]);
    const bool text = kNames[i] != "\xED\xA0\x80.png" && kNames[i] != "\xFF\n\\.png";
    EXPECT_EQ(record.contains("image_hex"), !text);
    EXPECT_EQ(text ? record["image"] : record["image_hex"], text ? kNames[i] : hex(kNames[i]));
    const auto vector = record["embedding"].get<std::vector<float>>();
    ASSERT_EQ(vector.size(), static_cast<std::size_t>(kSize));
    EXPECT_TRUE(same_bits(vector.data(), all[i].vector)) << i;
    EXPECT_EQ(record["size"], 1000 + i);
    EXPECT_EQ(record["modified"], kTimes[i % 3]);
    EXPECT_EQ(record["sha256"], sha256_of(all[i]));
  }
}

/// What COPY reads from a field: documentation of PostgreSQL, COPY, "Text Format".
std::string unescaped(const std::string& field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool escape = field[i] == '\\';
    if (escape) ++i;
    const char c = field.at(i);
    text += escape && c == 'n' ? '\n' : escape && c == 't' ? '\t' : escape && c == 'r' ? '\r' : c;
  }
  return text;
}

TEST(Export, PgvectorHasARowAPicture) {
  const TemporaryDirectory directory;
  const auto all = pictures();
  const auto lines = split(exported(build(directory.path(), all), ExportFormat::kPgvector), '\n');
  const auto copy = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.rfind("COPY ", 0) == 0;
  });
  ASSERT_EQ(lines.end() - copy, static_cast<std::ptrdiff_t>(all.size()) + 4);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto fields = split(copy[static_cast<std::ptrdiff_t>(i) + 1], '\t');
    ASSERT_EQ(fields.size(), 8U);
    EXPECT_EQ(fields[0], std::to_string(i));
    if (kNames[i] == "\xFF\n\\.png") {
      EXPECT_EQ(unescaped(fields[1]), "\xEF\xBF\xBD\n\\.png");
      EXPECT_EQ(fields[2], "\\\\xff0a5c2e706e67");
    } else if (kNames[i] != "\xED\xA0\x80.png") {
      EXPECT_EQ(unescaped(fields[1]), kNames[i]);
      EXPECT_EQ(fields[2], "\\N");
    }
    EXPECT_EQ(fields[3], std::to_string(1000 + i));
    EXPECT_EQ(fields[4], kTimes[i % 3]);
    EXPECT_EQ(fields[5], "\\\\x" + sha256_of(all[i]));
    EXPECT_EQ(fields[6], kModel);
    std::vector<float> vector;
    for (const std::string& number : split(fields[7].substr(1, fields[7].size() - 2), ',')) {
      vector.push_back(std::strtof(number.c_str(), nullptr));
    }
    ASSERT_EQ(vector.size(), static_cast<std::size_t>(kSize));
    EXPECT_TRUE(same_bits(vector.data(), all[i].vector)) << i;
  }
  EXPECT_EQ(lines[lines.size() - 3], "\\.");
  EXPECT_EQ(lines.back(), "COMMIT;");
}

TEST(Export, PgvectorKeepsItsLimits) {
  const TemporaryDirectory directory;
  const auto script = [&](std::int64_t size) {
    return exported(build(directory.path() / std::to_string(size), {}, VectorType::kFloat32, size),
                    ExportFormat::kPgvector);
  };
  EXPECT_NE(script(2000).find("USING hnsw (embedding vector_ip_ops)"), std::string::npos);
  EXPECT_EQ(script(2001).find("hnsw ("), std::string::npos);
  EXPECT_NE(script(16000).find("embedding vector(16000) NOT NULL"), std::string::npos);
  expect_error(ErrorCode::kInput,
               "pgvector: length of the vectors: expected at most 16000, got 16001",
               [&] { script(16001); });
}

TEST(Export, AnEmptyIndexHasNoRows) {
  const TemporaryDirectory directory;
  const auto index = build(directory.path() / "index", {});
  EXPECT_EQ(exported(index, ExportFormat::kNpy).size(), 128U);
  EXPECT_NE(exported(index, ExportFormat::kNpy).find("'shape': (0, 7), }"), std::string::npos);
  EXPECT_EQ(exported(index, ExportFormat::kJsonl), "");
  EXPECT_NE(exported(index, ExportFormat::kPgvector).find(" FROM stdin;\n\\.\nCREATE INDEX"),
            std::string::npos);
  export_index(index, ExportFormat::kSafetensors, directory.path() / "out.safetensors");
  EXPECT_EQ(
      SafetensorsFile(directory.path() / "out.safetensors").tensor<float>("embeddings").shape(),
      (Shape{0, kSize}));
}

TEST(Export, AFileAppearsWholeOrNotAtAll) {
  const TemporaryDirectory directory;
  const auto index = build(directory.path() / "index", pictures());
  expect_error(ErrorCode::kIo, "/dev/full: create: expected a regular file, got a device",
               [&] { export_index(index, ExportFormat::kNpy, "/dev/full"); });
  EXPECT_THROW(export_index(index, ExportFormat::kNpy, directory.path() / "none/out.npy"), IoError);
  EXPECT_THROW(export_index(index, ExportFormat::kNpy,
                            [](std::string_view) { throw IoError("sink", "is full"); }),
               IoError);
  const fs::path file = directory.path() / "out.npy";
  export_index(index, ExportFormat::kNpy, file);
  EXPECT_EQ(read_all(file), exported(index, ExportFormat::kNpy));
}

}  // namespace
}  // namespace bridgetower
