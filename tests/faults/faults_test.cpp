// Whatever the system refuses, at whichever call: a typed error comes out, no descriptor and no
// half-written file is left, and the same thing done again gives the same bits.
#include <gtest/gtest.h>

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/convert.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <bridgetower/search/export.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <bridgetower/search/index_images.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>

#include "tests/faults/injection.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::Call;
using testing::Injection;
using testing::SmallSteps;
using testing::TemporaryDirectory;

const std::string kData = testing::test_data();
const std::string kModel = kData + "/tiny_model";
const std::string kIndexModel(64, 'a');
constexpr std::int64_t kIndexSize = 8;

/// Something that a user does. `run` returns its answer, bit for bit; the others are left alone by
/// injections.
struct Scenario {
  std::function<std::string()> run;
  std::function<void()> prepare = [] {};  // before each run
  std::function<void()> look = [] {};     // after a run that may have failed
  std::function<std::string()> written = [] { return std::string(); };  // by a run that did not
};

LoadOptions two_threads() {
  LoadOptions options;
  options.threads = 2;
  return options;
}

std::string bytes_of(const Tensor<float>& tensor) {
  return {reinterpret_cast<const char*>(tensor.data()), tensor.size() * sizeof(float)};
}

std::int64_t open_files() {
  std::int64_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// Names and contents.
std::string contents(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::string all;
  for (const fs::path& file : files) {
    all += file.filename().string() + "\n" + testing::read_all(file) + "\n";
  }
  return all;
}

void expect_nothing_half_written(const fs::path& directory) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    EXPECT_EQ(entry.path().filename().string().find(".part"), std::string::npos) << entry.path();
  }
}

void make_empty(const fs::path& directory) {
  fs::remove_all(directory);
  fs::create_directories(directory);
}

/// A model and all that is read for it: were a file left out, the answer would be another.
Scenario loading(const fs::path& model) {
  return {[model] {
    const auto matcher = ImageTextMatcher::from_pretrained(model, two_threads());
    const BatchEncoding inputs =
        BridgeTowerProcessor::from_pretrained(model)(Image(60, 40, 3), "a cat on a chair");
    return std::to_string(matcher.model().fingerprint()) + bytes_of(inputs.pixel_values) +
           std::to_string(inputs.input_ids.size());
  }};
}

Scenario load_safetensors() { return loading(kModel); }

Scenario load_shards() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  ConvertOptions options;
  options.max_shard_bytes = 600'000;
  convert_checkpoint(kModel, directory->path(), options);
  Scenario scenario = loading(directory->path());
  scenario.look = [directory] {};  // keeps it
  return scenario;
}

Scenario load_pickle() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  for (const auto& entry : fs::directory_iterator(kModel)) {
    if (entry.path().extension() != ".safetensors") {
      fs::copy(entry.path(), directory->path() / entry.path().filename());
    }
  }
  fs::copy(kData + "/torch/tiny_float16.bin", directory->path() / "pytorch_model.bin");
  Scenario scenario = loading(directory->path());
  scenario.look = [directory] {};
  return scenario;
}

Scenario match() {
  const auto matcher =
      std::make_shared<ImageTextMatcher>(ImageTextMatcher::from_pretrained(kModel, two_threads()));
  return {[matcher] {
    const Image image = Image::load(kData + "/images/rgb.png");
    return bytes_of(matcher->logits(matcher->encode(image), matcher->encode("a cat on a chair")));
  }};
}

Scenario fill_mask() {
  const auto filler =
      std::make_shared<MaskFiller>(MaskFiller::from_pretrained(kModel, two_threads()));
  return {[filler] {
    std::string answer;
    const Image image = Image::load(kData + "/images/odd-420.jpg");
    const std::vector<FilledMask> masks = filler->fill(image, "a <mask> here");
    for (const MaskCandidate& word : masks.at(0).candidates) {
      answer += word.sequence + std::to_string(word.score) + "\n";
    }
    return answer;
  }};
}

Scenario embed() {
  const auto embedder =
      std::make_shared<Embedder>(Embedder::from_pretrained(kModel, two_threads()));
  return {[embedder] {
    const Image image = Image::load(kData + "/images/grey-16bit.png");
    return bytes_of(embedder->embed(image)) + bytes_of(embedder->embed("two cats")) +
           bytes_of(embedder->embed(image, "a cat"));
  }};
}

