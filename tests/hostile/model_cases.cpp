#include <sys/stat.h>

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/io/convert.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <cmath>
#include <cstdlib>

#include "tests/hostile/hostile.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/safetensors_bytes.hpp"

namespace bridgetower::hostile {
namespace {

namespace fs = std::filesystem;
using Ids = Tensor<std::int64_t>;
constexpr ErrorCode kFormat = ErrorCode::kFormat;
constexpr ErrorCode kInput = ErrorCode::kInput;
constexpr ErrorCode kIo = ErrorCode::kIo;
constexpr ErrorCode kShape = ErrorCode::kShape;

const fs::path kTiny = fs::path(testing::test_data()) / "tiny_model";

LoadOptions one_thread() {
  LoadOptions options;
  options.threads = 1;
  return options;
}

const BridgeTowerForImageAndTextRetrieval<float>& retrieval() {
  static const auto model =
      BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kTiny, one_thread());
  return model;
}

const BridgeTowerForMaskedLM<float>& masked() {
  static const auto model = BridgeTowerForMaskedLM<float>::from_pretrained(kTiny, one_thread());
  return model;
}

ForwardInputs<float> good_inputs() {
  ForwardInputs<float> inputs;
  inputs.input_ids = Ids({1, 4}, {0, 84, 61, 2});
  inputs.pixel_values.emplace(Shape{1, 3, 48, 48});
  return inputs;
}

using Change = std::function<void(ForwardInputs<float>&)>;

void add_tensors(Cases& cases) {
  const auto changed = [&](const std::string& name, const Change& change, ErrorCode code,
                           const std::string& message) {
    cases.refused_call(
        name,
        [change] {
          ForwardInputs<float> inputs = good_inputs();
          change(inputs);
          retrieval().forward(inputs);
        },
        code, message);
  };
  const auto ids = [&](const std::string& name, std::int64_t id) {
    changed(
        name,
        [id](auto& in) {
          in.input_ids = Ids({1, 3}, {0, id, 2});
        },
        kInput, "expected 0 to 319, got " + std::to_string(id));
  };
  ids("a negative id", -1);
  ids("an id behind the vocabulary", 320);
  ids("an id of 2^63 - 1", INT64_MAX);
  ids("an id of -2^63", INT64_MIN);
  changed(
      "no ids", [](auto& in) { in.input_ids.reset(); }, kInput, "input_ids: missing");
  changed(
      "ids of rank 1", [](auto& in) { in.input_ids = Ids({4}); }, kShape, "[batch, tokens]");
  changed(
      "ids of rank 0", [](auto& in) { in.input_ids = Ids(Shape{}); }, kShape, "[batch, tokens]");
  changed(
      "ids of no tokens",
      [](auto& in) {
        in.input_ids = Ids({1, 0});
      },
      kShape, "none of them 0");
  changed(
      "more tokens than positions",
      [](auto& in) {
        in.input_ids = Ids({1, 100});
      },
      kInput, "");
  changed(
      "a mask of another length",
      [](auto& in) {
        in.attention_mask = Ids({1, 5});
      },
      kShape, "attention_mask: shape: expected [1, 4], got [1, 5]");
  changed(
      "no picture", [](auto& in) { in.pixel_values.reset(); }, kInput, "pixel_values: missing");
  const auto pixels = [&](const std::string& name, const Shape& shape, ErrorCode code,
                          const std::string& message) {
    changed(
        name, [shape](auto& in) { in.pixel_values.emplace(shape); }, code, message);
  };
  pixels("a grey picture", {1, 1, 48, 48}, kShape, "expected [1, 3, 48, 48], got [1, 1, 48, 48]");
  pixels("a picture of rank 3", {3, 48, 48}, kShape, "[batch, channels, height, width]");
  pixels("a picture of no columns", {1, 3, 48, 0}, kShape, "none of them 0");
  pixels("a larger picture", {1, 3, 64, 48}, kShape, "");
  pixels("two pictures for one text", {2, 3, 48, 48}, kShape, "one for each image");
  changed(
      "a picture smaller than a patch",
      [](auto& in) {
        in.pixel_values.emplace(Shape{1, 3, 8, 8});
        in.interpolate_pos_encoding = true;
      },
      kShape, "");
  changed(
      "embeddings of another width",
      [](auto& in) {
        in.image_embeds.emplace(Shape{1, 10, 63});
      },
      kShape, "image_embeds");
  changed(
      "embeddings of too few rows",
      [](auto& in) {
        in.image_embeds.emplace(Shape{1, 0, 64});
      },
      kShape, "image_embeds");
  changed(
      "a token type of 7", [](auto& in) { in.image_token_type_idx = 7; }, kInput, "0 or 1, got 7");
  changed(
      "labels of another length", [](auto& in) { in.labels = Ids({2}); }, kShape, "labels");
  changed(
      "a label of 2", [](auto& in) { in.labels = Ids({1}, {2}); }, kInput, "2");
  changed(
      "a label of -2^63", [](auto& in) { in.labels = Ids({1}, {INT64_MIN}); }, kInput, "");
}

void add_calls(Cases& cases) {
  cases.refused_call(
      "a tensor of 2^63 elements",
      [] {
        Tensor<float>({std::int64_t{1} << 32, std::int64_t{1} << 31});
      },
      kShape, "a product below 2^62 bytes");
  cases.refused_call(
      "a tensor of a negative size", [] { Tensor<float>({-1}); }, kShape, "[-1]");
  cases.refused_call(
      "an item behind the batch", [] { retrieval().model().encode_image(good_inputs(), 1); },
      kInput, "item: expected 0 to 0, got 1");
  cases.refused_call(
      "item -1", [] { retrieval().model().encode_text(good_inputs(), -1, true); }, kInput,
      "got -1");
  cases.refused_call(
      "labels of the masked model beyond the vocabulary",
      [] {
        auto inputs = good_inputs();
        inputs.labels = Ids({1, 4}, {0, 1000000, 61, 2});
        masked().forward(inputs);
      },
      kInput, "1000000");
  cases.refused_call(
      "a layer of attention that is not there",
      [] {
        const auto filler = MaskFiller::from_pretrained(kTiny, one_thread());
        filler.fill(Image(48, 48, 3), "a <mask>", 1'000'000'000);
      },
      kInput, "top_k");
  cases.refused_call(
      "a text without a mask",
      [] { MaskFiller::from_pretrained(kTiny, one_thread()).fill(Image(48, 48, 3), "a", 1); },
      kInput, "mask");
  cases.refused_call(
      "-1 threads",
      [] {
        LoadOptions options;
        options.threads = -1;
        BridgeTowerModel<float>::from_pretrained(kTiny, options);
      },
      kInput, "threads");
}

/// The tiny checkpoint with another configuration.
std::string load_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  const fs::path folder = scratch() / "checkpoint";
  fs::create_directories(folder);
  if (!fs::exists(folder / "model.safetensors")) {
    fs::create_symlink(kTiny / "model.safetensors", folder / "model.safetensors");
  }
  std::string config = file_bytes(kTiny / "config.json");
  for (const auto& [from, to] : changes) config = replaced(config, from, to);
  put("checkpoint/config.json", config);
  BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(folder, one_thread());
  return "a model";
}

void add_checkpoints(Cases& cases) {
  const auto config = [&](const std::string& name, const std::string& from, const std::string& to,
                          const std::string& message, ErrorCode code = ErrorCode::kWeight) {
    cases.refused_call(
        name,
        [=] {
          load_with({{from, to}});
        },
        code, message);
  };
  config("a vocabulary of a million", R"("vocab_size": 320)", R"("vocab_size": 1048576)",
         "expected F32 [1048576, 64], got F32 [320, 64]");
  config("a picture of a million", R"("image_size": 48)", R"("image_size": 1048576)", "",
         ErrorCode::kLimit);
  config("a feed-forward part of a million", R"("intermediate_size": 48)",
         R"("intermediate_size": 1048576)", "[1048576, 64]");
  cases.refused_call(
      "1023 layers more than there are",
      [] {
        const std::string layers = R"("num_hidden_layers": 2,
    "pa)";
        load_with({{layers + "d", R"("num_hidden_layers": 1024,
    "pad)"},
                   {layers + "tch", R"("num_hidden_layers": 1024,
    "patch)"}});
      },
      ErrorCode::kWeight, " more");
}

const ImageState<float>& image_state() {
  static const auto state = retrieval().model().encode_image(good_inputs(), 0);
  return state;
}

std::string packed() { return pack_state(image_state()); }

std::string read_state(const std::string& bytes) {
  const auto state = load_image_state(put("state", bytes), retrieval().model());
  return std::to_string(state.layers.size()) + " layers";
}

void add_states(Cases& cases) {
  const auto changed = [&](const std::string& name, const std::string& from, const std::string& to,
                           ErrorCode code, const std::string& message) {
    cases.refused(
        name, [=] { return replaced(packed(), from, to); }, code, message);
  };
  cases.answered("as it should be", packed, "2 layers");
  cases.refused("an empty file", "", kFormat, "header: expected at least 8 bytes, got 0");
  cases.refused(
      "weights", [] { return file_bytes(kTiny / "model.safetensors"); }, kFormat,
      "format: expected \"bridgetower image state\"");
  cases.refused(
      "its first half", [] { return packed().substr(0, packed().size() / 2); }, kFormat,
      "data_offsets");
  cases.refused(
      "a byte more", [] { return packed() + "x"; }, kFormat, "file size");
  changed("another format", "bridgetower image state", "bridgetower other state", kFormat,
          "format: expected");
  changed("a version from the future", R"("version":"1")", R"("version":"2")", kFormat,
          "version: expected \"1\", got \"2\"");
  changed("no version", R"("version":)", R"("verslon":)", kFormat, "version");
  changed("a tensor of another name", "\"cls\"", "\"clz\"", kFormat, "\"cls\" is missing");
  changed("another type", R"("attended_own":{"dtype":"F32")", R"("attended_own":{"dtype":"I32")",
          kFormat, "expected F32 or BF16 [rows, width]");
  cases.refused(
      "another model's",
      [] {
        std::string bytes = packed();
        const std::size_t at = bytes.find(R"("model":")") + 9;
        bytes[at] = bytes[at] == '0' ? '1' : '0';
        return bytes;
      },
      kInput, "one of this model, got another model's");
  cases.refused(
      "numbers that are none",
      [] {
        std::string bytes = packed();
        return bytes.replace(bytes.size() - 4, 4, "\xFF\xFF\xFF\xFF");
      },
      kFormat, "finite numbers, got others");
  cases.refused_call(
      "rows for attention that are not there",
      [] {
        auto state = retrieval().model().encode_text(good_inputs(), 0, true);
        state.attended = std::vector<std::int64_t>{0, 1 << 20};
        retrieval().score(image_state(), state);
      },
      kInput, "text state: expected one of this model");
  cases.refused_call(
      "a state of 2^62 rows", [] { image_state_bytes(BridgeTowerConfig(), std::int64_t{1} << 62); },
      kInput, "rows");
  cases.refused_call(
      "a state without layers",
      [] {
        auto state = image_state();
        state.layers.clear();
        pack_state(state);
      },
      kInput, "layers: expected [rows, width] each, got none");
}

void add_files(Cases& cases) {
  const auto load = [](const fs::path& path) {
    BridgeTowerModel<float>::from_pretrained(path, one_thread());
  };
  cases.refused_call(
      "a directory that is not there", [=] { load("/nowhere"); }, kIo,
      "/nowhere/config.json: open: expected a regular file");
  cases.refused_call(
      "an empty directory",
      [=] {
        fs::create_directories(scratch() / "empty");
        load(scratch() / "empty");
      },
      kIo, "config.json: open");
  cases.refused_call(
      "a file for the directory", [=] { load(kTiny / "config.json"); }, kIo, "Not a directory");
  cases.refused_call(
      "a name with a zero byte", [] { SafetensorsFile(fs::path(std::string("a\0b", 3))); }, kIo,
      "a name with a zero byte");
  cases.refused_call(
      "a name of 5000 bytes", [] { Image::load(std::string(5000, 'x')); }, kIo,
      "File name too long");
  cases.refused_call(
      "a name with a line end and an escape", [] { Image::load("/nowhere/a\nb\x1b[31m.png"); }, kIo,
      "/nowhere/a\\x0ab\\x1b[31m.png");
  cases.refused_call(
      "a device", [] { Image::load("/dev/zero"); }, kIo, "got a device");
  cases.refused_call(
      "a directory for a file", [] { Image::load("/tmp"); }, kIo, "got a directory");
  cases.refused_call(
      "a pipe that nobody writes to",
      [] {
        ::mkfifo((scratch() / "pipe").c_str(), 0600);
        SafetensorsFile(scratch() / "pipe");
      },
      kIo, "got a FIFO");
  cases.refused_call(
      "a link to itself",
      [] {
        std::error_code there;
        fs::create_symlink("loop", scratch() / "loop", there);
        SafetensorsFile(scratch() / "loop");
      },
      kIo, "Too many levels of symbolic links");
}

void add_repositories(Cases& cases) {
  const auto find = [](const std::string& model, const std::string& revision) {
    ::setenv("HF_HUB_CACHE", (scratch() / "hub").c_str(), 1);
    find_model(model, revision);
  };
  const auto revision = [&](const std::string& name, const std::string& text) {
    cases.refused_call(
        name, [=] { find("ORG/NAME", text); }, kIo,
        "revision: expected a branch, a tag or a commit hash");
  };
  cases.refused_call(
      "a repository that is not there",
      [] {
        ::setenv("HF_HUB_CACHE", (scratch() / "no hub").c_str(), 1);
        find_model("ORG/NAME", "main");
      },
      kIo, "ORG/NAME: model: expected a directory, or revision main");
  revision("a revision above", "../../../etc");
  revision("an absolute revision", "/etc");
  revision("a revision without a name", "");
  revision("a revision with a zero byte", std::string("a\0b", 3));
  revision("a revision of dots", "refs/..");
  const auto commit = [&](const std::string& name, const std::string& text) {
    cases.refused_call(
        name,
        [=] {
          fs::create_directories(scratch() / "hub/models--ORG--NAME/refs");
          put("hub/models--ORG--NAME/refs/main", text);
          find("ORG/NAME", "main");
        },
        kIo, "commit: expected the name of a snapshot");
  };
  commit("a branch that leads above", "../../..\n");
  commit("a branch that leads elsewhere", "/etc\n");
  commit("a branch of line ends", "\n\n\n");
  cases.refused_call(
      "a branch of 2 KB",
      [=] {
        fs::create_directories(scratch() / "hub/models--ORG--NAME/refs");
        put("hub/models--ORG--NAME/refs/main", std::string(2048, 'a'));
        find("ORG/NAME", "main");
      },
      ErrorCode::kLimit, "at most 1024 bytes");
  cases.refused_call(
      "a snapshot that links out of the cache",
      [=] {
        const fs::path snapshot = scratch() / "hub/models--ORG--NAME/snapshots/abc";
        fs::create_directories(snapshot);
        fs::create_directories(scratch() / "hub/models--ORG--NAME/refs");
        put("hub/models--ORG--NAME/refs/main", "abc\n");
        std::error_code there;
        fs::create_symlink("/etc/passwd", snapshot / "config.json", there);
        find("ORG/NAME", "main");
      },
      kIo, "link: expected a file inside the cache");
  cases.refused_call(
      "a snapshot without its configuration",
      [] {
        fs::create_directories(scratch() / "hub/models--ORG--HALF/snapshots/abc");
        fs::create_directories(scratch() / "hub/models--ORG--HALF/refs");
        put("hub/models--ORG--HALF/refs/main", "abc\n");
        ::setenv("HF_HUB_CACHE", (scratch() / "hub").c_str(), 1);
        BridgeTowerConfig::from_pretrained("ORG/HALF");
      },
      kIo, "the snapshot is incomplete, to fetch the rest: hf download ORG/HALF");
  cases.refused_call(
      "a name of dots for a repository", [] { BridgeTowerConfig::from_pretrained("../.."); }, kIo,
      "config.json: open");
}

}  // namespace

std::vector<Case> forward_cases() {
  Cases cases("forward", [](const std::string&) { return std::string(); });
  add_tensors(cases);
  add_calls(cases);
  add_checkpoints(cases);
  return cases.take();
}

std::vector<Case> state_cases() {
  Cases cases("state", read_state);
  add_states(cases);
  return cases.take();
}

std::vector<Case> name_cases() {
  Cases cases("name", [](const std::string&) { return std::string(); });
  add_files(cases);
  add_repositories(cases);
  return cases.take();
}

}  // namespace bridgetower::hostile
