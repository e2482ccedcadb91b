#include <unistd.h>

#include <bridgetower/mpi/watch.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <iostream>
#include <new>
#include <optional>

#include "cli/mpi/commands.hpp"

namespace bridgetower::cli {
namespace {

constexpr std::chrono::seconds kPatience(30);

/// One line on stderr, whatever the message holds.
void complain(const std::string& message) {
  std::string line = "bridgetower-mpi: " + message;
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::cerr << line + "\n" << std::flush;
}

/// The other ranks may be waiting for this one: all end.
int abort_job(const mpi::Communicator& ranks, const std::string& message, Status status) {
  complain("rank " + std::to_string(ranks.rank()) + ": " + message);
  ::alarm(10);  // ends this rank where MPI waits for a host that does not answer
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(status));
  return static_cast<int>(status);
}

int run(const mpi::Communicator& ranks, const RankCommand& command) {
  try {
    return static_cast<int>(command(ranks));
  } catch (const UsageError& error) {
    return abort_job(ranks, error.what(), Status::kUsage);
  } catch (const Error& error) {
    return abort_job(ranks, error.what(), Status::kFailed);
  } catch (const std::bad_alloc&) {
    return abort_job(ranks, "out of memory", Status::kFailed);
  } catch (const std::exception& error) {
    return abort_job(ranks, std::string("internal error: ") + error.what(), Status::kFailed);
  }
}

int parse_and_run(const mpi::Communicator& ranks, int argc, char** argv) {
  CLI::App app("Pictures and sentences on many machines", "bridgetower-mpi");
  app.set_version_flag("--version", "bridgetower-mpi " BRIDGETOWER_VERSION);
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, RankCommand>> commands;
  for (const auto add : {add_mpi_index, add_mpi_search}) {
    RankCommand function = add(app);
    commands.emplace_back(app.get_subcommands({}).back(), std::move(function));
    // mpirun may show every rank a terminal, whoever reads it.
    commands.back()
        .first->get_option("--format")
        ->description("text, json or jsonl")
        ->default_val("jsonl");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_answer = error.get_exit_code() == 0;  // --help
    if (ranks.rank() == 0) {
      if (is_answer) return app.exit(error, std::cout, std::cerr);
      complain(std::string(error.what()) + " (bridgetower-mpi --help tells more)");
    }
    return static_cast<int>(is_answer ? Status::kDone : Status::kUsage);
  }
  for (const auto& [command, function] : commands) {
    if (app.got_subcommand(command)) return run(ranks, function);
  }
  return static_cast<int>(Status::kUsage);
}

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  const mpi::Communicator ranks(MPI_COMM_WORLD);
  std::optional<mpi::Watch> watch;
  if (provided == MPI_THREAD_MULTIPLE) {
    watch.emplace(MPI_COMM_WORLD, kPatience, [&](int rank) {
      abort_job(ranks,
                "rank " + std::to_string(rank) + " has not answered for " +
                    std::to_string(kPatience.count()) +
                    " s: it is stopped, or its host or the network between is down",
                Status::kFailed);
    });
  }
  const int status = parse_and_run(ranks, argc, argv);
  watch.reset();
  MPI_Finalize();
  return status;
}

}  // namespace

void check_same_model(const mpi::Communicator& ranks, const std::filesystem::path& model) {
  std::string own;
  if (ranks.rank() == 0) own = model_fingerprint(model);  // what is wrong is said once
  const std::string first = ranks.broadcast(own);
  if (ranks.rank() != 0) own = model_fingerprint(model);
  if (own != first) throw InputError(model.string(), "model", "rank 0's, " + first, own);
}

}  // namespace bridgetower::cli

int main(int argc, char** argv) { return bridgetower::cli::main(argc, argv); }
