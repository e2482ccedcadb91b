#include "io/pickle.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <cstring>
#include <map>
#include <optional>
#include <unordered_map>

#include "core/json.hpp"
#include "core/seeded_hash.hpp"
#include "io/pickle_opcodes.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::size_t kMaxRank = 64;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 62;

/// The names that a checkpoint may ask for.
enum class Name : std::uint8_t { kOrderedDict, kRebuildTensor, kRebuildParameter, kStorageType };

struct KnownName {
  const char* text;
  Name name;
  DType dtype;
};
constexpr KnownName kNames[] = {
    {"collections.OrderedDict", Name::kOrderedDict, DType::kF32},
    {"torch._utils._rebuild_tensor_v2", Name::kRebuildTensor, DType::kF32},
    {"torch._utils._rebuild_parameter", Name::kRebuildParameter, DType::kF32},
    {"torch.FloatStorage", Name::kStorageType, DType::kF32},
    {"torch.HalfStorage", Name::kStorageType, DType::kF16},
    {"torch.BFloat16Storage", Name::kStorageType, DType::kBF16},
    {"torch.DoubleStorage", Name::kStorageType, DType::kF64},
    {"torch.LongStorage", Name::kStorageType, DType::kI64},
};
constexpr const char* kExpectedName =
    "OrderedDict, _rebuild_tensor_v2, _rebuild_parameter or a storage type of F32, F16, BF16, F64 "
    "or I64";

enum class Kind : std::uint8_t {
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kTuple,
  kList,
  kDict,
  kOrderedDict,
  kName,
  kStorage,
  kTensor
};

const char* describe(Kind kind) {
  constexpr const char* kTexts[] = {"None",           "a boolean", "an integer", "a float",
                                    "a string",       "a tuple",   "a list",     "a dictionary",
                                    "an OrderedDict", "a name",    "a storage",  "a tensor"};
  return kTexts[static_cast<std::size_t>(kind)];
}

using Ref = std::uint32_t;  // of a value
using Refs = std::vector<Ref>;

/// Values refer to each other by number, so that a pickle may build knots and nothing follows them.
struct Value {
  Kind kind;
  std::int64_t number;  // the value itself, or an index among others of its kind
};

/// Elements [begin, begin + count) of a storage.
struct StorageView {
  std::size_t storage;
  std::uint64_t begin;
  std::uint64_t count;
};

class Interpreter {
 public:
  Interpreter(std::string_view pickle, TorchLayout layout, const PicklePlace& place,
              const Limits& limits)
      : pickle_(pickle), layout_(layout), place_(place), limits_(limits) {}

  /// Runs to STOP and returns the one value that is left.
  Ref run() {
    take_proto();
    while (true) {
      opcode_at_ = next_;
      opcode_ = static_cast<unsigned char>(take(1)[0]);
      if (opcode_ == kStop) break;
      step();
    }
    if (!marks_.empty() || stack_.size() != 1) {
      refuse("one value on the stack", std::to_string(stack_.size()) + " values and " +
                                           std::to_string(marks_.size()) + " marks");
    }
    return stack_.front();
  }

  std::size_t bytes() const { return next_; }
  const Value& value(Ref ref) const { return values_[ref]; }
  const Refs& items(Ref ref) const { return items_[index(ref)]; }
  std::string_view string(Ref ref) const { return strings_[index(ref)]; }
  const PickledTensors::Tensor& tensor(Ref ref) const { return tensors_[index(ref)]; }
  std::vector<PickledTensors::Storage> take_storages() { return std::move(storages_); }

  /// At the last opcode.
  [[noreturn]] void refuse(const std::string& expected, const std::string& got) const {
    throw FormatError(place_.file, here() + ": " + name_of(opcode_), expected, got);
  }

 private:
  std::string here() const { return place_.where + std::to_string(place_.offset + opcode_at_); }
  std::size_t index(Ref ref) const { return static_cast<std::size_t>(values_[ref].number); }

  // Bytes

