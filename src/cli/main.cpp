#include <bridgetower/ops/detail/kernels.hpp>
#include <bridgetower/ops/detail/onednn_matrix.hpp>
#include <bridgetower/preprocessing/image/image.hpp>
#include <iostream>
#include <new>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

std::string version() {
  const std::string onednn = ops::detail::OneDnnMatrix::version();
  return std::string("bridgetower " BRIDGETOWER_VERSION "\nbackends: auto (") +
         detail::kernels().name + " kernels), eigen" +
         (onednn.empty() ? "" : ", onednn (" + onednn + ")") +
         "\nJPEG: " + std::string(jpeg_decoder());
}

/// One line on stderr, whatever the message holds.
void complain(const std::string& message) {
  std::string line = message;
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::cerr << "bridgetower: " << line << '\n';
}

Status run(CLI::App& app, const std::vector<std::pair<CLI::App*, Command>>& commands) {
  try {
    for (const auto& [command, function] : commands) {
      if (app.got_subcommand(command)) return function();
    }
    return Status::kUsage;
  } catch (const UsageError& error) {
    complain(error.what());
    return Status::kUsage;
  } catch (const Error& error) {
    complain(error.what());
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& error) {
    complain(std::string("internal error: ") + error.what());
  }
  return Status::kFailed;
}

int main(int argc, char** argv) {
  CLI::App app("Hugging Face's vision-language model BridgeTower, in C++", "bridgetower");
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Command>> commands;
  for (const auto add : {add_match, add_fill_mask, add_attention, add_similarity, add_embed,
                         add_index, add_merge, add_search, add_tokenize, add_detokenize,
                         add_preprocess, add_convert, add_info, add_run, add_verify, add_bench}) {
    Command function = add(app);
    commands.emplace_back(app.get_subcommands({}).back(), std::move(function));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help
    complain(std::string(error.what()) + " (bridgetower --help tells more)");
    return static_cast<int>(Status::kUsage);
  }
  return static_cast<int>(run(app, commands));
}

}  // namespace
}  // namespace bridgetower::cli

int main(int argc, char** argv) { return bridgetower::cli::main(argc, argv); }
