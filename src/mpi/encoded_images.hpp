#pragma once

#include <bridgetower/search/index_images.hpp>
#include <string>
#include <vector>

// What ranks send each other about files, as MessagePack. Numbers come back bit for bit.
namespace bridgetower::mpi {

std::string pack_paths(const std::vector<std::string>& paths);
std::vector<std::string> unpack_paths(const std::string& bytes);

std::string pack_images(const std::vector<EncodedImage>& images);
std::vector<EncodedImage> unpack_images(const std::string& bytes);

}  // namespace bridgetower::mpi
