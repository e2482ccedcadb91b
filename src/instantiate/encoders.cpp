#include <bridgetower/encoders/cross_modal/bert_cross_layer.hpp>
#include <bridgetower/encoders/cross_modal/cross_modal_stream.hpp>
#include <bridgetower/encoders/cross_modal/link_tower.hpp>
#include <bridgetower/encoders/text/text_model.hpp>
#include <bridgetower/encoders/vision/vision_model.hpp>

namespace bridgetower {

template class BridgeTowerTextEmbeddings<float>;
template class BridgeTowerTextEmbeddings<double>;
template class BridgeTowerTextLayer<float>;
template class BridgeTowerTextLayer<double>;
template class BridgeTowerTextModel<float>;
template class BridgeTowerTextModel<double>;
template class BridgeTowerVisionEmbeddings<float>;
template class BridgeTowerVisionEmbeddings<double>;
template class BridgeTowerResidualAttention<float>;
template class BridgeTowerResidualAttention<double>;
template class BridgeTowerVisionModel<float>;
template class BridgeTowerVisionModel<double>;
template class BridgeTowerLinkTower<float>;
template class BridgeTowerLinkTower<double>;
template class BridgeTowerBertCrossLayer<float>;
template class BridgeTowerBertCrossLayer<double>;
template class CrossModalStream<float>;
template class CrossModalStream<double>;

}  // namespace bridgetower
