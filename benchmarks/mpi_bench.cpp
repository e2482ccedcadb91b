// What rank 0 of an MPI job does with a block of 64 pictures that another rank has made: it unpacks
// the message and keeps the vectors in the journal of the index. Items are pictures. 512 numbers a
// vector; the index lies in a temporary directory (TMPDIR).
#include <benchmark/benchmark.h>

#include <bridgetower/search/index_builder.hpp>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "mpi/encoded_images.hpp"

namespace {

namespace bt = bridgetower;
namespace fs = std::filesystem;

constexpr std::int64_t kSize = 512;
constexpr int kBlock = 64;

std::vector<bt::EncodedImage> random_block() {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> values(-0.1F, 0.1F);
  std::vector<bt::EncodedImage> block(kBlock);
  for (int i = 0; i < kBlock; ++i) {
    bt::EncodedImage& image = block[static_cast<std::size_t>(i)];
    image.file.path = "/data/photos/2024/" + std::to_string(10'000'000 + i) + ".jpg";
    image.file.bytes = 4'000'000;
    image.file.modified_ns = 1'700'000'000'000'000'000;
    image.file.sha256.fill(static_cast<unsigned char>(i));
    image.vector = bt::Tensor<float>::uninitialized({kSize});
    for (float& value : image.vector) value = values(random);
  }
  return block;
}

void keep_block(benchmark::State& state) {
  std::string directory = (fs::temp_directory_path() / "mpi_bench-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) throw std::runtime_error("no temporary directory");
  const std::string message = bt::mpi::pack_images(random_block());
  {
    bt::IndexBuilder builder(directory, std::string(64, '0'), kSize, {});
    for (auto _ : state) {
      for (const bt::EncodedImage& image : bt::mpi::unpack_images(message)) {
        bt::add_encoded(builder, image);
      }
    }
  }
  fs::remove_all(directory);
  state.SetItemsProcessed(state.iterations() * kBlock);
  state.counters["message_bytes"] = static_cast<double>(message.size()) / kBlock;
}
BENCHMARK(keep_block)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
