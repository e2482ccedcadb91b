#include "cli/exports.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace bridgetower::cli {
namespace {

struct Format {
  const char* name;
  ExportFormat format;
  const char* suffix;
  bool is_text;
};
constexpr Format kFormats[] = {{"npy", ExportFormat::kNpy, ".npy", false},
                               {"safetensors", ExportFormat::kSafetensors, ".safetensors", false},
                               {"jsonl", ExportFormat::kJsonl, ".jsonl", true},
                               {"pgvector", ExportFormat::kPgvector, ".sql", true}};

/// photos.index/ -> photos.index.npy
std::string beside(std::string index, const char* suffix) {
  while (index.size() > 1 && index.back() == '/') index.pop_back();
  const std::string name = std::filesystem::path(index).filename().string();
  if (name.empty() || name == "." || name == "..") {
    throw UsageError("--export: expected FORMAT=FILE, as " + index + " gives no name for a file");
  }
  return index + suffix;
}

Export export_from(const std::string& argument, const std::string& index) {
  const std::size_t end = argument.find('=');
  const std::string name = argument.substr(0, end);
  const auto* const format = std::find_if(std::begin(kFormats), std::end(kFormats),
                                          [&](const Format& f) { return name == f.name; });
  if (format == std::end(kFormats)) {
    throw UsageError("--export " + argument +
                     ": expected npy, safetensors, jsonl or pgvector, alone or before =FILE");
  }
  const std::string file =
      end == std::string::npos ? beside(index, format->suffix) : argument.substr(end + 1);
  if (file.empty()) throw UsageError("--export " + argument + ": expected a file after =");
  if (file == "-" && !format->is_text) {
    throw UsageError("--export " + argument + ": expected a file, as this is no text");
  }
  return {name, format->format, file};
}

}  // namespace

std::vector<Export> exports_from(const std::vector<std::string>& arguments,
                                 const std::string& index) {
  std::vector<Export> all;
  for (const std::string& argument : arguments) {
    Export next = export_from(argument, index);
    for (const Export& other : all) {
      if (other.file == next.file) throw UsageError("--export: " + next.file + " is named twice");
    }
    all.push_back(std::move(next));
  }
  return all;
}

bool uses_stdout(const std::vector<Export>& exports) {
  return std::any_of(exports.begin(), exports.end(),
                     [](const Export& one) { return one.file == "-"; });
}

Json write_exports(const EmbeddingIndex& index, const std::vector<Export>& exports) {
  Json written = Json::array();
  for (const Export& one : exports) {
    if (one.file == "-") {
      export_index(index, one.format, [](std::string_view bytes) {
        std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
        if (!std::cout) throw IoError("standard output", "cannot be written");
      });
    } else {
      export_index(index, one.format, std::filesystem::path(one.file));
    }
    written.push_back({{"format", one.name}, {"file", one.file}});
  }
  return written;
}

}  // namespace bridgetower::cli
