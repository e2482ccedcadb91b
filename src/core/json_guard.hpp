#pragma once

#include <cstddef>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace bridgetower::detail {

/// Empties a tree from its leaves. Recursive: parse_json() bounds the depth.
template <class Json>
void take_apart(Json& tree) noexcept {
  if (!tree.is_structured()) return;
  const Json& made = tree;
  if (made.template get_ptr<const typename Json::object_t*>() == nullptr &&
      made.template get_ptr<const typename Json::array_t*>() == nullptr) {
    // [] turned null into an object and got no memory for it: there is nothing to destroy.
    ::new (static_cast<void*>(&tree)) Json();
    return;
  }
  for (Json& child : tree) take_apart(child);
  tree.clear();
}

/// Stands behind every tree with lists or objects, so that it goes without asking for memory: the
/// destructor of nlohmann's trees asks for some, and a destructor that gets none ends the program.
/// For the same reason trees are not made from lists in braces, which are trees on the way.
template <class Json>
class JsonGuard {
 public:
  explicit JsonGuard(Json& tree) noexcept : tree_(tree) {}
  ~JsonGuard() { take_apart(tree_); }
  JsonGuard(const JsonGuard&) = delete;
  JsonGuard& operator=(const JsonGuard&) = delete;

 private:
  Json& tree_;
};

/// Whether the value is this text. nlohmann's == makes a tree of the text, and is noexcept.
template <class Json>
bool is_text(const Json& value, std::string_view text) {
  return value.is_string() && value.template get_ref<const std::string&>() == text;
}

/// Makes `tree` an object with room for so many members: growing, ordered ones copy what they hold.
inline void make_object(nlohmann::ordered_json& tree, std::size_t members) {
  tree = nlohmann::ordered_json::object();
  tree.get_ref<nlohmann::ordered_json::object_t&>().reserve(members);
}

}  // namespace bridgetower::detail
