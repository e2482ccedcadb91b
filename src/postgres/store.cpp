#include <bridgetower/core/parallel.hpp>
#include <bridgetower/postgres/store.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "postgres/connection.hpp"
#include "postgres/nearest.hpp"
#include "postgres/schema.hpp"
#include "postgres/work.hpp"
#include "search/file_state.hpp"

namespace bridgetower::postgres {
namespace {

/// How long a process that finds all work taken waits before it looks again.
constexpr std::chrono::milliseconds kPause(200);

bool is_stored(const Claim& claim) {
  if (!claim.is_stored) return false;
  const std::optional<ImageRecord> file = detail::state_of(claim.path);
  return file && static_cast<std::int64_t>(file->bytes) == claim.size &&
         file->modified_ns == claim.modified_ns;
}

EncodedImage made_of(const Claim& claim, const Embedder& embedder) {
  if (!is_stored(claim)) return encode_image_file(embedder, claim.path);
  EncodedImage nothing_new;
  nothing_new.file.path = claim.path;
  return nothing_new;
}

/// What was made before the caller wanted to stop.
std::vector<EncodedImage> encode(const std::vector<Claim>& claims, const Embedder& embedder,
                                 ThreadPool& threads, const std::function<bool()>& stopped) {
  std::vector<std::optional<EncodedImage>> made(claims.size());
  threads.run(static_cast<std::int64_t>(claims.size()), [&](std::int64_t i) {
    const auto place = static_cast<std::size_t>(i);
    if (!stopped()) made[place] = made_of(claims[place], embedder);
  });
  std::vector<EncodedImage> done;
  for (std::optional<EncodedImage>& image : made) {
    if (image) done.push_back(*std::move(image));
  }
  return done;
}

}  // namespace

struct Store::State {
  explicit State(const std::string& url) : connection(url) {}

  void open(const std::string& fingerprint) {
    vector_size = check_schema(connection, fingerprint);
    model = fingerprint;
  }

  Connection connection;
  std::string model;  // once it is checked
  std::int64_t vector_size = 0;
};

Store::Store(const std::string& url) : state_(std::make_unique<State>(url)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

const std::string& Store::place() const noexcept { return state_->connection.place(); }

void Store::create(const std::string& model, std::int64_t size) {
  create_schema(state_->connection, model, size);
  state_->open(model);
}

bool Store::exists() { return has_schema(state_->connection); }

void Store::check_model(const std::string& model) { state_->open(model); }

IndexingResult Store::index_images(const Embedder& embedder, const ImageFiles& images,
                                   const IndexingOptions& options) {
  Connection& connection = state_->connection;
  const auto stopped = [&] { return options.stop != nullptr && *options.stop; };
  ThreadPool threads(options.threads);
  Work work(connection);
  IndexingResult result;
  result.removed = work.plan(images);
  if (options.start) options.start(static_cast<std::size_t>(work.left()));
  while (!stopped()) {
    Transaction transaction(connection);
    const std::vector<Claim> claims = work.claim(threads.threads());
    const std::vector<EncodedImage> made = encode(claims, embedder, threads, stopped);
    work.finish(made);
    transaction.commit();
    for (const EncodedImage& image : made) {
      result.added += image.vector.size() > 0 ? 1 : 0;
      if (options.advance) options.advance();
    }
    if (!claims.empty()) continue;
    // Others have the rest; what one of them leaves when it dies is taken here.
    if (work.left() == 0) break;
    std::this_thread::sleep_for(kPause);
  }
  result.interrupted = stopped();
  return result;
}

void Store::set_graph(bool wanted) { postgres::set_graph(state_->connection, wanted); }

std::int64_t Store::images() {
  return state_->connection.query("SELECT count(*) FROM bridgetower.pictures").integer(0, 0);
}

std::vector<FailedImage> Store::failed() {
  const Rows rows =
      state_->connection.query("SELECT path, code, message FROM bridgetower.failed ORDER BY path");
  std::vector<FailedImage> all;
  for (int row = 0; row < rows.size(); ++row) {
    all.push_back({std::string(rows.bytes(row, 0)), std::string(rows.bytes(row, 1)),
                   std::string(rows.bytes(row, 2))});
  }
  return all;
}

std::vector<StoredNeighbour> Store::nearest(const Tensor<float>& query,
                                            const SearchOptions& options) {
  const Shape expected{state_->vector_size};
  if (query.shape() != expected) {
    throw ShapeError("Store", "query", to_string(expected), to_string(query.shape()));
  }
  try {
    return postgres::nearest(state_->connection, query, options);
  } catch (const IoError&) {
    if (!state_->connection.is_lost()) throw;
  }
  state_->connection.reconnect();
  check_schema(state_->connection, state_->model);
  return postgres::nearest(state_->connection, query, options);
}

}  // namespace bridgetower::postgres