  std::string_view take(std::uint64_t count) {
    const std::size_t left = pickle_.size() - next_;
    if (count > left) {
      if (opcode_at_ == next_) {
        throw FormatError(place_.file, here(), "another opcode", "the end of the pickle");
      }
      refuse(std::to_string(count) + " bytes after it", std::to_string(left));
    }
    next_ += static_cast<std::size_t>(count);
    return pickle_.substr(next_ - static_cast<std::size_t>(count), static_cast<std::size_t>(count));
  }

  std::uint64_t unsigned_number(std::size_t size) {
    const std::string_view bytes = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }

  /// Two's complement.
  std::int64_t signed_number(std::size_t size) {
    const std::uint64_t value = unsigned_number(size);
    if (size == 0 || size == 8) return static_cast<std::int64_t>(value);
    const std::uint64_t sign = std::uint64_t{1} << (8 * size - 1);
    return static_cast<std::int64_t>((value ^ sign) - sign);
  }

  double big_endian_double() {
    std::string bytes(take(8));
    std::reverse(bytes.begin(), bytes.end());
    double value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  /// Up to the end of the line.
  std::string_view take_line() {
    const std::size_t end = pickle_.find('\n', next_);
    if (end == std::string_view::npos) refuse("a line after it", "the end of the pickle");
    const std::string_view line = take(end - next_);
    take(1);
    return line;
  }

  void take_proto() {
    opcode_ = static_cast<unsigned char>(take(1)[0]);
    if (opcode_ != kProto) {
      throw FormatError(place_.file, here(), "PROTO", name_of(opcode_));
    }
    const std::uint64_t protocol = unsigned_number(1);
    if (protocol != 2) refuse("protocol 2", std::to_string(protocol));
  }

  // The stack

  void check_room(std::size_t size, const char* what) const {
    if (size < limits_.pickle_values) return;
    throw LimitError(place_.file, here(),
                     "at most " + std::to_string(limits_.pickle_values) + " " + what, "more");
  }

  void push(Kind kind, std::int64_t number) {
    check_room(values_.size(), "values");
    stack_.push_back(static_cast<Ref>(values_.size()));
    values_.push_back({kind, number});
  }

  /// A value that is recalled a million times is one value in a million places.
  void count_places(std::size_t count) { check_room(places_ += count, "places of values"); }

  void push_items(Kind kind, Refs items) {
    count_places(items.size());
    push(kind, static_cast<std::int64_t>(items_.size()));
    items_.push_back(std::move(items));
  }

  void push_string(std::string_view text) {
    if (!is_utf8(text)) refuse("UTF-8", in_quotes(text));
    push(Kind::kString, static_cast<std::int64_t>(strings_.size()));
    strings_.push_back(text);
  }

  /// Nothing below the last mark may be taken.
  Ref top() const {
    if (stack_.size() == (marks_.empty() ? 0 : marks_.back())) refuse("a value", "none");
    return stack_.back();
  }

  Ref pop() {
    const Ref ref = top();
    stack_.pop_back();
    return ref;
  }

  Ref pop(Kind kind) {
    const Ref ref = pop();
    if (values_[ref].kind != kind) refuse(describe(kind), describe(values_[ref].kind));
    return ref;
  }

  /// The values above the last mark; the mark goes.
  Refs pop_to_mark() {
    if (marks_.empty()) refuse("a mark", "none");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Refs values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
  }

  Refs pop_last(std::size_t count) {
    Refs values(count);
    for (std::size_t i = count; i-- > 0;) values[i] = pop();
    return values;
  }

  // Opcodes

  void step() {
    switch (opcode_) {
      case kMark:
        check_room(marks_.size(), "marks");
        return marks_.push_back(stack_.size());
      case kNone:
        return push(Kind::kNone, 0);
      case kNewTrue:
        return push(Kind::kBool, 1);
      case kNewFalse:
        return push(Kind::kBool, 0);
      case kBinInt:
        return push(Kind::kInt, signed_number(4));
      case kBinInt1:
        return push(Kind::kInt, static_cast<std::int64_t>(unsigned_number(1)));
      case kBinInt2:
        return push(Kind::kInt, static_cast<std::int64_t>(unsigned_number(2)));
      case kLong1:
        return push_long();
      case kBinFloat:
        big_endian_double();
        return push(Kind::kFloat, 0);
      case kShortBinString:
        return push_string(take(unsigned_number(1)));
      case kBinString:
      case kBinUnicode:
        return push_string(take(unsigned_number(4)));
      case kEmptyTuple:
        return push_items(Kind::kTuple, {});
      case kTuple1:
        return push_items(Kind::kTuple, pop_last(1));
      case kTuple2:
        return push_items(Kind::kTuple, pop_last(2));
      case kTuple3:
        return push_items(Kind::kTuple, pop_last(3));
      case kTuple:
        return push_items(Kind::kTuple, pop_to_mark());
      case kEmptyList:
        return push_items(Kind::kList, {});
      case kAppend:
        return append(pop_last(1));
      case kAppends:
        return append(pop_to_mark());
      case kEmptyDict:
        return push_items(Kind::kDict, {});
      case kSetItem:
        return set_items(pop_last(2));
      case kSetItems:
        return set_items(pop_to_mark());
      default:
        return step_beyond_values();
    }
  }

  void step_beyond_values() {
    switch (opcode_) {
      case kGlobal: {
        const std::string_view module = take_line();
        return push_name(std::string(module) + "." + std::string(take_line()));
      }
      case kReduce:
        return call();
      case kBuild:
        return build();
      case kBinPersId:
        return push_storage();
      case kBinPut:
        return memoize(unsigned_number(1));
      case kLongBinPut:
        return memoize(unsigned_number(4));
      case kBinGet:
        return recall(unsigned_number(1));
      case kLongBinGet:
        return recall(unsigned_number(4));
      case kInst: {
        const std::string_view module = take_line();
        return refuse_name(std::string(module) + "." + std::string(take_line()));
      }
      case kProto:
        refuse("one PROTO", "another");
      case kStackGlobal: {
        const Ref name = pop(Kind::kString);
        return refuse_name(std::string(string(pop(Kind::kString))) + "." +
                           std::string(string(name)));
      }
      default:
        throw FormatError(place_.file, here(), "an opcode of torch.save", name_of(opcode_));
    }
  }

  void push_long() {
    const std::uint64_t size = unsigned_number(1);
    if (size > 8) refuse("an integer of at most 8 bytes", std::to_string(size) + " bytes");
    push(Kind::kInt, signed_number(static_cast<std::size_t>(size)));
  }

  void append(const Refs& values) {
    const Ref list = top();
    if (values_[list].kind != Kind::kList) refuse("a list", describe(values_[list].kind));
    count_places(values.size());
    Refs& items = items_[index(list)];
    items.insert(items.end(), values.begin(), values.end());
  }

  void set_items(const Refs& keys_and_values) {
    const Ref dict = top();
    const Kind kind = values_[dict].kind;
    if (kind != Kind::kDict && kind != Kind::kOrderedDict) refuse("a dictionary", describe(kind));
    if (keys_and_values.size() % 2 != 0) {
      refuse("keys and values", std::to_string(keys_and_values.size()) + " of them");
    }
    count_places(keys_and_values.size());
    Refs& items = items_[index(dict)];
    items.insert(items.end(), keys_and_values.begin(), keys_and_values.end());
  }

  void memoize(std::uint64_t number) {
    check_room(memo_.size(), "memo entries");
    if (!memo_.try_emplace(number, top()).second) {
      refuse("every number once", std::to_string(number) + " again");
    }
  }

  void recall(std::uint64_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) refuse("a number that was put", std::to_string(number));
    check_room(stack_.size(), "values on the stack");
    stack_.push_back(found->second);
  }

