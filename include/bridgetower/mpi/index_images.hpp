#pragma once

#include <bridgetower/mpi/communicator.hpp>
#include <bridgetower/search/index_images.hpp>

namespace bridgetower::mpi {

/// As bridgetower::index_images, with the other ranks' help: rank 0 hands out blocks of files on
/// demand, works itself on `options.threads` threads, and adds every finished block to its builder,
/// whose journal keeps it. Called by rank 0, while the others are in serve_index_images.
IndexingResult index_images(const Communicator& ranks, IndexBuilder& builder,
                            const Embedder& embedder, const ImageFiles& images,
                            const IndexingOptions& options = {});

/// Encodes blocks until rank 0 has no more. `threads` as in LoadOptions. All ranks have to see the
/// files under the same paths.
void serve_index_images(const Communicator& ranks, const Embedder& embedder, int threads = 0);

}  // namespace bridgetower::mpi
