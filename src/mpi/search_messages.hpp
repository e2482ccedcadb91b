#pragma once

#include <bridgetower/search/two_stage_search.hpp>
#include <string>
#include <vector>

// What ranks send each other in a search, as MessagePack. Numbers come back bit for bit.
namespace bridgetower::mpi {

struct Request {
  std::string text;
  Tensor<float> query;    ///< [E], the sentence's vector
  SearchOptions options;  ///< without min_score, which rank 0 looks at
};

std::string pack_request(const Request& request);
Request unpack_request(const std::string& bytes);

std::string pack_neighbours(const std::vector<Neighbour>& neighbours);
std::vector<Neighbour> unpack_neighbours(const std::string& bytes);

std::string pack_results(const std::vector<SearchResult>& results);
std::vector<SearchResult> unpack_results(const std::string& bytes);

}  // namespace bridgetower::mpi