  void push_name(const std::string& name) {
    for (const KnownName& known : kNames) {
      if (name == known.text) return push(Kind::kName, &known - kNames);
    }
    refuse_name(name);
  }

  [[noreturn]] void refuse_name(const std::string& name) const {
    refuse(kExpectedName, in_quotes(name));
  }

  // Calls

  void call() {
    const Ref arguments = pop(Kind::kTuple);
    const Name name = kNames[index(pop(Kind::kName))].name;
    if (name == Name::kOrderedDict) {
      if (!items(arguments).empty()) refuse("OrderedDict()", "arguments");
      return push_items(Kind::kOrderedDict, {});
    }
    if (name == Name::kRebuildTensor) return rebuild_tensor(items(arguments));
    if (name == Name::kRebuildParameter) return rebuild_parameter(items(arguments));
    refuse("a function", "a storage type");
  }

  /// True for None and for an empty dictionary of either kind.
  bool is_nothing(Ref ref) const {
    const Kind kind = values_[ref].kind;
    if (kind == Kind::kNone) return true;
    return (kind == Kind::kDict || kind == Kind::kOrderedDict) && items(ref).empty();
  }

  void demand(Ref ref, Kind kind, const char* what) const {
    if (values_[ref].kind == kind) return;
    refuse(std::string(what) + ": " + describe(kind), describe(values_[ref].kind));
  }

