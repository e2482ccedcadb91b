#pragma once

#include <random>
#include <string>

/// Changes that keep a format's frame whole, so that they reach what lies behind its first checks.
namespace bridgetower::fuzz {

/// Another number, type, name or range in the header of a safetensors file; the header's length
/// stays right.
std::string mutate_safetensors(const std::string& bytes, std::mt19937& chance);

/// Opcodes with their arguments doubled, taken out, swapped or put in.
std::string mutate_pickle(const std::string& bytes, std::mt19937& chance);

}  // namespace bridgetower::fuzz
