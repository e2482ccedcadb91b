// A build without oneDNN.
#include <bridgetower/core/error.hpp>
#include <bridgetower/ops/detail/onednn_matrix.hpp>

namespace bridgetower::ops::detail {
namespace {

[[noreturn]] void refuse() {
  throw InputError("load options", "backend", "auto or eigen, as this build has no oneDNN",
                   "onednn");
}

}  // namespace

std::string OneDnnMatrix::version() { return {}; }

void OneDnnMatrix::check(DType) { refuse(); }

std::vector<std::pair<std::int64_t, std::string>> OneDnnMatrix::implementations(std::int64_t,
                                                                                DType) {
  refuse();
}

OneDnnMatrix::OneDnnMatrix(std::int64_t, std::int64_t, DType) { refuse(); }

void OneDnnMatrix::set_rows(Outputs, const float*, std::int64_t, std::int64_t) {}
void OneDnnMatrix::set_int8_rows(Outputs, const std::int8_t*, const float*) {}
void OneDnnMatrix::scale_rows(Outputs, float) {}
void OneDnnMatrix::read_row(std::int64_t, float*) const {}
PackedPanels OneDnnMatrix::transposed(Outputs) const { return {}; }
void OneDnnMatrix::multiply(Outputs, Inputs, const float*, std::int64_t, std::int64_t,
                            const bridgetower::detail::Finish<float>&, float*, std::int64_t) const {
}

}  // namespace bridgetower::ops::detail