  std::uint64_t count(Ref ref, const char* what) const {
    demand(ref, Kind::kInt, what);
    if (values_[ref].number < 0) {
      refuse(std::string(what) + ": 0 or more", std::to_string(values_[ref].number));
    }
    return static_cast<std::uint64_t>(values_[ref].number);
  }

  Shape counts(Ref ref, const char* what) {
    demand(ref, Kind::kTuple, what);
    count_places(items(ref).size());
    if (items(ref).size() > kMaxRank) {
      refuse(std::string(what) + ": at most " + std::to_string(kMaxRank) + " axes",
             std::to_string(items(ref).size()));
    }
    Shape shape;
    for (const Ref item : items(ref)) shape.push_back(static_cast<std::int64_t>(count(item, what)));
    return shape;
  }

  /// _rebuild_tensor_v2(storage, begin, sizes, strides, requires_grad, hooks[, metadata])
  void rebuild_tensor(const Refs& arguments) {
    if (arguments.size() != 6 && arguments.size() != 7) {
      refuse("_rebuild_tensor_v2 of 6 or 7 arguments", std::to_string(arguments.size()));
    }
    demand(arguments[0], Kind::kStorage, "storage");
    const StorageView& storage = storage_views_[index(arguments[0])];
    PickledTensors::Tensor tensor{storage.storage, count(arguments[1], "storage offset"),
                                  counts(arguments[2], "sizes"), counts(arguments[3], "strides")};
    demand(arguments[4], Kind::kBool, "requires_grad");
    for (std::size_t i = 5; i < arguments.size(); ++i) {
      if (!is_nothing(arguments[i])) {
        refuse(i == 5 ? "no hooks" : "no metadata", describe(values_[arguments[i]].kind));
      }
    }
    check_extent(tensor, storage.count);
    tensor.begin += storage.begin;
    push(Kind::kTensor, static_cast<std::int64_t>(tensors_.size()));
    tensors_.push_back(std::move(tensor));
  }

