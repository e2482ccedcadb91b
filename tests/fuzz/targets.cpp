#include "tests/fuzz/targets.hpp"

#include <unistd.h>

#include <algorithm>
#include <bridgetower/bridgetower.hpp>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <cstring>
#include <fstream>
#include <new>

#include "tests/fuzz/mutators.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/torch_file.hpp"
#ifdef BRIDGETOWER_FUZZ_SENTENCEPIECE
#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>
#endif

namespace bridgetower::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kData = testing::test_data();
const fs::path kTiny = kData / "tiny_model";

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("no such file: " + file.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A directory of this process, in memory where there is such a file system.
class Directory {
 public:
  Directory() {
    std::error_code ignored;
    const fs::path root =
        fs::is_directory("/dev/shm", ignored) ? "/dev/shm" : fs::temp_directory_path();
    static int count = 0;
    path_ = root / ("bridgetower-fuzz-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    fs::create_directories(path_);
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path operator/(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Runs a reader: errors are answers, everything else gets out.
template <class Read>
void answer(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  } catch (const std::bad_alloc&) {
  }
}

/// The first values of every tensor.
void read_all(const TensorFile& file) {
  constexpr std::int64_t kMost = 256;
  float values[kMost];
  for (const std::string& name : file.names()) {
    const auto info = file.find(name);
    const std::int64_t count = std::min(kMost, element_count(info->shape));
    answer([&] { file.read(name, 0, count, values); });
  }
}

void safetensors(std::string_view bytes) {
  static const Directory directory;
  write_file(directory / "model.safetensors", bytes);
  answer([] { read_all(SafetensorsFile(directory / "model.safetensors")); });
}

void torch_checkpoint(std::string_view bytes) {
  static const Directory directory;
  write_file(directory / "model.bin", bytes);
  answer([] { read_all(TorchCheckpoint(directory / "model.bin")); });
}

/// data.pkl of a checkpoint with two storages.
void pickle(std::string_view bytes) {
  const auto entries =
      testing::torch_entries(std::string(bytes), {std::string(64, '\1'), std::string(16, '\2')});
  torch_checkpoint(testing::zip_file(entries).bytes);
}

std::string tensor_pickle() {
  namespace pickle = testing::pickle;
  return pickle::dict(
      {{"weight", pickle::tensor(pickle::storage("0", 16), 0, {4, 4}, {4, 1})},
       {"bias", pickle::tensor(pickle::storage("1", 8, "HalfStorage"), 2, {3}, {2})}});
}

void shard_index(std::string_view bytes) {
  static const Directory directory;
  static const bool made = [] {
    for (const auto& file : fs::directory_iterator(kData / "torch/sharded")) {
      fs::copy_file(file.path(), directory.path() / file.path().filename());
    }
    return true;
  }();
  if (!made) return;
  write_file(directory / "pytorch_model.bin.index.json", bytes);
  answer([] { read_all(ShardedCheckpoint(directory / "pytorch_model.bin.index.json")); });
}

void config(std::string_view bytes) {
  static const Directory directory;
  write_file(directory / "config.json", bytes);
  answer([] {
    const auto config = BridgeTowerConfig::from_pretrained(directory.path());
    config.validate();
    config.save_pretrained(directory.path());
  });
}

void processor_config(std::string_view bytes) {
  answer([bytes] { ImageProcessorConfig::from_json(bytes, "config").validate(); });
}

/// A tokenizer that loads must also work.
void use(const TextTokenizer& tokenizer) {
  answer([&] {
    const Encoding encoding =
        tokenizer.encode("A caf\xC3\xA9, <mask> two\n  tokens\xF0\x9F\x98\x80");
    tokenizer.decode(encoding.input_ids);
  });
}

void tokenizer_json(std::string_view bytes) {
  static const Directory directory;
  write_file(directory / "tokenizer.json", bytes);
  answer([] { use(*RobertaTokenizer::from_pretrained(directory.path())); });
}

/// vocab.json, a zero byte, merges.txt.
void vocabulary(std::string_view bytes) {
  static const Directory directory;
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  write_file(directory / "vocab.json", bytes.substr(0, end));
  write_file(directory / "merges.txt", bytes.substr(std::min(end + 1, bytes.size())));
  answer([] { use(*RobertaTokenizer::from_pretrained(directory.path())); });
}

const TextTokenizer& tiny_tokenizer() {
  static const auto tokenizer = RobertaTokenizer::from_pretrained(kTiny);
  return *tokenizer;
}

void encode(std::string_view bytes) {
  for (const InvalidUtf8 how : {InvalidUtf8::kError, InvalidUtf8::kReplace}) {
    EncodeOptions options;
    options.invalid_utf8 = how;
    answer([&] { tiny_tokenizer().decode(tiny_tokenizer().encode(bytes, options).input_ids); });
  }
}

void decode(std::string_view bytes) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    std::int16_t id;
    std::memcpy(&id, bytes.data() + i, sizeof id);
    ids.push_back(id);
  }
  answer([&] { tiny_tokenizer().decode(ids, true); });
  answer([&] { tiny_tokenizer().decode(ids, false); });
}

ImageLimits small_pictures() {
  ImageLimits limits;
  limits.max_pixels = 1 << 20;
  return limits;
}

void image(std::string_view bytes) {
  answer([bytes] { Image::decode(bytes, "picture", small_pictures()); });
}

/// Two bytes of width, two of height, then preprocessor_config.json.
void preprocess(std::string_view bytes) {
  if (bytes.size() < 4) return;
  const auto side = [bytes](std::size_t i) {
    return (static_cast<unsigned char>(bytes[i]) + 256 * static_cast<unsigned char>(bytes[i + 1])) %
               300 +
           1;
  };
  answer([&] {
    const auto config = ImageProcessorConfig::from_json(bytes.substr(4), "config");
    if (config.size > 600) return;  // right, but slow
    const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(side(0) * side(2) * 3), 77);
    BridgeTowerImageProcessor{config}(Image(side(2), side(0), 3, pixels));
  });
}

const fs::path& tiny_index() {
  static const Directory directory;
  static const bool made = [] {
    IndexBuilder builder(directory.path(), "model", 4, {});
    ImageRecord record;
    record.path = "a.png";
    record.sha256.fill(7);
    builder.add(record, Tensor<float>({4}, {1, 0, 0, 0}));
    builder.fail("b.png", FormatError("b.png", "broken"));
    builder.commit();
    return true;
  }();
  static_cast<void>(made);
  return directory.path();
}

void index_manifest(std::string_view bytes) {
  write_file(tiny_index() / "manifest.json", bytes);
  answer([] {
    const auto index = EmbeddingIndex::open(tiny_index(), 1);
    index.nearest(Tensor<float>({index.size()}));
  });
}

const BridgeTowerModel<float>& tiny_model() {
  static const auto model = [] {
    LoadOptions options;
    options.threads = 1;
    return BridgeTowerModel<float>::from_pretrained(kTiny, options);
  }();
  return model;
}

void state(std::string_view bytes) {
  answer([bytes] { unpack_image_state(bytes, tiny_model()); });
  answer([bytes] { unpack_text_state(bytes, tiny_model()); });
}

std::string packed_state() {
  ForwardInputs<float> inputs;
  inputs.pixel_values.emplace(Shape{1, 3, 48, 48});
  return "=" + pack_state(tiny_model().encode_image(inputs, 0), DType::kBF16);
}

/// Changes of the tiny checkpoint, five bytes each: where, and to what; then a load and a forward.
void model(std::string_view bytes) {
  static const Directory directory;
  static const std::string original = [] {
    for (const auto& file : fs::directory_iterator(kTiny)) {
      fs::copy_file(file.path(), directory.path() / file.path().filename());
    }
    return read_file(kTiny / "model.safetensors");
  }();
  std::string changed = original;
  for (std::size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    std::uint32_t where;
    std::memcpy(&where, bytes.data() + i, sizeof where);
    changed[where % changed.size()] = bytes[i + 4];
  }
  write_file(directory / "model.safetensors", changed);
  answer([] {
    LoadOptions options;
    options.threads = 1;
    const auto loaded =
        BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(directory.path(), options);
    ForwardInputs<float> inputs;
    inputs.pixel_values.emplace(Shape{1, 3, 48, 48});
    inputs.input_ids = Tensor<std::int64_t>({1, 4}, {0, 84, 61, 2});
    loaded.forward(inputs);
  });
}

#ifdef BRIDGETOWER_FUZZ_SENTENCEPIECE
void sentencepiece(std::string_view bytes) {
  static const Directory directory;
  write_file(directory / "sentencepiece.bpe.model", bytes);
  answer([] { use(*XlmRobertaTokenizer::from_pretrained(directory.path())); });
}
#endif

/// The pictures of tests/data whose names end so.
std::vector<std::string> pictures(const std::string& extension) {
  std::vector<std::string> found;
  for (const auto& file : fs::directory_iterator(kData / "images")) {
    if (file.path().extension() != extension) continue;
    found.push_back("images/" + file.path().filename().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 2 <= digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::vector<Target> make_targets() {
  const std::string manifest = read_file(tiny_index() / "manifest.json");
  return {
      {"safetensors",
       safetensors,
       {"torch/module.safetensors", "torch/layouts.safetensors"},
       mutate_safetensors},
      {"torch_checkpoint",
       torch_checkpoint,
       {"torch/plain.bin", "torch/module.bin", "torch/layouts.bin"}},
      {"pickle", pickle, {"=" + tensor_pickle()}, mutate_pickle},
      {"shard_index", shard_index, {"torch/sharded/pytorch_model.bin.index.json"}},
      {"config", config, {"tiny_model/config.json"}},
      {"processor_config", processor_config, {"tiny_model/preprocessor_config.json"}},
      {"tokenizer_json", tokenizer_json, {"tiny_model/tokenizer.json"}},
      {"vocabulary",
       vocabulary,
       {"={\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3,\"<mask>\":4,\"a\":5,\"b\":6,\"ab\":7}" +
        std::string(1, '\0') + "#version: 0.2\na b\n"}},
      {"encode", encode, {"=A caf\xC3\xA9, <mask> two tokens", "=  \xF0\x9F\x98\x80\n\xFF"}},
      {"decode", decode, {std::string("=\0\0\x54\0\x3D\0\x02\0", 9)}},
      {"png", image, pictures(".png")},
      {"jpeg", image, pictures(".jpg")},
      {"preprocess",
       preprocess,
       {std::string("=\x40\0\x30\0", 5) + read_file(kTiny / "preprocessor_config.json")}},
      {"index_manifest", index_manifest, {"=" + manifest}},
      {"state", state, {packed_state()}},
      {"model", model, {std::string("=\x10\0\0\0{\0\x10\0\0\x7F", 11)}},
#ifdef BRIDGETOWER_FUZZ_SENTENCEPIECE
      {"sentencepiece", sentencepiece, {"sentencepiece/sentencepiece.bpe.model"}},
#endif
  };
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> all = make_targets();
  return all;
}

const Target* find_target(std::string_view name) {
  for (const Target& target : targets()) {
    if (name == target.name) return &target;
  }
  return nullptr;
}

std::vector<std::string> corpus(const Target& target) {
  std::vector<std::string> inputs;
  for (const std::string& seed : target.seeds) {
    inputs.push_back(seed.front() == '=' ? seed.substr(1) : read_file(kData / seed));
  }
  std::ifstream kept(kData / "fuzz" / (target.name + std::string(".hex")));
  for (std::string line; std::getline(kept, line);) inputs.push_back(from_hex(line));
  return inputs;
}

}  // namespace bridgetower::fuzz
