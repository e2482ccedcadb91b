// Mistakes that the compiler has to catch, one a CASE; without any the file compiles.
#include <bridgetower/bridgetower.hpp>

namespace bt = bridgetower;

[[maybe_unused]] void use(const bt::BridgeTowerModel<float>& model,
                          const bt::ForwardInputs<float>& floats,
                          [[maybe_unused]] const bt::ForwardInputs<double>& doubles,
                          [[maybe_unused]] const bt::ImageTextMatcher& matcher,
                          [[maybe_unused]] bt::ThreadPool& pool) {
  model.forward(floats);
#if CASE == 1  // inputs of another scalar
  model.forward(doubles);
#elif CASE == 2  // a team of threads is nobody's copy
  bt::ThreadPool copy(pool);
#elif CASE == 3  // a number is no tensor
  const bt::Tensor<float> tensor = 3;
#elif CASE == 4  // tensors of other numbers are cast by name
  const bt::Tensor<float> tensor = bt::Tensor<double>({1});
#elif CASE == 5  // a path is no picture
  matcher.encode(std::filesystem::path("cat.jpg"));
#elif CASE == 6  // a state of the other side
  matcher.match({matcher.encode("a cat")}, {matcher.encode("a cat")});
#elif CASE == 7  // an error has a place
  throw bt::Error("something");
#endif
}
