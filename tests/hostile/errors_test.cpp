// docs/errors.md says what the source says: every code, and messages that really come.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/core/cancellation.hpp>
#include <cctype>
#include <set>
#include <sstream>

#include "tests/hostile/hostile.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower::hostile {
namespace {

std::string docs() {
  return file_bytes(std::filesystem::path(testing::test_data()) / "../../docs/errors.md");
}

/// The cells of a row of a table; a cell in backquotes without them.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all;
  for (std::size_t begin = line.find('|'); begin != std::string::npos;) {
    const std::size_t end = line.find(" |", begin + 1);
    if (end == std::string::npos) break;
    std::string cell = line.substr(begin + 2, end - begin - 2);
    if (cell.size() > 1 && cell.front() == '`' && cell.back() == '`') {
      cell = cell.substr(1, cell.size() - 2);
    }
    all.push_back(cell);
    begin = end + 1;
  }
  return all;
}

/// Rows below the table's head that begins so.
std::vector<std::vector<std::string>> table(const std::string& head) {
  std::istringstream lines(docs().substr(docs().find(head)));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);  // the rule below the head
  while (std::getline(lines, line) && !line.empty()) rows.push_back(cells(line));
  return rows;
}

std::set<std::string> codes() {
  std::set<std::string> all;
  for (int code = 0;; ++code) {
    const std::string name = to_string(static_cast<ErrorCode>(code));
    if (name == "unknown") return all;
    all.insert(name);
  }
}

/// A message behind its place, with every word of digits as N: places and sizes are others each
/// time.
std::string outline(const std::string& message) {
  const std::string rest = message.substr(std::min(message.find(": "), message.size()));
  std::string text;
  for (std::size_t i = 0; i < rest.size();) {
    std::size_t end = i;
    bool digits = false;
    for (; end < rest.size() && std::isxdigit(static_cast<unsigned char>(rest[end])) != 0; ++end) {
      digits |= std::isdigit(static_cast<unsigned char>(rest[end])) != 0;
    }
    text += digits ? "N" : rest.substr(i, std::max<std::size_t>(end - i, 1));
    i = std::max(end, i + 1);
  }
  return text;
}

/// Whether a message reads so; "…" stands for any text.
bool reads(const std::string& message, const std::string& pattern) {
  const std::string text = outline(message);
  std::size_t at = 0;
  const std::string wanted = outline(pattern);
  for (std::size_t begin = 0; begin < wanted.size();) {
    const std::size_t end = std::min(wanted.find("…", begin), wanted.size());
    const std::string piece = wanted.substr(begin, end - begin);
    at = text.find(piece, at);
    if (at == std::string::npos) return false;
    at += piece.size();
    begin = std::min(end + std::string("…").size(), wanted.size());
  }
  return true;
}

struct Seen {
  std::string code;
  std::string message;
};

/// What every hostile case says, and a call that is cancelled.
const std::vector<Seen>& all_messages() {
  static const std::vector<Seen> all = [] {
    std::vector<Seen> seen;
    const auto hear = [&seen](const auto& call) {
      try {
        call();
      } catch (const Error& error) {
        seen.push_back({to_string(error.code()), error.what()});
      }
    };
    for (const Group& group : groups()) {
      for (const Case& hostile : group.cases()) {
        hear([&] { hostile.read(hostile.bytes.make()); });
      }
    }
    hear([] {
      Cancellation stop;
      stop.request();
      const CancellationScope scope(stop);
      check_cancelled();
    });
    return seen;
  }();
  return all;
}

void expect_real(const std::string& pattern, const std::string& code) {
  const bool found = std::any_of(all_messages().begin(), all_messages().end(), [&](const Seen& s) {
    return (code.empty() || s.code == code) && reads(s.message, pattern);
  });
  EXPECT_TRUE(found) << "no case has this message: " << pattern << "\n" << outline(pattern);
}

TEST(ErrorsPage, HasEveryCodeOnceWithAMessageThatComes) {
  std::set<std::string> documented;
  for (const auto& row : table("| code | type |")) {
    ASSERT_EQ(row.size(), 5U) << row.front();
    EXPECT_TRUE(documented.insert(row[0]).second) << row[0];
    expect_real(row[3], row[0]);
  }
  EXPECT_EQ(documented, codes());
}

TEST(ErrorsPage, HasMessagesThatCome) {
  const auto rows = table("| message | what it means |");
  EXPECT_GE(rows.size(), 10U);
  for (const auto& row : rows) expect_real(row.front(), "");
}

}  // namespace
}  // namespace bridgetower::hostile
