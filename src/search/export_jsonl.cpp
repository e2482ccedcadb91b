#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/json_guard.hpp"
#include "core/sha256.hpp"
#include "search/exports.hpp"
#include "search/path_json.hpp"

namespace bridgetower::detail {

std::string utc_time(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t whole = nanoseconds / kSecond;
  std::int64_t fraction = nanoseconds % kSecond;
  if (fraction < 0) {  // before 1970
    fraction += kSecond;
    --whole;
  }
  const std::time_t seconds = whole;
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
  const std::string digits = std::to_string(kSecond + fraction).substr(1);
  return std::string(text, length) + digits + "Z";
}

void export_jsonl(const EmbeddingIndex& index, BufferedSink& out) {
  using Json = nlohmann::ordered_json;
  for (std::int64_t row = 0; row < index.images(); ++row) {
    const ImageRecord record = index.record(row);
    const Tensor<float> vector = index.vector(row);
    Json line;
    const JsonGuard guard(line);
    make_object(line, 6);
    put_path(line, record.path);
    line["embedding"] = std::vector<float>(vector.begin(), vector.end());
    line["size"] = record.bytes;
    line["modified"] = utc_time(record.modified_ns);
    line["sha256"] = to_hex(record.sha256.data(), record.sha256.size());
    out.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
}

}  // namespace bridgetower::detail
