#include "mpi/encoded_images.hpp"

#include "mpi/message.hpp"

namespace bridgetower::mpi {
namespace {

Json to_json(const EncodedImage& image) {
  if (image.failure) return {image.failure->path, image.failure->code, image.failure->message};
  const ImageRecord& file = image.file;
  return {file.path, file.bytes, file.modified_ns, file.sha256, mpi::to_json(image.vector)};
}

EncodedImage image_from(const Json& json) {
  if (json.size() == 3) return {{}, {}, {}, FailedImage{json[0], json[1], json[2]}};
  return {ImageRecord{json[0], json[1], json[2], json[3]}, vector_from(json[4]), {}, {}};
}

}  // namespace

std::string pack_paths(const std::vector<std::string>& paths) { return pack(paths); }

std::vector<std::string> unpack_paths(const std::string& bytes) {
  return unpack(bytes).get<std::vector<std::string>>();
}

std::string pack_images(const std::vector<EncodedImage>& images) {
  Json all = Json::array();
  for (const EncodedImage& image : images) all.push_back(to_json(image));
  return pack(all);
}

std::vector<EncodedImage> unpack_images(const std::string& bytes) {
  std::vector<EncodedImage> images;
  for (const Json& image : unpack(bytes)) images.push_back(image_from(image));
  return images;
}

}  // namespace bridgetower::mpi