  /// Every element lies within the `available` elements of the storage.
  void check_extent(const PickledTensors::Tensor& tensor, std::uint64_t available) const {
    if (tensor.shape.size() != tensor.strides.size()) {
      refuse("a stride for each of " + std::to_string(tensor.shape.size()) + " axes",
             std::to_string(tensor.strides.size()));
    }
    const std::int64_t elements = element_count(tensor.shape);
    const std::uint64_t item = size_of(storages_[tensor.storage].dtype);
    if (elements < 0 || static_cast<std::uint64_t>(elements) > kMaxBytes / item) {
      refuse("sizes with a product below 2^62 bytes", to_string(tensor.shape));
    }
    const auto beyond = [&]() {
      refuse("a view inside a storage of " + std::to_string(available) + " elements",
             "element " + std::to_string(tensor.begin) + ", sizes " + to_string(tensor.shape) +
                 ", strides " + to_string(tensor.strides));
    };
    if (tensor.begin > available) beyond();
    if (elements == 0) return;
    std::uint64_t left = available - tensor.begin;  // of which the last element takes one
    for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
      const auto steps = static_cast<std::uint64_t>(tensor.shape[axis] - 1);
      const auto stride = static_cast<std::uint64_t>(tensor.strides[axis]);
      if (stride != 0 && steps > left / stride) beyond();
      left -= steps * stride;
    }
    if (left == 0) beyond();
  }

  /// _rebuild_parameter(tensor, requires_grad, hooks)
  void rebuild_parameter(const Refs& arguments) {
    if (arguments.size() != 3) {
      refuse("_rebuild_parameter of 3 arguments", std::to_string(arguments.size()));
    }
    demand(arguments[0], Kind::kTensor, "data");
    demand(arguments[1], Kind::kBool, "requires_grad");
    if (!is_nothing(arguments[2])) refuse("no hooks", describe(values_[arguments[2]].kind));
    stack_.push_back(arguments[0]);
  }

  /// A module's state_dict carries its `_metadata` as an attribute; nobody needs it.
  void build() {
    const Ref state = pop();
    if (values_[state].kind != Kind::kDict) {
      refuse("a dictionary", describe(values_[state].kind));
    }
    if (values_[top()].kind != Kind::kOrderedDict) {
      refuse("an OrderedDict", describe(values_[top()].kind));
    }
  }

  /// ("storage", type, key, location, count), in the plain layout with a view as sixth.
  void push_storage() {
    const Refs parts = items(pop(Kind::kTuple));
    const std::size_t size = layout_ == TorchLayout::kZip ? 5 : 6;
    if (parts.size() != size) {
      refuse("a storage of " + std::to_string(size) + " parts", std::to_string(parts.size()));
    }
    demand(parts[0], Kind::kString, "kind");
    if (string(parts[0]) != "storage") refuse("\"storage\"", in_quotes(string(parts[0])));
    demand(parts[1], Kind::kName, "storage type");
    const KnownName& type = kNames[index(parts[1])];
    if (type.name != Name::kStorageType) refuse("a storage type", in_quotes(type.text));
    demand(parts[2], Kind::kString, "storage key");
    demand(parts[3], Kind::kString, "location");
    const std::uint64_t elements = count(parts[4], "elements");
    if (elements > kMaxBytes / size_of(type.dtype)) {
      refuse("a storage of at most 2^62 bytes",
             std::to_string(elements) + " elements of " + to_string(type.dtype));
    }
    StorageView view{storage_of(std::string(string(parts[2])), type.dtype, elements), 0, elements};
    if (size == 6 && values_[parts[5]].kind != Kind::kNone) {
      demand(parts[5], Kind::kTuple, "view");
      narrow(view, items(parts[5]));
    }
    push(Kind::kStorage, static_cast<std::int64_t>(storage_views_.size()));
    storage_views_.push_back(view);
  }

  /// The storage of this key, which is always asked for in the same way.
  std::size_t storage_of(const std::string& key, DType dtype, std::uint64_t elements) {
    const auto [found, added] = storage_by_key_.try_emplace(key, storages_.size());
    if (added) {
      storages_.push_back({key, dtype, elements, place_.offset + opcode_at_});
      return found->second;
    }
    const PickledTensors::Storage& known = storages_[found->second];
    if (known.dtype != dtype || known.count != elements) {
      refuse("storage " + in_quotes(key) + " as before, " + std::to_string(known.count) +
                 " elements of " + to_string(known.dtype),
             std::to_string(elements) + " of " + to_string(dtype));
    }
    return found->second;
  }

  /// (key of the view, offset, elements)
  void narrow(StorageView& view, const Refs& parts) const {
    if (parts.size() != 3) refuse("a view of 3 parts", std::to_string(parts.size()));
    demand(parts[0], Kind::kString, "view key");
    view.begin = count(parts[1], "view offset");
    view.count = count(parts[2], "view elements");
    const std::uint64_t all = storages_[view.storage].count;
    if (view.begin > all || view.count > all - view.begin) {
      refuse("a view inside a storage of " + std::to_string(all) + " elements",
             std::to_string(view.count) + " from " + std::to_string(view.begin));
    }
  }

  std::string_view pickle_;
  TorchLayout layout_;
  PicklePlace place_;
  const Limits& limits_;

  std::size_t next_ = 0;
  std::size_t opcode_at_ = 0;
  unsigned char opcode_ = 0;
  Refs stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, Ref, SeededHash> memo_;
  std::size_t places_ = 0;  // of values in tuples, lists and dictionaries

  std::vector<Value> values_;
  std::vector<std::string_view> strings_;  // by Value::number, as the following
  std::vector<Refs> items_;                // a dictionary's are key, value, key, value
  std::vector<StorageView> storage_views_;
  std::vector<PickledTensors::Tensor> tensors_;
  std::vector<PickledTensors::Storage> storages_;
  std::map<std::string, std::size_t> storage_by_key_;
};

}  // namespace

