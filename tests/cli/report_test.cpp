// The page of search --html in a real browser (Chromium, through its DevTools protocol): read with
// the keyboard and by a screen reader, in light and dark, wide and narrow, with hostile names.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/support/browser.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Browser;
using testing::Outcome;
using testing::read_all;
using testing::TemporaryDirectory;

const fs::path kRoot = fs::path(testing::test_data()) / "../..";
const fs::path kPictures = kRoot / "examples/pictures";
const std::string kModel = " --model " + (kRoot / "models/demo").string() + " ";

/// Pictures under friendly and hostile names, and one that is gone bad after it was indexed.
class ReportPage : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // a browser that has ended is an error, not the end of the test
    fs::create_directories(photos_);
    copy("red-boat-sea.png", "red-boat-sea.png");
    copy("red-hat-snow.png", "\"><img src=x onerror=hacked=1>'&amp;.png");
    copy("yellow-car-city.png", "line\nfeed \xff.png");
    copy("pink-cake-room.png", "bad.png");
    const Outcome built = run("index --images " + photos_.string() + " --output " + path("index"));
    ASSERT_EQ(built.status, 0) << built.error;
    std::ofstream(photos_ / "bad.png") << "no picture";
  }

  void copy(const std::string& picture, const std::string& name) const {
    fs::copy_file(kPictures / picture, photos_ / name);
  }
  Outcome run(const std::string& arguments) const {
    const std::size_t command = arguments.find(' ');
    return testing::run_program(testing::program(),
                                arguments.substr(0, command) + kModel + arguments.substr(command));
  }
  Outcome search(const std::string& more) const {
    return run("search --index " + path("index") + " --html " + path("report.html") + " " + more);
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string url() const { return "file://" + path("report.html"); }

  TemporaryDirectory directory_;
  fs::path photos_ = directory_.path() / "photos";
};

const std::string kQueries =
    "--text 'a red boat <script>hacked=1</script> on the \"<mask>\"' --image " +
    (kPictures / "red-hat-snow.png").string();

TEST_F(ReportPage, ShowsEveryResultAndNothingElse) {
  const Outcome found = search(kQueries);
  EXPECT_EQ(found.status, 1);  // one picture is bad
  Browser browser;
  browser.open(url());
  EXPECT_EQ(browser.evaluate("typeof hacked"), "undefined");
  EXPECT_EQ(browser.evaluate("document.documentElement.lang"), "en");
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('section').length"), 2);
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q1 ~ ol article').length"), 4);
  EXPECT_EQ(browser.evaluate("document.querySelector('h2').textContent"),
            "\u201ca red boat <script>hacked=1</script> on the \"<mask>\"\u201d");
  const json names =
      browser.evaluate("[...document.querySelectorAll('#q1 ~ ol h3 bdi')].map(e => e.textContent)");
  EXPECT_EQ(names.at(0), "red-boat-sea.png");
  for (const char* name :
       {"\"><img src=x onerror=hacked=1>'&amp;.png", "line\u240afeed \ufffd.png", "bad.png"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << names;
  }
  // Both scores as the program prints them.
  const double match = found.records().at(0)["match"];
  std::string percent = std::to_string(std::lround(match * 1000));
  percent.insert(percent.size() - 1, ".");
  EXPECT_EQ(browser
                .evaluate("[...document.querySelectorAll('#q1-1 ~ dl .number')].map(e => "
                          "e.textContent)")
                .at(0),
            percent + "\u00a0%");
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q1-1 ~ dl dt').length"), 2);
  // The bad picture, last, has its error and no picture; pictures have no words to look at others.
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q1-4 ~ .frame img').length"), 0);
  EXPECT_NE(browser.evaluate("document.querySelector('#q1-4 ~ .error').textContent")
                .get<std::string>()
                .find("expected the one that was indexed"),
            std::string::npos);
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q1 ~ ol .toggle').length"), 3);
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q2 ~ ol .toggle').length"), 0);
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q2 ~ ol .error').length"), 1);
  EXPECT_EQ(browser.evaluate("[...document.images].filter(i => i.getAttribute('src') && "
                             "!i.naturalWidth).length"),
            0);
  EXPECT_EQ(browser.complaints(), std::vector<std::string>());
}

TEST_F(ReportPage, IsUsedByKeyboardAndScreenReader) {
  search("--text 'a red boat on the <mask>'");
  Browser browser;
  browser.open(url());
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('.looks:not([hidden])').length"), 0);
  browser.press("Tab", 9);
  const std::string focus = "document.activeElement.";
  EXPECT_EQ(browser.evaluate(focus + "getAttribute('aria-controls')"), "q1-1-looks");
  EXPECT_EQ(browser.evaluate(focus + "getAttribute('aria-expanded')"), "false");
  browser.press("Enter", 13, "\r");
  EXPECT_EQ(browser.evaluate(focus + "getAttribute('aria-expanded')"), "true");
  EXPECT_TRUE(browser.evaluate("document.getElementById('q1-1-looks').checkVisibility()"));

  // The words in their order; the last one is the mask with its filling.
  const json words = browser.evaluate(
      "[...document.querySelectorAll('#q1-1-looks .words button')].map(e => e.textContent)");
  ASSERT_EQ(words.size(), 6U);
  EXPECT_EQ(words.at(2), "boat");
  EXPECT_EQ(words.at(5).get<std::string>().rfind("<mask> \u2192 ", 0), 0U);
  const std::string heat = "document.querySelector('#q1-1-looks img').";
  const json before = browser.evaluate(heat + "src");
  EXPECT_EQ(before.get<std::string>().rfind("data:image/jpeg;base64,", 0), 0U);
  const int shown = browser.evaluate(
      "[...document.querySelectorAll('#q1-1-looks .words button')].findIndex(e => "
      "e.getAttribute('aria-pressed') === 'true')");
  const int other = shown == 2 ? 1 : 2;
  for (int i = 0; i <= other; ++i) browser.press("Tab", 9);
  EXPECT_EQ(browser.evaluate(focus + "textContent"), words[static_cast<std::size_t>(other)]);
  browser.press("Space", 32, " ");
  EXPECT_EQ(browser.evaluate(focus + "getAttribute('aria-pressed')"), "true");
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('#q1-1-looks [aria-pressed=true]').length"),
            1);
  EXPECT_TRUE(browser.evaluate(heat + "src") != before);
  EXPECT_EQ(
      browser.evaluate(heat + "alt"),
      "Where the word " + words[static_cast<std::size_t>(other)].get<std::string>() + " looks");
  EXPECT_NE(browser.evaluate("document.querySelector('#q1-1-looks [aria-live]').textContent")
                .get<std::string>()
                .find("heads averaged"),
            std::string::npos);

  const std::vector<std::string> nodes = browser.accessible_nodes();
  for (const char* node :
       {"heading: Search results", "heading: \u201ca red boat on the <mask>\u201d",
        "image: red-boat-sea.png", "button: What each word looks at", "button: boat",
        "list: ", "main: ", "article: 1. red-boat-sea.png", "group: What each word looks at"}) {
    EXPECT_NE(std::find(nodes.begin(), nodes.end(), node), nodes.end()) << node;
  }

  browser.evaluate("document.querySelector('.toggle').focus()");
  browser.press("Enter", 13, "\r");
  EXPECT_EQ(browser.evaluate("document.querySelectorAll('.looks:not([hidden])').length"), 0);
  EXPECT_EQ(browser.complaints(), std::vector<std::string>());
}

