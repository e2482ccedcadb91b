#include <cstdio>

double baseline_half(const char* model, const char* picture, const char* text);
double native_half(const char* model, const char* picture, const char* text);

int main(int, char** argv) {
  const double baseline = baseline_half(argv[1], argv[2], argv[3]);
  const double native = native_half(argv[1], argv[2], argv[3]);
  std::printf("%s %.4f\n", baseline == native ? "equal" : "different", native);
}