Scenario keep_states() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const auto matcher =
      std::make_shared<ImageTextMatcher>(ImageTextMatcher::from_pretrained(kModel, two_threads()));
  const auto image =
      std::make_shared<ImageState<float>>(matcher->encode(Image::load(kData + "/images/rgb.png")));
  const auto text = std::make_shared<TextState<float>>(matcher->encode("a cat"));
  const fs::path images = directory->path() / "image.safetensors";
  const fs::path texts = directory->path() / "text.safetensors";
  return {[=] {
            save_state(images, *image);
            save_state(texts, *text, DType::kBF16);
            return pack_state(load_image_state(images, matcher->model())) +
                   pack_state(load_text_state(texts, matcher->model()));
          },
          [directory] { make_empty(directory->path()); },
          [directory] { expect_nothing_half_written(directory->path()); }};
}

Scenario convert() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const fs::path out = directory->path() / "out";
  return {[out] {
            ConvertOptions options;
            options.dtype = DType::kBF16;
            options.max_shard_bytes = 300'000;
            convert_checkpoint(kModel, out, options);
            return std::string("converted");
          },
          [out] { fs::remove_all(out); },
          [out, directory] {
            if (!fs::exists(out)) return;
            expect_nothing_half_written(out);
            // The index of the shards is written last: what has one is whole.
            if (fs::exists(out / "model.safetensors.index.json")) {
              EXPECT_GT(open_checkpoint(out)->names().size(), 10U);
            }
          },
          [out] { return contents(out); }};
}

/// What the manifest names. A file of the index before stays where it could not be removed, until
/// the next commit.
std::string index_contents(const fs::path& directory) {
  const std::string manifest = testing::read_all(directory / "manifest.json");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const std::size_t generation = name.find('-') + 1;
    if (generation > 0 && manifest.find(name.substr(generation)) != std::string::npos) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::string all = manifest;
  for (const fs::path& file : files) all += testing::read_all(file) + "\n";
  return all;
}

void add_pictures(IndexBuilder& builder, int first, int last) {
  for (int i = first; i < last; ++i) {
    ImageRecord record;
    record.path = "picture " + std::to_string(i);
    Tensor<float> vector({kIndexSize});
    for (std::int64_t k = 0; k < kIndexSize; ++k) vector(k) = k == i % kIndexSize ? 0.8F : 0.1F;
    if (!builder.has(record)) builder.add(record, vector, std::string(6, 'x'));
  }
}

void build_index(const fs::path& directory, int first, int last, bool resume = false) {
  IndexBuilder::Options options;
  options.states = KeptStates{60, 6, DType::kBF16};
  options.graph = true;
  options.resume = resume;
  IndexBuilder builder(directory, kIndexModel, kIndexSize, options);
  builder.fail("no picture", InputError("no picture", "format"));
  add_pictures(builder, first, last);
  builder.commit();
}

/// A run that failed is resumed, and gives the index of a run that did not.
Scenario indexing(int there) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const fs::path index = directory->path() / "index";
  const fs::path whole = directory->path() / "whole";
  const fs::path before = directory->path() / "before";
  build_index(before, 0, there);
  build_index(whole, 0, 20);
  return {[index, there] {
            build_index(index, there, 20);
            return std::string("built");
          },
          [index, before, there] {
            fs::remove_all(index);
            if (there > 0) fs::copy(before, index);
          },
          [index, whole, there, directory] {
            if (there > 0) {
              const std::int64_t images = EmbeddingIndex::open(index, 1).images();
              EXPECT_TRUE(images == there || images == 20) << images;
            }
            build_index(index, there, 20, true);
            EXPECT_EQ(contents(index), contents(whole));
          },
          [index] { return index_contents(index); }};
}

Scenario build_new_index() { return indexing(0); }
Scenario extend_index() { return indexing(12); }

Scenario open_index() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  build_index(directory->path(), 0, 20);
  return {[directory] {
    const EmbeddingIndex index = EmbeddingIndex::open(directory->path(), 2);
    const Tensor<float> query = index.vector(7);
    NearestOptions approximate;
    approximate.approximate = true;
    std::string answer = index.state(3) + std::to_string(index.failed().size());
    for (const Neighbour& found : index.nearest(query)) answer += std::to_string(found.row) + " ";
    for (const Neighbour& found : index.nearest(query, approximate)) {
      answer += std::string(index.path(found.row)) + std::to_string(found.similarity);
    }
    return answer;
  }};
}

