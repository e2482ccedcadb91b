#include "cli/index_options.hpp"

namespace bridgetower::cli {

CLI::Option* IndexOptions::add_to(CLI::App& command) {
  CLI::Option* const pictures =
      command.add_option("--images", images, "PNG or JPEG files, or directories of them");
  command.add_option("--output", output, "directory of the index");
  command
      .add_flag("--resume", resume,
                "go on with what a run that was killed left; without it that is dropped")
      ->needs(pictures);
  command.add_option("--vectors", vectors, "how vectors are stored: float32 or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str()
      ->needs(pictures);
  return pictures;
}

LoadOptions IndexOptions::load_options() const {
  LoadOptions load = model.load_options();
  load.threads = 1;
  return load;
}

Embedder IndexOptions::load_embedder(const std::filesystem::path& directory) const {
  return Embedder::from_pretrained(directory, load_options());
}

IndexBuilder::Options IndexOptions::builder_options() const {
  IndexBuilder::Options build;
  build.resume = resume;
  build.type = vectors == "float32" ? VectorType::kFloat32 : VectorType::kBFloat16;
  return build;
}

IndexingOptions IndexOptions::indexing_options() {
  IndexingOptions indexing;
  indexing.threads = model.threads;
  indexing.start = [this](std::size_t total) { results.start_progress(total, "pictures"); };
  indexing.advance = [this] { results.advance(); };
  return indexing;
}

}  // namespace bridgetower::cli