/// The smallest contrast of any text with what is behind it, as WCAG 2 defines it.
const std::string kSmallestContrast = R"js((() => {
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let smallest = 21;
  for (const element of document.querySelectorAll("h1,h2,h3,p,dt,.number,button,.missing")) {
    if (!element.checkVisibility() || !element.textContent.trim()) continue;
    const a = light(parse(getComputedStyle(element).color)), b = light(behind(element));
    smallest = Math.min(smallest, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return smallest;
})())js";

TEST_F(ReportPage, IsLegibleInLightAndDarkWideAndNarrow) {
  search(kQueries);
  Browser browser;
  std::vector<json> backgrounds;
  for (const char* scheme : {"light", "dark"}) {
    for (const int width : {1280, 320}) {
      SCOPED_TRACE(std::string(scheme) + ", " + std::to_string(width) + " pixels");
      browser.emulate(width, 900, scheme);
      browser.open(url());
      browser.evaluate("document.querySelectorAll('.toggle').forEach((button) => button.click())");
      EXPECT_LE(browser.evaluate("document.documentElement.scrollWidth").get<int>(), width);
      EXPECT_GE(browser.evaluate(kSmallestContrast).get<double>(), 4.5);
      backgrounds.push_back(browser.evaluate("getComputedStyle(document.body).backgroundColor"));
    }
  }
  EXPECT_EQ(backgrounds[0], backgrounds[1]);
  EXPECT_NE(backgrounds[0], backgrounds[2]);
}

TEST_F(ReportPage, TellsWhatFailed) {
  // A query that the model cannot take has its error on the page.
  const Outcome failed = search("--text '" + std::string(20000, 'a') + " b'");
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(read_all(path("report.html")).find("class=\"error\">input_ids: "), std::string::npos);
  // One that has no words finds pictures, and each says why there is nothing to look at.
  EXPECT_EQ(search("--text ' ' --filter '*boat*'").status, 0);
  EXPECT_NE(read_all(path("report.html")).find("class=\"error\">text: words: "), std::string::npos);
  const Outcome nowhere =
      run("search --index " + path("index") + " --text boat --html " + path("none/r.html"));
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_EQ(nowhere.out, "");
  EXPECT_NE(nowhere.error.find("none/r.html: create"), std::string::npos);
}

}  // namespace
}  // namespace bridgetower