Scenario export_vectors() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  build_index(directory->path() / "index", 0, 20);
  const auto index =
      std::make_shared<EmbeddingIndex>(EmbeddingIndex::open(directory->path() / "index", 1));
  const fs::path out = directory->path() / "out";
  return {[=] {
            export_index(*index, ExportFormat::kSafetensors, out / "index.safetensors");
            export_index(*index, ExportFormat::kJsonl, out / "index.jsonl");
            return std::string("exported");
          },
          [out] { make_empty(out); }, [out, directory] { expect_nothing_half_written(out); }};
}

/// Four pictures, one of them with its state.
fs::path photos(const TemporaryDirectory& directory) {
  const fs::path photos = directory.path() / "photos";
  fs::create_directories(photos);
  for (const char* const name : {"rgb.png", "odd-420.jpg", "cmyk.jpg", "grey-alpha.png"}) {
    fs::copy(kData + "/images/" + name, photos / name);
  }
  return photos;
}

void index_photos(const fs::path& photos, const fs::path& index, const Embedder& embedder) {
  IndexBuilder::Options options;
  options.states = kept_states(embedder.model().config(), 10'000);
  options.states->max_bytes = options.states->bytes_each;
  IndexBuilder builder(index, model_fingerprint(kModel), embedder.size(), options);
  IndexingOptions indexing;
  indexing.threads = 2;
  index_images(builder, embedder, find_images({photos.string()}), indexing);
  builder.commit();
}

std::shared_ptr<Embedder> one_thread_embedder() {
  LoadOptions options;
  options.threads = 1;
  return std::make_shared<Embedder>(Embedder::from_pretrained(kModel, options));
}

Scenario index_pictures() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const fs::path pictures = photos(*directory);
  const fs::path index = directory->path() / "index";
  const auto embedder = one_thread_embedder();
  return {[=] {
            index_photos(pictures, index, *embedder);
            const EmbeddingIndex made = EmbeddingIndex::open(index, 1);
            for (const FailedImage& image : made.failed()) {
              throw IoError(image.path, image.message);  // as the index says it
            }
            return std::string("indexed");
          },
          [index] { fs::remove_all(index); },
          [index, directory] {
            if (fs::exists(index)) expect_nothing_half_written(index);
          },
          [index] { return index_contents(index); }};
}

Scenario search_and_rerank() {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const fs::path index = directory->path() / "index";
  index_photos(photos(*directory), index, *one_thread_embedder());
  const auto search = std::make_shared<TwoStageSearch>(
      TwoStageSearch::from_pretrained(kModel, EmbeddingIndex::open(index, 2), two_threads()));
  return {[search, directory] {
    std::string answer;
    for (const SearchResult& found : search->search("a cat on a chair")) {
      if (found.error) throw *found.error;
      answer += fs::path(found.image).filename().string() + std::to_string(found.score) + "\n";
    }
    return answer;
  }};
}

struct Named {
  const char* name;
  Scenario (*make)();
};
std::ostream& operator<<(std::ostream& out, const Named& named) { return out << named.name; }

const Named kScenarios[] = {
    {"LoadSafetensors", load_safetensors},
    {"LoadShards", load_shards},
    {"LoadPickle", load_pickle},
    {"Match", match},
    {"FillMask", fill_mask},
    {"Embed", embed},
    {"KeepStates", keep_states},
    {"Convert", convert},
    {"BuildIndex", build_new_index},
    {"ExtendIndex", extend_index},
    {"OpenIndex", open_index},
    {"Export", export_vectors},
    {"IndexPictures", index_pictures},
    {"Search", search_and_rerank},
};

/// What may come out: an Error, or std::bad_alloc where it was memory that was refused.
void expect_typed(const std::exception_ptr& failure, Call call) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const Error&) {
  } catch (const std::bad_alloc&) {
    EXPECT_TRUE(call == Call::kAllocation || call == Call::kMap);
  } catch (const std::exception& other) {
    ADD_FAILURE() << typeid(other).name() << ": " << other.what();
  }
}

std::string answer_of(const Scenario& scenario) {
  scenario.prepare();
  const std::string answer = scenario.run();
  return answer + scenario.written();
}

