#include <cstdio>

float first_score(const char* model, const char* picture, const char* text);

int main(int, char** argv) {
  std::printf("%.4f\n", static_cast<double>(first_score(argv[1], argv[2], argv[3])));
}
