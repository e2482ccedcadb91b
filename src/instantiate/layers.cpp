#include <bridgetower/layers/attention.hpp>
#include <bridgetower/layers/feed_forward.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/layers/multihead_attention.hpp>
#include <bridgetower/layers/pooler.hpp>

namespace bridgetower {

template class Linear<float>;
template class Linear<double>;
template class LayerNorm<float>;
template class LayerNorm<double>;
template class FeedForward<float>;
template class FeedForward<double>;
template class MultiheadAttention<float>;
template class MultiheadAttention<double>;
template class BridgeTowerAttention<float>;
template class BridgeTowerAttention<double>;
template class BridgeTowerPooler<float>;
template class BridgeTowerPooler<double>;

}  // namespace bridgetower