std::int64_t count_calls(const Scenario& scenario, Call call) {
  scenario.prepare();
  const Injection none(call, std::numeric_limits<std::int64_t>::max(), 0);
  scenario.run();
  return none.calls();
}

/// One call fails; what was done is then done again.
void fail_one(const Scenario& scenario, const std::string& expected, Call call, std::int64_t n,
              int error, Injection::Which which) {
  SCOPED_TRACE("call " + std::to_string(n));
  scenario.prepare();
  const std::int64_t files = open_files();
  std::exception_ptr failure;
  std::optional<std::string> answer;
  {
    const Injection injection(call, n, error, which);
    try {
      answer = scenario.run();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  expect_typed(failure, call);
  if (answer) *answer += scenario.written();
  EXPECT_EQ(answer.value_or(expected), expected);  // where what was refused was not needed
  failure = nullptr;
  EXPECT_EQ(open_files(), files);
  scenario.look();
  EXPECT_EQ(answer_of(scenario), expected);
}

/// Every one of them with BRIDGETOWER_FAULTS=all; without, about so many, spread evenly.
std::int64_t step_of(std::int64_t calls) {
  constexpr std::int64_t kFew = 40;
  const char* const wanted = std::getenv("BRIDGETOWER_FAULTS");
  return wanted != nullptr && std::string(wanted) == "all" ? 1 : calls / kFew + 1;
}

/// Returns how many calls were refused.
std::int64_t fail_each(const Scenario& scenario, Call call, int error, Injection::Which which) {
  const std::string expected = answer_of(scenario);
  const std::int64_t calls = count_calls(scenario, call);
  std::int64_t failed = 0;
  for (std::int64_t n = 1; n <= calls && !::testing::Test::HasFailure(); n += step_of(calls)) {
    fail_one(scenario, expected, call, n, error, which);
    ++failed;
  }
  return failed;
}

using OfAll = ::testing::TestWithParam<Named>;

TEST_P(OfAll, AnyAllocationMayFail) {
  const Scenario scenario = GetParam().make();
  const std::int64_t failed =
      fail_each(scenario, Call::kAllocation, ENOMEM, Injection::Which::kOne);
  RecordProperty("failures", std::to_string(failed));
  EXPECT_GT(failed, 20);
}

TEST_P(OfAll, MemoryMayBeUsedUpAtAnyPoint) {
  const Scenario scenario = GetParam().make();
  const std::int64_t failed =
      fail_each(scenario, Call::kAllocation, ENOMEM, Injection::Which::kAllFrom);
  RecordProperty("failures", std::to_string(failed));
  EXPECT_GT(failed, 20);
}

TEST_P(OfAll, AnyCallOfTheSystemMayFail) {
  const Scenario scenario = GetParam().make();
  const std::pair<Call, int> calls[] = {
      {Call::kOpen, EMFILE},   {Call::kStat, EIO},    {Call::kRead, EIO},
      {Call::kWrite, ENOSPC},  {Call::kSync, EIO},    {Call::kRename, EACCES},
      {Call::kTruncate, EIO},  {Call::kLock, ENOLCK}, {Call::kMap, ENOMEM},
      {Call::kThread, EAGAIN},
  };
  std::int64_t all = 0;
  for (const auto& [call, error] : calls) {
    SCOPED_TRACE("kind " + std::to_string(static_cast<int>(call)));
    for (const auto which : {Injection::Which::kOne, Injection::Which::kAllFrom}) {
      all += fail_each(scenario, call, error, which);
    }
  }
  RecordProperty("failures", std::to_string(all));
}

/// Signals and partial reads and writes are no failures.
TEST_P(OfAll, InterruptedAndShortCallsGoOn) {
  const Scenario scenario = GetParam().make();
  const std::string expected = answer_of(scenario);
  for (const Call call : {Call::kRead, Call::kWrite}) {
    const Injection injection(call, 1, EINTR, Injection::Which::kEverySecond);
    EXPECT_EQ(answer_of(scenario), expected);
  }
  const SmallSteps steps(4099);
  EXPECT_EQ(answer_of(scenario), expected);
}

INSTANTIATE_TEST_SUITE_P(Faults, OfAll, ::testing::ValuesIn(kScenarios),
                         [](const auto& named) { return named.param.name; });

}  // namespace
}  // namespace bridgetower
