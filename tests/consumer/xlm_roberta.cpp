// The optional component: ids of a text, with the SentencePiece model of a directory.
#include <bridgetower/sentencepiece/xlm_roberta_tokenizer.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto tokenizer = bridgetower::XlmRobertaTokenizer::from_pretrained(argv[1]);
  for (const auto id : tokenizer->encode(argv[2]).input_ids) {
    std::printf("%lld ", static_cast<long long>(id));
  }
  std::printf("\n");
}
