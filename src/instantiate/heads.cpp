#include <bridgetower/heads/for_contrastive_learning.hpp>
#include <bridgetower/heads/for_image_and_text_retrieval.hpp>
#include <bridgetower/heads/for_masked_lm.hpp>

namespace bridgetower {

template class BridgeTowerForImageAndTextRetrieval<float>;
template class BridgeTowerForImageAndTextRetrieval<double>;
template class BridgeTowerMLMHead<float>;
template class BridgeTowerMLMHead<double>;
template class BridgeTowerForMaskedLM<float>;
template class BridgeTowerForMaskedLM<double>;
template class BridgeTowerContrastiveHead<float>;
template class BridgeTowerContrastiveHead<double>;
template class BridgeTowerForContrastiveLearning<float>;
template class BridgeTowerForContrastiveLearning<double>;

}  // namespace bridgetower
