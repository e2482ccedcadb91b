#pragma once

#include <bridgetower/mpi/communicator.hpp>
#include <functional>

#include "cli/common.hpp"

namespace bridgetower::cli {

/// Run by every rank; rank 0 alone writes results.
using RankCommand = std::function<Status(const mpi::Communicator&)>;

RankCommand add_mpi_index(CLI::App& app);
RankCommand add_mpi_search(CLI::App& app);

/// Called by all. Throws InputError where a rank has another model than rank 0.
void check_same_model(const mpi::Communicator& ranks, const std::filesystem::path& model);

}  // namespace bridgetower::cli