PickledTensors read_pickled_tensors(std::string_view pickle, TorchLayout layout,
                                    const PicklePlace& place, const Limits& limits) {
  Interpreter interpreter(pickle, layout, place, limits);
  const Ref root = interpreter.run();
  const Kind kind = interpreter.value(root).kind;
  if (kind != Kind::kDict && kind != Kind::kOrderedDict) {
    interpreter.refuse("a dictionary of tensors", describe(kind));
  }
  PickledTensors all;
  std::map<std::string_view, bool> seen;
  const Refs& items = interpreter.items(root);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const Kind key_kind = interpreter.value(items[i]).kind;
    if (key_kind != Kind::kString) interpreter.refuse("keys that are strings", describe(key_kind));
    const std::string_view key = interpreter.string(items[i]);
    const Kind value_kind = interpreter.value(items[i + 1]).kind;
    if (value_kind != Kind::kTensor) {
      interpreter.refuse("a tensor under " + in_quotes(key), describe(value_kind));
    }
    if (!seen.try_emplace(key, true).second) {
      interpreter.refuse("every key once", in_quotes(key) + " again");
    }
    all.tensors.emplace_back(key, interpreter.tensor(items[i + 1]));
  }
  all.storages = interpreter.take_storages();
  all.bytes = interpreter.bytes();
  return all;
}

std::vector<std::string_view> read_pickled_strings(std::string_view pickle,
                                                   const PicklePlace& place, const Limits& limits,
                                                   std::size_t& bytes) {
  Interpreter interpreter(pickle, TorchLayout::kPlain, place, limits);
  const Ref root = interpreter.run();
  if (interpreter.value(root).kind != Kind::kList) {
    interpreter.refuse("a list of strings", describe(interpreter.value(root).kind));
  }
  std::vector<std::string_view> strings;
  for (const Ref item : interpreter.items(root)) {
    const Kind kind = interpreter.value(item).kind;
    if (kind != Kind::kString) interpreter.refuse("a list of strings", describe(kind));
    strings.push_back(interpreter.string(item));
  }
  bytes = interpreter.bytes();
  return strings;
}

bool read_pickled_flag(std::string_view pickle, std::string_view key, const PicklePlace& place,
                       const Limits& limits, std::size_t& bytes) {
  Interpreter interpreter(pickle, TorchLayout::kPlain, place, limits);
  const Ref root = interpreter.run();
  if (interpreter.value(root).kind != Kind::kDict) {
    interpreter.refuse("a dictionary", describe(interpreter.value(root).kind));
  }
  const Refs& items = interpreter.items(root);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const bool is_key = interpreter.value(items[i]).kind == Kind::kString;
    if (!is_key || interpreter.string(items[i]) != key) continue;
    const Value& flag = interpreter.value(items[i + 1]);
    if (flag.kind != Kind::kBool) {
      interpreter.refuse(in_quotes(key) + ": a boolean", describe(flag.kind));
    }
    bytes = interpreter.bytes();
    return flag.number != 0;
  }
  interpreter.refuse(in_quotes(key), "none");
}

}  // namespace bridgetower::detail
