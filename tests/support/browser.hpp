#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace bridgetower::testing {

/// Chromium without a window, spoken to through the pipe of its DevTools protocol. Throws
/// std::runtime_error where it is missing or does not answer.
class Browser {
 public:
  Browser() {
    std::array<int, 2> to{}, from{};
    if (pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0) fail("no pipes");
    const std::string profile = "--user-data-dir=" + profile_.path().string();
    child_ = fork();
    if (child_ == 0) run(to[0], from[1], profile);
    close(to[0]);
    close(from[1]);
    to_ = to[1];
    from_ = from[0];
    const Json targets = call("Target.getTargets");
    for (const Json& target : targets["targetInfos"]) {
      if (target["type"] != "page") continue;
      session_ =
          call("Target.attachToTarget", {{"targetId", target["targetId"]}, {"flatten", true}})
              .at("sessionId");
      break;
    }
    call("Page.enable");
    call("Network.enable");
    call("Log.enable");
    call("Runtime.enable");
  }

  ~Browser() {
    close(to_);
    close(from_);
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Opens a page and waits until it has loaded.
  void open(const std::string& url) {
    events_.clear();
    call("Page.navigate", {{"url", url}});
    const auto loaded = [](const Json& event) { return event["method"] == "Page.loadEventFired"; };
    while (std::none_of(events_.begin(), events_.end(), loaded)) events_.push_back(receive());
  }

  /// The value of a JavaScript expression.
  nlohmann::json evaluate(const std::string& expression) {
    const Json result =
        call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}});
    if (result.contains("exceptionDetails")) fail(result["exceptionDetails"].dump());
    return result["result"].value("value", Json());
  }

  /// Presses and releases a key as a keyboard does, e.g. ("Tab", 9) or ("Enter", 13, "\r"). `key`
  /// is the protocol's "code", which is also its "key" where the text is not printable.
  void press(const std::string& key, int code, const std::string& text = "") {
    Json event = {{"type", text.empty() ? "rawKeyDown" : "keyDown"},
                  {"key", text == " " ? text : key},
                  {"code", key},
                  {"windowsVirtualKeyCode", code}};
    if (!text.empty()) event["text"] = text;
    call("Input.dispatchKeyEvent", event);
    event["type"] = "keyUp";
    event.erase("text");
    call("Input.dispatchKeyEvent", event);
  }

  /// What the page is shown on.
  void emulate(int width, int height, const std::string& colour_scheme) {
    call("Emulation.setDeviceMetricsOverride",
         {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
    call("Emulation.setEmulatedMedia",
         {{"features", {{{"name", "prefers-color-scheme"}, {"value", colour_scheme}}}}});
  }

  /// What a screen reader is told: "role: name" of every node that is not ignored.
  std::vector<std::string> accessible_nodes() {
    std::vector<std::string> nodes;
    const Json tree = call("Accessibility.getFullAXTree");
    for (const Json& node : tree["nodes"]) {
      if (node.value("ignored", false) || !node.contains("role")) continue;
      nodes.push_back(node["role"]["value"].get<std::string>() + ": " +
                      (node.contains("name") ? node["name"].value("value", "") : ""));
    }
    return nodes;
  }

  /// Requests that left the page (not data: URIs), exceptions and messages of the console.
  std::vector<std::string> complaints() const {
    std::vector<std::string> all;
    for (const Json& event : events_) {
      const std::string method = event["method"];
      if (method == "Runtime.exceptionThrown" || method == "Log.entryAdded") {
        all.push_back(event.dump());
      }
      if (method != "Network.requestWillBeSent") continue;
      const std::string url = event["params"]["request"]["url"];
      if (url.rfind("data:", 0) != 0 && event["params"].value("type", "") != "Document") {
        all.push_back(url);
      }
    }
    return all;
  }

  /// The bytes of a PNG file, in base64.
  std::string screenshot() {
    return call("Page.captureScreenshot", {{"captureBeyondViewport", true}}).at("data");
  }

 private:
  using Json = nlohmann::json;

  [[noreturn]] static void fail(const std::string& why) {
    throw std::runtime_error("browser: " + why);
  }

  /// In the child: descriptors 3 and 4 are the protocol's.
  [[noreturn]] static void run(int in, int out, const std::string& profile) {
    const int high_in = fcntl(in, F_DUPFD_CLOEXEC, 10);
    const int high_out = fcntl(out, F_DUPFD_CLOEXEC, 10);
    dup2(high_in, 3);
    dup2(high_out, 4);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    execlp("chromium", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
           "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
           "--remote-debugging-pipe", profile.c_str(), "about:blank", nullptr);
    _exit(127);
  }

  Json call(const std::string& method, Json parameters = Json::object()) {
    Json message = {{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
    if (!session_.empty()) message["sessionId"] = session_;
    const std::string text = message.dump();
    const std::size_t size = text.size() + 1;  // the zero byte ends it
    for (std::size_t done = 0; done < size;) {
      const ssize_t count = write(to_, text.c_str() + done, size - done);
      if (count < 0) fail("cannot be written to; is chromium installed?");
      done += static_cast<std::size_t>(count);
    }
    for (;;) {
      Json answer = receive();
      if (answer.value("id", 0) != last_id_) {
        if (answer.contains("method")) events_.push_back(std::move(answer));
        continue;
      }
      if (answer.contains("error")) fail(method + ": " + answer["error"].dump());
      return answer["result"];
    }
  }

  Json receive() {
    std::size_t end = 0;
    while ((end = received_.find('\0')) == std::string::npos) {
      pollfd wait{from_, POLLIN, 0};
      if (poll(&wait, 1, kTimeoutMs) <= 0) fail("no answer");
      std::array<char, 65536> bytes{};
      const ssize_t count = read(from_, bytes.data(), bytes.size());
      if (count <= 0) fail("has ended; is chromium installed?");
      received_.append(bytes.data(), static_cast<std::size_t>(count));
    }
    Json message = Json::parse(received_.substr(0, end));
    received_.erase(0, end + 1);
    return message;
  }

  static constexpr int kTimeoutMs = 60000;

  TemporaryDirectory profile_;
  pid_t child_ = -1;
  int to_ = -1;
  int from_ = -1;
  int last_id_ = 0;
  std::string session_;
  std::string received_;
  std::vector<Json> events_;
};

}  // namespace bridgetower::testing
