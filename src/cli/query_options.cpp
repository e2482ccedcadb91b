#include "cli/query_options.hpp"

namespace bridgetower::cli {

void QueryOptions::add_to(CLI::App& command) {
  command.add_option("--index", index, "directory that bridgetower index made");
  command.add_option("--text", texts, "sentences");
  command.add_option("--texts", text_file, "file of sentences, one a line; - for standard input");
  command.add_option("--top-k", search.top_k, "how many pictures to show")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  command
      .add_option("--rerank", search.rerank,
                  "how many pictures the matching head looks at; 0: none")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command.add_option("--filter", search.filter,
                     "only paths of this pattern, such as '*/2024/*' (* crosses /)");
  command.add_option("--min-score", search.min_score, "only pictures with at least this score");
}

std::vector<std::string> QueryOptions::sentences() const {
  std::vector<std::string> all = texts;
  if (text_file.empty()) return all;
  for (std::string& line : read_lines(text_file)) all.push_back(std::move(line));
  return all;
}

}  // namespace bridgetower::cli
