#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace bridgetower::cli {

/// One line on stderr that tells how far a job is: `12/96 pairs  13 %  4.1/s  00:20 left`. Only
/// where stderr is a terminal, and only for work that takes longer than a moment; or a new line
/// every ten seconds, wherever stderr leads.
class ProgressBar {
 public:
  ProgressBar() = default;
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { erase(); }

  void use_lines() { lines_ = true; }

  /// `unit` names the items, e.g. "pairs".
  void start(std::int64_t total, std::string unit);
  void advance();

  /// Takes the line away, so that something else can be written.
  void erase();

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(double seconds) const;

  bool lines_ = false;
  bool enabled_ = false;
  bool visible_ = false;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
  std::string unit_;
  Clock::time_point started_;
  Clock::time_point shown_;
};

}  // namespace bridgetower::cli
