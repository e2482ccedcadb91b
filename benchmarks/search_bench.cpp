// Opening an index of random vectors and searching it, beside reading its vectors once.
//
//     BRIDGETOWER_SEARCH_IMAGES=1000000 search_bench --benchmark_repetitions=10
//         --benchmark_enable_random_interleaving --benchmark_min_time=0.3
//
// CPU is that of all threads. 512 numbers a vector, 10,000 of them without the variable; 2 threads
// unless BRIDGETOWER_THREADS says otherwise. The index is made in a temporary directory (TMPDIR)
// first.
#include <benchmark/benchmark.h>

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace {

namespace bt = bridgetower;
namespace fs = std::filesystem;

constexpr std::int64_t kSize = 512;

int setting(const char* name, int otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoi(value);
}

int threads() { return setting("BRIDGETOWER_THREADS", 2); }

bt::Tensor<float> random_vector(std::mt19937& random) {
  std::uniform_real_distribution<float> values(-0.1F, 0.1F);
  auto vector = bt::Tensor<float>::uninitialized({kSize});
  for (float& value : vector) value = values(random);
  return vector;
}

/// An index that goes away with the program.
class RandomIndex {
 public:
  RandomIndex() {
    std::string name = (fs::temp_directory_path() / "search_bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
    bt::IndexBuilder builder(directory_, std::string(64, '0'), kSize, {});
    std::mt19937 random(1);
    const int count = setting("BRIDGETOWER_SEARCH_IMAGES", 10'000);
    for (int i = 0; i < count; ++i) {
      bt::ImageRecord record;
      record.path = "photos/" + std::to_string(10'000'000 + i) + ".jpg";
      builder.add(record, random_vector(random));
    }
    builder.commit();
  }
  RandomIndex(const RandomIndex&) = delete;
  RandomIndex& operator=(const RandomIndex&) = delete;
  ~RandomIndex() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  const fs::path& directory() const { return directory_; }

 private:
  fs::path directory_;
};

const fs::path& directory() {
  static const RandomIndex index;
  return index.directory();
}

void open_index(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(bt::EmbeddingIndex::open(directory(), threads()));
  }
}

void search_index(benchmark::State& state) {
  const auto index = bt::EmbeddingIndex::open(directory(), threads());
  std::mt19937 random(2);
  const bt::Tensor<float> query = random_vector(random);
  for (auto _ : state) benchmark::DoNotOptimize(index.nearest(query));
  state.SetBytesProcessed(state.iterations() * index.images() * kSize * 4);
}

/// The numbers of all vectors, added up by as many threads from memory that was filled before.
void read_vectors(benchmark::State& state) {
  const auto index = bt::EmbeddingIndex::open(directory(), threads());
  auto vectors = bt::Tensor<float>::uninitialized({index.images(), kSize});
  for (std::int64_t row = 0; row < index.images(); ++row) {
    const bt::Tensor<float> vector = index.vector(row);
    std::memcpy(vectors.data() + row * kSize, vector.data(), kSize * sizeof(float));
  }
  bt::ThreadPool pool(threads());
  constexpr std::int64_t kRows = 4096, kLanes = 64;
  const std::int64_t parts = (index.images() + kRows - 1) / kRows;
  std::vector<float> sums(static_cast<std::size_t>(parts));
  for (auto _ : state) {
    pool.run(parts, [&](std::int64_t part) {
      const std::int64_t last = std::min(index.images(), (part + 1) * kRows) * kSize;
      float lanes[kLanes] = {};
      for (std::int64_t i = part * kRows * kSize; i < last; i += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += vectors.data()[i + lane];
      }
      for (const float sum : lanes) sums[static_cast<std::size_t>(part)] += sum;
    });
    benchmark::DoNotOptimize(sums.data());
  }
  state.SetBytesProcessed(state.iterations() * index.images() * kSize * 4);
}

BENCHMARK(open_index)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(search_index)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(read_vectors)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  directory();  // is not timed
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
