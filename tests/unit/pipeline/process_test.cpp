// What a program notices besides answers: threads, the floating-point environment, memory, files.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <cfenv>
#include <cstdlib>
#include <fstream>
#include <thread>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "tests/support/paths.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BRIDGETOWER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BRIDGETOWER_SANITIZED 1
#endif
#endif

namespace bridgetower {
namespace {

const std::string kModel = testing::test_data() + "/tiny_model";

#ifdef BRIDGETOWER_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

LoadOptions with_threads(int threads) {
  LoadOptions options;
  options.threads = threads;
  return options;
}

Image picture(int seed) {
  Image image(48, 48, 3);
  for (int i = 0; i < 48 * 48 * 3; ++i) image.data()[i] = static_cast<std::uint8_t>(i * seed / 7);
  return image;
}

std::int64_t entries(const char* directory) {
  std::int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}
std::int64_t threads_now() { return entries("/proc/self/task"); }

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

TEST(Threads, OneThreadStartsNone) {
  const std::int64_t before = threads_now();
  const auto matcher = ImageTextMatcher::from_pretrained(kModel, with_threads(1));
  matcher.logits(matcher.encode(picture(3)), matcher.encode("a cat"));
  EXPECT_EQ(threads_now(), before);
}

TEST(Threads, ManyCallersGetTheRightBitsOnTheModelsOwnThreads) {
  constexpr int kCallers = 6, kTeam = 3;
  const std::int64_t before = threads_now();
  const auto matcher = ImageTextMatcher::from_pretrained(kModel, with_threads(kTeam));
  EXPECT_EQ(threads_now(), before + kTeam - 1);
  std::vector<std::vector<float>> expected;
  const auto answer = [&](int i) {
    const auto image = matcher.encode(picture(i));
    const Tensor<float> logits = matcher.logits(image, matcher.encode("text " + std::to_string(i)));
    return std::vector<float>(logits.begin(), logits.end());
  };
  for (int i = 0; i < kCallers; ++i) expected.push_back(answer(i));
  std::atomic<int> wrong{0};
  std::atomic<std::int64_t> most{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      for (int repeat = 0; repeat < 20; ++repeat) {
        if (answer(i) != expected[static_cast<std::size_t>(i)]) ++wrong;
        const std::int64_t now = threads_now();
        std::int64_t seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(most, before + kTeam - 1 + kCallers);
}

#if defined(__SSE__)
TEST(FloatingPoint, TheCallersEnvironmentIsLeftAsItWas) {
  const auto matcher = ImageTextMatcher::from_pretrained(kModel, with_threads(2));
  const auto filler = MaskFiller::from_pretrained(kModel, with_threads(2));
  const auto embedder = Embedder::from_pretrained(kModel, with_threads(2));
  constexpr unsigned kFlags = 0x3F;  // what has happened so far is the callee's to set
  const unsigned normal = _mm_getcsr();
  const int rounding = std::fegetround();
  for (const unsigned extra : {0U, 0x8000U, 0x0040U, 0x8040U, 0x2000U, 0x6000U}) {
    const unsigned wanted = (normal & ~kFlags) | extra;
    _mm_setcsr(wanted);
    const auto image = matcher.encode(picture(3));
    matcher.logits(image, matcher.encode("a cat"));
    filler.fill(picture(3), "a <mask>");
    embedder.embed("a cat");
    embedder.embed(picture(3));
    const unsigned after = _mm_getcsr();
    _mm_setcsr(normal);
    EXPECT_EQ(after & ~kFlags, wanted) << extra;
    EXPECT_EQ(std::fegetround(), rounding);
  }
}
#endif

/// The variable's number, or a small one.
int rounds(const char* variable, int otherwise) {
  const char* const wanted = std::getenv(variable);
  return wanted != nullptr ? std::stoi(wanted) : kSanitized ? otherwise / 8 : otherwise;
}

/// Runs `work` and expects no more memory (1 MB) and files afterwards.
template <class Work>
void expect_nothing_kept(const Work& work) {
  malloc_trim(0);
  const std::int64_t memory = resident_bytes();
  const std::int64_t files = entries("/proc/self/fd");
  work();
  malloc_trim(0);
  EXPECT_EQ(entries("/proc/self/fd"), files);
  if (!kSanitized) {  // sanitizers keep freed memory
    EXPECT_LT(resident_bytes() - memory, 1 << 20);
  }
}

TEST(Soak, ManyMixedCallsLeaveMemoryFilesAndAnswersAsTheyWere) {
  const int calls = rounds("BRIDGETOWER_SOAK_ROUNDS", 2000);  // of three
  const auto matcher = ImageTextMatcher::from_pretrained(kModel, with_threads(1));
  const auto filler = MaskFiller::from_pretrained(kModel, with_threads(1));
  const auto embedder = Embedder::from_pretrained(kModel, with_threads(1));
  const auto image = matcher.encode(picture(3));
  const std::vector<std::string> texts{"a", "a cat", "a cat on a chair", "zz top"};
  const auto call = [&](int i) {
    const std::string& text = texts[static_cast<std::size_t>(i) % texts.size()];
    std::vector<float> answer;
    const auto add = [&](const Tensor<float>& t) {
      answer.insert(answer.end(), t.begin(), t.end());
    };
    add(matcher.logits(image, matcher.encode(text)));
    add(embedder.embed(text));
    answer.push_back(filler.fill(image, text + " <mask>", 2)[0].candidates[0].score);
    return answer;
  };
  const std::vector<float> first = call(0);
  for (int i = 0; i < calls / 4; ++i) call(i);
  expect_nothing_kept([&] {
    for (int i = 0; i < calls; ++i) call(i);
  });
  EXPECT_EQ(call(0), first);
}

TEST(Soak, ManyLoadsLeaveMemoryFilesAndAnswersAsTheyWere) {
  const int loads = rounds("BRIDGETOWER_SOAK_LOADS", 80);
  const Image image = picture(3);
  const auto call = [&] {
    const auto matcher = ImageTextMatcher::from_pretrained(kModel, with_threads(2));
    const Tensor<float> logits = matcher.logits(matcher.encode(image), matcher.encode("a cat"));
    return std::vector<float>(logits.begin(), logits.end());
  };
  const std::vector<float> first = call();
  for (int i = 0; i < loads / 4; ++i) call();
  expect_nothing_kept([&] {
    for (int i = 0; i < loads; ++i) call();
  });
  EXPECT_EQ(call(), first);
}

}  // namespace
}  // namespace bridgetower
