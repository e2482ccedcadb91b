#include "cli/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <utility>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

/// "00:42", "13:07", "2:05:10"
std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  char text[32];
  const long long hours = whole / 3600;
  const int minutes = static_cast<int>(whole / 60 % 60);
  const int rest = static_cast<int>(whole % 60);
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", hours, minutes, rest);
  } else {
    std::snprintf(text, sizeof text, "%02d:%02d", minutes, rest);
  }
  return text;
}

}  // namespace

void ProgressBar::start(std::int64_t total, std::string unit) {
  enabled_ = lines_ || isatty(STDERR_FILENO) == 1;
  total_ = total;
  done_ = 0;
  unit_ = std::move(unit);
  started_ = shown_ = Clock::now();
}

std::string ProgressBar::line(double seconds) const {
  const double rate = static_cast<double>(done_) / seconds;
  return std::to_string(done_) + "/" + std::to_string(total_) + " " + unit_ + "  " +
         std::to_string(100 * done_ / total_) + " %  " + fixed(rate, 1) + "/s  " +
         clock_text(static_cast<double>(total_ - done_) / rate) + " left";
}

void ProgressBar::advance() {
  ++done_;
  const std::chrono::milliseconds moment(lines_ ? 10'000 : 200);
  const Clock::time_point now = Clock::now();
  if (!enabled_ || done_ >= total_ || now - shown_ < moment) return;
  erase();
  shown_ = now;
  std::cerr << line(std::chrono::duration<double>(now - started_).count()) + (lines_ ? "\n" : "")
            << std::flush;
  visible_ = !lines_;
}

void ProgressBar::erase() {
  if (visible_) std::cerr << "\r\x1b[K" << std::flush;
  visible_ = false;
}

}  // namespace bridgetower::cli
