#include "mpi/search_messages.hpp"

#include "mpi/message.hpp"

namespace bridgetower::mpi {
namespace {

/// An Error of another rank.
struct ReceivedError : Error {
  explicit ReceivedError(const Json& json)
      : Error(static_cast<ErrorCode>(json[0].get<int>()), json[1], json[2], json[3], json[4]) {}
};

Json to_json(const Error& error) {
  return {static_cast<int>(error.code()), error.place(), error.subject(), error.expected(),
          error.got()};
}

Json to_json(const SearchResult& result) {
  return {{"image", result.image},
          {"score", result.score},
          {"similarity", result.similarity},
          {"match", result.match ? Json(*result.match) : Json()},
          {"error", result.error ? to_json(*result.error) : Json()}};
}

SearchResult result_from(const Json& json) {
  SearchResult result{json["image"], json["score"], json["similarity"], {}, {}};
  if (!json["match"].is_null()) result.match = json["match"].get<float>();
  if (!json["error"].is_null()) result.error = ReceivedError(json["error"]);
  return result;
}

}  // namespace

std::string pack_request(const Request& request) {
  return pack(Json{{"text", request.text},
                   {"query", mpi::to_json(request.query)},
                   {"top_k", request.options.top_k},
                   {"rerank", request.options.rerank},
                   {"filter", request.options.filter}});
}

Request unpack_request(const std::string& bytes) {
  const Json json = unpack(bytes);
  SearchOptions options;
  options.top_k = json["top_k"];
  options.rerank = json["rerank"];
  options.filter = json["filter"];
  return {json["text"], vector_from(json["query"]), std::move(options)};
}

std::string pack_neighbours(const std::vector<Neighbour>& neighbours) {
  Json all = Json::array();
  for (const Neighbour& one : neighbours) all.push_back(Json::array({one.row, one.similarity}));
  return pack(all);
}

std::vector<Neighbour> unpack_neighbours(const std::string& bytes) {
  std::vector<Neighbour> neighbours;
  for (const Json& one : unpack(bytes)) neighbours.push_back({one[0], one[1]});
  return neighbours;
}

std::string pack_results(const std::vector<SearchResult>& results) {
  Json all = Json::array();
  for (const SearchResult& result : results) all.push_back(to_json(result));
  return pack(all);
}

std::vector<SearchResult> unpack_results(const std::string& bytes) {
  std::vector<SearchResult> results;
  for (const Json& result : unpack(bytes)) results.push_back(result_from(result));
  return results;
}

}  // namespace bridgetower::mpi
