#include "cli/shard.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

constexpr std::int64_t kMaxShards = 1'000'000;

/// The variables by which a scheduler tells a process its number and how many there are.
struct Scheduler {
  const char* index;
  const char* count;
  const char* first;  ///< the lowest number; absent: 0
  const char* step;   ///< from one number to the next; absent: 1
};
constexpr Scheduler kSchedulers[] = {
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
     "SLURM_ARRAY_TASK_STEP"},
    {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", nullptr, nullptr},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", nullptr, nullptr},
    {"PMI_RANK", "PMI_SIZE", nullptr, nullptr},
};

const char* variable(const char* name) { return name == nullptr ? nullptr : std::getenv(name); }

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || value < 0) {
    return std::nullopt;
  }
  return value;
}

std::int64_t number_in(const char* name, std::int64_t otherwise) {
  const char* const text = variable(name);
  if (text == nullptr) return otherwise;
  const auto value = whole_number(text);
  if (!value) throw UsageError(std::string(name) + ": expected a whole number, got " + text);
  return *value;
}

Shard checked(std::int64_t index, std::int64_t count, const std::string& place) {
  if (count >= 1 && count <= kMaxShards && index >= 0 && index < count) return {index, count};
  throw UsageError(place + ": expected i/N with i from 0 to N - 1 and N up to " +
                   std::to_string(kMaxShards) + ", got " + std::to_string(index) + "/" +
                   std::to_string(count));
}

Shard shard_of_process() {
  for (const Scheduler& scheduler : kSchedulers) {
    if (variable(scheduler.index) == nullptr) continue;
    if (variable(scheduler.count) == nullptr) {
      throw UsageError("--shard auto: " + std::string(scheduler.index) + " is set, " +
                       scheduler.count + " is not");
    }
    const std::int64_t step = number_in(scheduler.step, 1);
    const std::int64_t index = number_in(scheduler.index, 0) - number_in(scheduler.first, 0);
    if (step < 1 || index % step != 0) {
      throw UsageError(std::string(scheduler.step) + ": does not fit " + scheduler.index);
    }
    return checked(index / step, number_in(scheduler.count, 1), scheduler.index);
  }
  std::string names;
  for (const Scheduler& scheduler : kSchedulers) {
    names += (names.empty() ? "" : ", ") + std::string(scheduler.index);
  }
  throw UsageError("--shard auto: expected one of " + names + " to be set, got none");
}

}  // namespace

Shard shard_from(const std::string& argument) {
  if (argument == "auto") return shard_of_process();
  const std::size_t slash = argument.find('/');
  const auto index = whole_number(argument.substr(0, slash));
  const auto count =
      slash == std::string::npos ? std::nullopt : whole_number(argument.substr(slash + 1));
  if (!index || !count) {
    throw UsageError("--shard: expected i/N, such as 0/8, or auto, got " + argument);
  }
  return checked(*index, *count, "--shard");
}

}  // namespace bridgetower::cli
