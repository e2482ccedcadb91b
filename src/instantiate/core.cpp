#include <bridgetower/core/weights.hpp>
#include <bridgetower/ops/matmul.hpp>

namespace bridgetower {

template class WeightLoader<float>;
template class WeightLoader<double>;

namespace ops {
template class PackedMatrix<float>;
template class PackedMatrix<double>;
}  // namespace ops

}  // namespace bridgetower
