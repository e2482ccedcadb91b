// Every reader on inputs that are made to be slow: time(2n) / time(n), which is 2 where the time is
// linear (docs/testing.md). With an argument: small sizes, to see that it runs.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <bridgetower/bridgetower.hpp>
#include <bridgetower/config/config_json.hpp>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#ifdef BRIDGETOWER_LINEAR_SENTENCEPIECE
#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>
#endif
#include "tests/support/picture_bytes.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/sentencepiece_file.hpp"
#include "tests/support/torch_file.hpp"

namespace {

namespace bt = bridgetower;
namespace fs = std::filesystem;
namespace p = bt::testing::pickle;

const fs::path& scratch() {
  static const fs::path path = [] {
    const fs::path made =
        fs::temp_directory_path() / ("bridgetower-linear-" + std::to_string(getpid()));
    fs::create_directories(made);
    return made;
  }();
  return path;
}

fs::path put(const std::string& name, const std::string& bytes) {
  fs::create_directories((scratch() / name).parent_path());
  std::ofstream(scratch() / name, std::ios::binary) << bytes;
  return scratch() / name;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

/// What is asked here is no limit but how time grows.
bt::Limits no_limits() {
  bt::Limits all;
  all.json_depth = all.json_values = all.tensors = all.pickle_values = std::size_t{1} << 40;
  all.json_memory = all.config_bytes = std::uint64_t{1} << 40;
  return all;
}

const bt::TextTokenizer& tiny() {
  static const auto tokenizer = bt::RobertaTokenizer::from_pretrained(BRIDGETOWER_TINY_MODEL);
  return *tokenizer;
}

std::string file_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Makes an input of size n; what comes back is what is timed.
using Prepare = std::function<std::function<void()>(std::size_t n)>;

struct Reader {
  const char* name;
  std::size_t n;
  Prepare prepare;
};

std::function<void()> encoding(const std::string& text) {
  return [text] { tiny().encode(text); };
}

/// vocab.json with n more tokens, whose ids are `step` apart, and a merge for each.
std::function<void()> vocabulary(std::size_t n, std::size_t step) {
  std::string vocabulary = file_bytes(fs::path(BRIDGETOWER_TINY_MODEL) / "vocab.json");
  std::string merges;
  vocabulary.resize(vocabulary.rfind('}'));
  for (std::size_t i = 0; i < n; ++i) {
    // Of the letters A to Y, with one Z at its end and with two.
    std::string token;
    for (std::size_t digits = i + 1; digits > 0; digits /= 25) {
      token += static_cast<char>('A' + digits % 25);
    }
    vocabulary += ",\"" + token + "Z\":" + std::to_string(1000 + i * step) + ",\"" + token +
                  "ZZ\":" + std::to_string(1001 + i * step);
    merges += token + "Z Z\n";
  }
  put("vocabulary/vocab.json", vocabulary + "}");
  put("vocabulary/merges.txt", merges);
  return
      [] { bt::RobertaTokenizer::from_pretrained(scratch() / "vocabulary", "main", no_limits()); };
}

std::function<void()> added_tokens(std::size_t n) {
  std::string all, text;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string id = std::to_string(1000 + i);
    all += (i == 0 ? "\"" : ",\"") + id + R"(":{"content":"<t)" + id + ">\"}";
    text += "<t" + id + "<t" + id + ">";
  }
  put("added/tokenizer.json", file_bytes(fs::path(BRIDGETOWER_TINY_MODEL) / "tokenizer.json"));
  put("added/tokenizer_config.json", R"({"added_tokens_decoder":{)" + all + "}}");
  return [text] {
    const auto tokenizer =
        bt::RobertaTokenizer::from_pretrained(scratch() / "added", "main", no_limits());
    tokenizer->decode(tokenizer->encode(text).input_ids, true);
  };
}

std::string safetensors(std::size_t n) {
  std::string header = "{";
  for (std::size_t i = 0; i < n; ++i) {
    header += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" + std::to_string(i) + "," +
              std::to_string(i + 1) + "]}";
  }
  return bt::testing::safetensors_bytes(header + "}", std::string(n, '\0'));
}

std::function<void()> shards(std::size_t n) {
  put("t.safetensors", safetensors(n));
  std::string map;
  for (std::size_t i = 0; i < n; ++i) {
    map += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":\"t.safetensors\"";
  }
  const fs::path index = put("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  return [index] { bt::ShardedCheckpoint(index, no_limits()); };
}

std::function<void()> torch(const std::string& pickle, std::size_t storages) {
  const fs::path file =
      put("x.bin", bt::testing::zip_file(bt::testing::torch_entries(
                                             pickle, std::vector<std::string>(storages, "1234")))
                       .bytes);
  return [file] {
    try {
      bt::TorchCheckpoint(file, no_limits());
    } catch (const bt::FormatError&) {  // a pickle of no tensors is read to its end, too
    }
  };
}

std::function<void()> pickled_tensors(std::size_t n, bool own_storages) {
  std::vector<std::pair<std::string, std::string>> items;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string key = std::to_string(own_storages ? i : 0);
    items.emplace_back("t" + std::to_string(i), p::tensor(p::storage(key, 1), 0, {1}, {1}));
  }
  return torch(p::dict(items), own_storages ? n : 1);
}

std::function<void()> memo(std::size_t n) {
  std::string pickle = p::proto() + "}";
  // Numbers that a table of a power of two, or of many primes, puts into one place.
  for (std::size_t i = 0; i < n; ++i) pickle += "r" + bt::testing::bytes_of(i * 8192, 4);
  return torch(pickle + ".", 1);
}

std::function<void()> index_of(std::size_t pictures, std::size_t failed) {
  const fs::path directory = scratch() / "index";
  fs::remove_all(directory);
  bt::IndexBuilder builder(directory, std::string(64, 'a'), 2, {});
  for (std::size_t i = 0; i < pictures; ++i) {
    bt::ImageRecord record;
    record.path = std::to_string(i);
    builder.add(record, bt::Tensor<float>({2}, {1, 0}));
  }
  for (std::size_t i = 0; i < failed; ++i) {
    builder.fail({"f" + std::to_string(i), "io", "broken"});
  }
  builder.commit();
  return [directory] { bt::EmbeddingIndex::open(directory, 1, no_limits()); };
}

std::function<void()> png_of_chunks(std::size_t n) {
  using namespace bt::testing;
  const std::string bytes =
      kPngSignature + png_header(2, 2, 8, 0) + repeated(chunk("tEXt", ""), n) +
      chunk("IDAT", stored(std::string("\0\x10\x20\0\x30\x40", 6))) + chunk("IEND", "");
  return [bytes] { bt::Image::decode(bytes, "picture"); };
}

std::function<void()> png_of_rows(std::size_t n) {
  using namespace bt::testing;
  const std::string bytes = kPngSignature + png_header(64, n, 8, 0) +
                            chunk("IDAT", stored(std::string(65 * n, '\4'))) + chunk("IEND", "");
  return [bytes] { bt::Image::decode(bytes, "picture"); };
}

std::function<void()> jpeg_of_segments(std::size_t n) {
  std::string bytes = file_bytes(fs::path(BRIDGETOWER_TINY_MODEL) / "../images/grey.jpg");
  bytes.insert(2, repeated(bt::testing::segment('\xE5', "x"), n));
  return [bytes] { bt::Image::decode(bytes, "picture"); };
}

#ifdef BRIDGETOWER_LINEAR_SENTENCEPIECE
std::function<void()> pieces(std::size_t n) {
  std::string model = bt::testing::sentencepiece::small_model();
  for (std::size_t i = 0; i < n; ++i) {
    model += bt::testing::sentencepiece::piece("a" + std::to_string(i));
  }
  put("pieces/sentencepiece.bpe.model", model);
  return [] { bt::XlmRobertaTokenizer::from_pretrained(scratch() / "pieces"); };
}

/// A model whose longest pieces and whose table are followed to their ends from every letter.
std::function<void()> letters_of_long_pieces(std::size_t n) {
  using namespace bt::testing::sentencepiece;
  put("circle/sentencepiece.bpe.model",
      small_model() + piece(std::string(255, 'a') + "b") + circle());
  const auto tokenizer = bt::XlmRobertaTokenizer::from_pretrained(scratch() / "circle");
  return [tokenizer, text = std::string(n, 'a')] { tokenizer->encode(text); };
}
#endif

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all = {
      {"a long word", 50'000, [](auto n) { return encoding(std::string(n, 'a')); }},
      {"a long word of many merges", 50'000,
       [](auto n) { return encoding(repeated("the", n / 3)); }},
      {"spaces", 50'000, [](auto n) { return encoding(std::string(n, ' ')); }},
      {"one letter a word", 50'000, [](auto n) { return encoding(repeated(" a", n / 2)); }},
      {"masks between spaces", 50'000,
       [](auto n) { return encoding(repeated("   <mask>", n / 9)); }},
      {"beginnings of masks", 50'000, [](auto n) { return encoding(repeated("<mask", n / 5)); }},
      {"bytes that are no UTF-8", 50'000, [](auto n) { return encoding(std::string(n, '\xE2')); }},
      {"ids to decode", 50'000,
       [](auto n) {
         const std::vector<std::int64_t> ids(n, 84);
         return [ids] { tiny().decode(ids, true); };
       }},
      {"merges", 5'000, [](auto n) { return vocabulary(n, 2); }},
      {"merges of ids far apart", 5'000, [](auto n) { return vocabulary(n, 4096); }},
      {"added tokens", 5'000, added_tokens},
      {"levels of JSON", 50'000,
       [](auto n) {
         const std::string text = "{\"a\":" + std::string(n, '[') + std::string(n, ']') + "}";
         return [text] { bt::config_from_json(text, "config", no_limits()); };
       }},
      {"values of JSON", 50'000,
       [](auto n) {
         const std::string text = "{\"a\":[" + repeated("0,", n) + "0]}";
         return [text] { bt::config_from_json(text, "config", no_limits()); };
       }},
      {"keys of JSON", 100'000,
       [](auto n) {
         std::string text = "{\"a\":0";
         for (std::size_t i = 0; i < n; ++i) text += ",\"k" + std::to_string(i) + "\":0";
         text += "}";
         return [text] { bt::config_from_json(text, "config", no_limits()); };
       }},
      {"tensors of a safetensors file", 20'000,
       [](auto n) {
         const std::string bytes = safetensors(n);
         return [bytes] { bt::SafetensorsFile("file", bytes, no_limits()); };
       }},
      {"tensors of an index of shards", 20'000, shards},
      {"tensors of a pickle", 5'000, [](auto n) { return pickled_tensors(n, false); }},
      {"storages of a pickle", 5'000, [](auto n) { return pickled_tensors(n, true); }},
      {"values of a pickle", 50'000,
       [](auto n) { return torch(p::proto() + std::string(n, ']') + ".", 1); }},
      {"a list of a pickle", 50'000,
       [](auto n) { return torch(p::proto() + "](" + std::string(n, 'N') + "e.", 1); }},
      {"memo of a pickle", 20'000, memo},
      {"pictures of an index", 20'000, [](auto n) { return index_of(n, 0); }},
      {"failed files of an index", 20'000, [](auto n) { return index_of(1, n); }},
#ifdef BRIDGETOWER_LINEAR_SENTENCEPIECE
      {"pieces of a SentencePiece model", 5'000, pieces},
      {"letters of long pieces", 20'000, letters_of_long_pieces},
#endif
      {"chunks of a PNG", 50'000, png_of_chunks},
      {"rows of a PNG", 5'000, png_of_rows},
      {"segments of a JPEG", 100'000, jpeg_of_segments},
  };
  return all;
}

/// Of the processor, the shortest of some runs: others who use the machine do not count.
double seconds(const std::function<void()>& call, int runs) {
  double best = 1e9;
  for (int i = 0; i < runs; ++i) {
    const std::clock_t begin = std::clock();
    call();
    best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return best;
}

}  // namespace

int main(int argc, char**) {
  const bool quick = argc > 1;
#ifdef __GLIBC__
  // The allocator keeps its memory: what is timed is not the system, which gives pages.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
  std::printf("%-32s %8s %10s %10s %6s\n", "reader", "n", "n, ms", "2n, ms", "ratio");
  double largest = 0;
  for (const Reader& reader : readers()) {
    const std::size_t n = quick ? reader.n / 100 : reader.n;
    const double once = seconds(reader.prepare(n), quick ? 1 : 7);
    const double twice = seconds(reader.prepare(2 * n), quick ? 1 : 7);
    largest = std::max(largest, twice / once);
    std::printf("%-32s %8zu %10.2f %10.2f %6.2f\n", reader.name, n, 1e3 * once, 1e3 * twice,
                twice / once);
    std::fflush(stdout);
  }
  std::printf("largest ratio: %.2f\n", largest);
  std::error_code ignored;
  fs::remove_all(scratch(), ignored);
}
