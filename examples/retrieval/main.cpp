// Finds pictures of a folder by a sentence.   retrieval MODEL PICTURES INDEX TEXT
#include <bridgetower/bridgetower.hpp>
#include <cstdio>
#include <string>

using namespace bridgetower;

// Encodes what is new or changed in the folder since the last run.
void bring_up_to_date(const std::string& model, const std::string& pictures,
                      const std::string& index) {
  LoadOptions load;
  load.threads = 1;  // index_images() has a thread for each picture
  const auto embedder = Embedder::from_pretrained(model, load);
  IndexBuilder builder(index, model_fingerprint(model), embedder.size(), {});
  const auto result = index_images(builder, embedder, find_images({pictures}), {});
  builder.commit();
  std::printf("%d pictures added\n", static_cast<int>(result.added));
}

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: retrieval MODEL PICTURES INDEX TEXT\n", stderr);
    return 2;
  }
  try {
    bring_up_to_date(argv[1], argv[2], argv[3]);
    const auto search = TwoStageSearch::from_pretrained(argv[1], EmbeddingIndex::open(argv[3]));
    SearchOptions options;
    options.top_k = 4;
    options.rerank = 12;  // of so few pictures; thousands deserve the default
    std::puts("match  cosine  picture");
    for (const SearchResult& found : search.search(argv[4], options)) {
      std::printf("%.3f  %6.3f  %s\n", static_cast<double>(found.score),
                  static_cast<double>(found.similarity), found.image.c_str());
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
