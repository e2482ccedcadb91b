#include <bridgetower/model/bridgetower_model.hpp>

namespace bridgetower {

template class CrossModalEncoder<float>;
template class CrossModalEncoder<double>;
template class BridgeTowerModel<float>;
template class BridgeTowerModel<double>;

}  // namespace bridgetower
