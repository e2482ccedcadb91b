// Pickles: nothing is executed, and what the closed set of values does not hold is refused by name.
#include <gtest/gtest.h>

#include <bridgetower/io/torch_checkpoint.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::TemporaryDirectory;
using testing::torch_entries;
using testing::zip_file;
using testing::pickle::dict;
using testing::pickle::name;
using testing::pickle::number;
using testing::pickle::numbers;
using testing::pickle::ordered_dict;
using testing::pickle::proto;
using testing::pickle::storage;
using testing::pickle::tensor;
using testing::pickle::text;
using testing::pickle::tuple;

const std::string kFloats(24, '\0');

/// A broken pickle and what it is refused with, behind the path and "data.pkl byte ".
struct Case {
  std::string pickle;
  std::string message;
  ErrorCode code = ErrorCode::kFormat;
};

void expect_refused(const std::vector<Case>& cases) {
  const TemporaryDirectory directory;
  for (const Case& broken : cases) {
    SCOPED_TRACE(broken.message);
    const auto path =
        directory.write("x.bin", zip_file(torch_entries(broken.pickle, {kFloats})).bytes);
    expect_error(broken.code, path.string() + ": data.pkl byte " + broken.message,
                 [&] { TorchCheckpoint opened(path); });
  }
}

const std::string kNames =
    "OrderedDict, _rebuild_tensor_v2, _rebuild_parameter or a storage type of F32, F16, BF16, F64 "
    "or I64";

TEST(Pickle, RefusesWhatWouldRunCodeAndPrintsItsName) {
  const std::string call = tuple(text("rm -rf /")) + "R.";
  const auto refused = [](int offset, const std::string& opcode, const std::string& what) {
    return std::to_string(offset) + ": " + opcode + ": expected " + kNames + ", got \"" + what +
           "\"";
  };
  expect_refused({
      {proto() + name("os", "system") + call, refused(2, "GLOBAL", "os.system")},
      {proto() + name("posix", "system") + call, refused(2, "GLOBAL", "posix.system")},
      {proto() + name("builtins", "eval") + call, refused(2, "GLOBAL", "builtins.eval")},
      {proto() + name("__builtin__", "getattr") + call,
       refused(2, "GLOBAL", "__builtin__.getattr")},
      {proto() + name("subprocess", "Popen") + call, refused(2, "GLOBAL", "subprocess.Popen")},
      {proto() + name("torch", "load") + call, refused(2, "GLOBAL", "torch.load")},
      {proto() + name("torch.hub", "load") + call, refused(2, "GLOBAL", "torch.hub.load")},
      {proto() + name("collections", "OrderedDict.__init__") + call,
       refused(2, "GLOBAL", "collections.OrderedDict.__init__")},
      {proto() + name("torch._utils", "_rebuild_tensor_v2\r") + call,
       refused(2, "GLOBAL", "torch._utils._rebuild_tensor_v2\\x0d")},
      {proto() + name("torch", "IntStorage") + call, refused(2, "GLOBAL", "torch.IntStorage")},
      {proto() + name("torch", "QInt8Storage") + call, refused(2, "GLOBAL", "torch.QInt8Storage")},
      {proto() + name("torch._utils", "_rebuild_sparse_tensor") + call,
       refused(2, "GLOBAL", "torch._utils._rebuild_sparse_tensor")},
      {proto() + "(" + text("id") + "ios\nsystem\n.", refused(10, "INST", "os.system")},
      {proto() + text("os") + text("system") + "\x93.", refused(20, "STACK_GLOBAL", "os.system")},
      {dict({{"a", name("nt", "system") + tuple(text("dir")) + "R"}}),
       refused(10, "GLOBAL", "nt.system")},
  });
}

TEST(Pickle, RefusesOtherOpcodes) {
  const auto refused = [](int offset, const std::string& opcode) {
    return std::to_string(offset) + ": expected an opcode of torch.save, got " + opcode;
  };
  expect_refused({
      {proto() + "Pid\n.", refused(2, "PERSID")},
      {proto() + ")\x81.", refused(3, "NEWOBJ")},
      {proto() + "(o.", refused(3, "OBJ")},
      {proto() + "\x82\x01.", refused(2, "EXT1")},
      {proto() + "N0.", refused(3, "POP")},
      {proto() + "N2.", refused(3, "DUP")},
      {proto() + "(d.", refused(3, "DICT")},
      {proto() + "I1\n.", refused(2, "INT")},
      {proto() + "N" + std::string(1, '\x94') + ".", refused(3, "opcode 148")},
      {proto() + std::string(1, '\0') + ".", refused(2, "opcode 0")},
      {proto() + "\x8B" + bytes_of(0xFFFFFFFF, 4), refused(2, "LONG4")},
      {proto() + proto() + ".", "2: PROTO: expected one PROTO, got another"},
  });
}

TEST(Pickle, RefusesOtherProtocolsAndABrokenFrame) {
  expect_refused({
      {"", "0: expected another opcode, got the end of the pickle"},
      {"\x80\x04}.", "0: PROTO: expected protocol 2, got 4"},
      {"\x80\x05}.", "0: PROTO: expected protocol 2, got 5"},
      {"\x80", "0: PROTO: expected 1 bytes after it, got 0"},
      {"(dp0\n.", "0: expected PROTO, got MARK"},
      {"I1\n.", "0: expected PROTO, got INT"},
      {proto() + "}", "3: expected another opcode, got the end of the pickle"},
      {proto() + "}.N.", "4: expected the end after STOP, got 2 more bytes"},
      {proto() + ".", "2: STOP: expected one value on the stack, got 0 values and 0 marks"},
      {proto() + "}N.", "4: STOP: expected one value on the stack, got 2 values and 0 marks"},
      {proto() + "(}.", "4: STOP: expected one value on the stack, got 1 values and 1 marks"},
      {proto() + "N.", "3: STOP: expected a dictionary of tensors, got None"},
      {proto() + "].", "3: STOP: expected a dictionary of tensors, got a list"},
  });
}

TEST(Pickle, RefusesHugeCounts) {
  expect_refused({
      {proto() + "X" + bytes_of(0xFFFFFFFF, 4) + "ab",
       "2: BINUNICODE: expected 4294967295 bytes after it, got 2"},
      {proto() + "T" + bytes_of(0x7FFFFFFF, 4),
       "2: BINSTRING: expected 2147483647 bytes after it, "
       "got 0"},
      {proto() + "U\xFF.", "2: SHORT_BINSTRING: expected 255 bytes after it, got 1"},
      {proto() + "\x8A\xFF.", "2: LONG1: expected an integer of at most 8 bytes, got 255 bytes"},
      {proto() + "\x8A\x08\x01", "2: LONG1: expected 8 bytes after it, got 1"},
      {proto() + "J\x01", "2: BININT: expected 4 bytes after it, got 1"},
      {proto() + "G" + std::string(7, '\0'), "2: BINFLOAT: expected 8 bytes after it, got 7"},
      {proto() + "cos", "2: GLOBAL: expected a line after it, got the end of the pickle"},
      {proto() + "cos\nsystem", "2: GLOBAL: expected a line after it, got the end of the pickle"},
      {proto() + std::string((1 << 17) + 1, ']') + ".",
       "131074: expected at most 131072 values, got more", ErrorCode::kLimit},
      {proto() + std::string((1 << 17) + 1, '(') + ".",
       "131074: expected at most 131072 marks, got more", ErrorCode::kLimit},
  });
}

TEST(Pickle, RefusesAbuseOfStackAndMemo) {
  expect_refused({
      {proto() + "u.", "2: SETITEMS: expected a mark, got none"},
      {proto() + "t.", "2: TUPLE: expected a mark, got none"},
      {proto() + "s.", "2: SETITEM: expected a value, got none"},
      {proto() + "(" + text("a") + "s.", "9: SETITEM: expected a value, got none"},
      {proto() + "N(\x85.", "4: TUPLE1: expected a value, got none"},
      {proto() + "}(" + text("a") + "u.", "10: SETITEMS: expected keys and values, got 1 of them"},
      {proto() + "](NNu.", "6: SETITEMS: expected a dictionary, got a list"},
      {proto() + "}Na.", "4: APPEND: expected a list, got a dictionary"},
      {proto() + "h\x05.", "2: BINGET: expected a number that was put, got 5"},
      {proto() + "j" + bytes_of(0xFFFFFFFF, 4) + ".",
       "2: LONG_BINGET: expected a number that was put, got 4294967295"},
      {proto() + "q\x01.", "2: BINPUT: expected a value, got none"},
      {proto() + "(q\x01.", "3: BINPUT: expected a value, got none"},
      {proto() + "}q\x01]q\x01.", "6: BINPUT: expected every number once, got 1 again"},
      {proto() + "}q\x01r" + bytes_of(1, 4) + ".",
       "5: LONG_BINPUT: expected every number once, got 1 again"},
      // A dictionary that holds itself: nothing follows it.
      {proto() + "}q\x01(" + text("a") + "h\x01u.",
       "15: STOP: expected a tensor under \"a\", got a dictionary"},
  });
}

TEST(Pickle, RefusesOtherCalls) {
  const std::string rebuild = name("torch._utils", "_rebuild_tensor_v2");
  const std::string floats = storage("0", 6);
  const auto call = [&](const std::string& arguments) { return proto() + arguments; };
  const auto at = [](const std::string& pickle, int before_end) {
    return std::to_string(pickle.size() - static_cast<std::size_t>(before_end)) + ": ";
  };
  const auto refused = [&](const std::string& pickle, const std::string& message) {
    return Case{pickle, at(pickle, 2) + message};  // the opcode before STOP
  };
  const std::string one = numbers({1});
  expect_refused({
      refused(call("N)R."), "REDUCE: expected a name, got None"),
      refused(call(name("torch", "FloatStorage") + ")R."),
              "REDUCE: expected a function, got a storage type"),
      refused(call(name("collections", "OrderedDict") + "]R."),
              "REDUCE: expected a tuple, got a list"),
      refused(call(name("collections", "OrderedDict") + "N\x85R."),
              "REDUCE: expected OrderedDict(), got arguments"),
      refused(call(rebuild + ")R."),
              "REDUCE: expected _rebuild_tensor_v2 of 6 or 7 arguments, got 0"),
      refused(call(rebuild + tuple("NNNNNN") + "R."),
              "REDUCE: expected storage: a storage, got None"),
      refused(call(rebuild + tuple(floats + "N" + one + one + "\x89N") + "R."),
              "REDUCE: expected storage offset: an integer, got None"),
      refused(call(rebuild + tuple(floats + number(0) + "]" + one + "\x89N") + "R."),
              "REDUCE: expected sizes: a tuple, got a list"),
      refused(call(rebuild + tuple(floats + number(0) + one + one + "NN") + "R."),
              "REDUCE: expected requires_grad: a boolean, got None"),
      refused(call(rebuild + tuple(floats + number(0) + one + one + "\x89" + number(3)) + "R."),
              "REDUCE: expected no hooks, got an integer"),
      refused(call(rebuild +
                   tuple(floats + number(0) + one + one + "\x89N}" + text("neg") + "\x88s") + "R."),
              "REDUCE: expected no metadata, got a dictionary"),
      refused(call(name("torch._utils", "_rebuild_parameter") + "NN\x86R."),
              "REDUCE: expected _rebuild_parameter of 3 arguments, got 2"),
      refused(call(name("torch._utils", "_rebuild_parameter") + "N\x89N\x87R."),
              "REDUCE: expected data: a tensor, got None"),
      refused(call("}}b."), "BUILD: expected an OrderedDict, got a dictionary"),
      refused(call(ordered_dict() + "Nb."), "BUILD: expected a dictionary, got None"),
      refused(call("NQ."), "BINPERSID: expected a tuple, got None"),
      refused(call(")Q."), "BINPERSID: expected a storage of 5 parts, got 0"),
      refused(call(tuple("NNNNN") + "Q."), "BINPERSID: expected kind: a string, got None"),
      refused(call(tuple(text("module") + "NNNN") + "Q."),
              "BINPERSID: expected \"storage\", got \"module\""),
      refused(call(tuple(text("storage") + name("collections", "OrderedDict") + "NNN") + "Q."),
              "BINPERSID: expected a storage type, got \"collections.OrderedDict\""),
      refused(call(tuple(text("storage") + name("torch", "FloatStorage") + number(0) + text("cpu") +
                         number(6)) +
                   "Q."),
              "BINPERSID: expected storage key: a string, got an integer"),
      {proto() + text("\xFF\xFE") + ".", "2: BINUNICODE: expected UTF-8, got \"\\xff\\xfe\""},
      {proto() + text("\xED\xA0\x80") + ".",
       "2: BINUNICODE: expected UTF-8, got \"\\xed\\xa0\\x80\""},
  });
}

TEST(Pickle, RefusesTensorsOutsideTheirStorage) {
  const std::string floats = storage("0", 6);
  const auto refused = [&](const std::string& broken, const std::string& message) {
    const std::string pickle = dict({{"a", broken}});
    return Case{pickle, std::to_string(pickle.size() - 3) + ": " + message};
  };
  const std::string view = "REDUCE: expected a view inside a storage of 6 elements, got ";
  const std::string huge(4, '\xFF');
  expect_refused({
      refused(tensor(floats, 0, {7}, {1}), view + "element 0, sizes [7], strides [1]"),
      refused(tensor(floats, 1, {2, 3}, {3, 1}), view + "element 1, sizes [2, 3], strides [3, 1]"),
      refused(tensor(floats, 6, {}, {}), view + "element 6, sizes [], strides []"),
      refused(tensor(floats, 7, {0}, {1}), view + "element 7, sizes [0], strides [1]"),
      refused(tensor(floats, 0, {2, 2}, {6, 1}), view + "element 0, sizes [2, 2], strides [6, 1]"),
      refused(tensor(floats, 0, {2}, {0x7FFFFFFF}),
              view + "element 0, sizes [2], strides [2147483647]"),
      refused(tensor(floats, 0, {2}, {1, 1}),
              "REDUCE: expected a stride for each of 1 axes, got 2"),
      refused(tensor(floats, 0, {0xFFFFFFFF}, {1}), "REDUCE: expected sizes: 0 or more, got -1"),
      refused(tensor(floats, 0, {1}, {0xFFFFFFFE}), "REDUCE: expected strides: 0 or more, got -2"),
      refused(tensor(floats, 0xFFFFFFFF, {1}, {1}),
              "REDUCE: expected storage offset: 0 or more, got -1"),
      refused(
          tensor(floats, 0, {0x7FFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF}, {0, 0, 0}),
          "REDUCE: expected sizes with a product below 2^62 bytes, got [2147483647, 2147483647, "
          "2147483647]"),
      refused(
          tensor(floats, 0, {0x40000000, 0x7FFFFFFF}, {0, 0}),
          "REDUCE: expected sizes with a product below 2^62 bytes, got [1073741824, 2147483647]"),
      refused(
          tensor(floats, 0, std::vector<std::uint32_t>(65, 1), std::vector<std::uint32_t>(65, 1)),
          "REDUCE: expected sizes: at most 64 axes, got 65"),
  });
}

TEST(Pickle, RefusesStoragesThatAreNotThere) {
  const auto at_storage = [](const std::string& pickle, std::size_t which = 0) {
    std::size_t at = pickle.find("tQ");
    while (which-- > 0) at = pickle.find("tQ", at + 1);
    return std::to_string(at + 1) + ": ";
  };
  const auto refused = [&](const std::string& pickle, const std::string& message,
                           std::size_t which = 0) {
    return Case{pickle, at_storage(pickle, which) + message};
  };
  const auto one = [](const std::string& of) { return dict({{"a", tensor(of, 0, {1}, {1})}}); };
  const std::string twice = dict({{"a", tensor(storage("0", 6), 0, {1}, {1})},
                                  {"b", tensor(storage("0", 3, "DoubleStorage"), 0, {1}, {1})}});
  const std::string huge = tuple(text("storage") + name("torch", "FloatStorage") + text("0") +
                                 text("cpu") + "\x8A\x08" + bytes_of(std::uint64_t{1} << 61, 8)) +
                           "Q";
  expect_refused({
      refused(one(storage("1", 6)), "storage \"1\": expected an entry of 24 bytes, got none"),
      refused(one(storage("../0", 6)), "storage \"../0\": expected an entry of 24 bytes, got none"),
      refused(one(storage("0", 7)), "storage \"0\": expected an entry of 28 bytes, got 24 bytes"),
      refused(one(storage("0", 5)), "storage \"0\": expected an entry of 20 bytes, got 24 bytes"),
      refused(one(storage("0", 6, "LongStorage")),
              "storage \"0\": expected an entry of 48 bytes, got 24 bytes"),
      refused(one(storage("0", 0xFFFFFFFF)), "BINPERSID: expected elements: 0 or more, got -1"),
      refused(one(huge),
              "BINPERSID: expected a storage of at most 2^62 bytes, got "
              "2305843009213693952 elements of F32"),
      refused(twice, "BINPERSID: expected storage \"0\" as before, 6 elements of F32, got 3 of F64",
              1),
  });
}

TEST(Pickle, RefusesDictionariesOfOtherThings) {
  const std::string good = tensor(storage("0", 6), 0, {6}, {1});
  const auto refused = [&](const std::string& pickle, const std::string& message) {
    return Case{pickle, std::to_string(pickle.size() - 1) + ": STOP: " + message};
  };
  expect_refused({
      refused(dict({{"a", "N"}}), "expected a tensor under \"a\", got None"),
      refused(dict({{"epoch", number(3)}}), "expected a tensor under \"epoch\", got an integer"),
      refused(dict({{"model", "}"}}), "expected a tensor under \"model\", got a dictionary"),
      refused(dict({{"lr", "G" + std::string(8, '\0')}}),
              "expected a tensor under \"lr\", got a float"),
      refused(dict({{"a", storage("0", 6)}}), "expected a tensor under \"a\", got a storage"),
      refused(dict({{"a", good}, {"a", good}}), "expected every key once, got \"a\" again"),
      refused(proto() + "}" + number(1) + good + "s.",
              "expected keys that are strings, got an integer"),
  });
}

TEST(Pickle, ReadsWhatOlderVersionsWrote) {
  // Names as byte strings, integers as LONG1, hooks None, parameters, attributes.
  const std::string key =
      "U\x01"
      "a";
  const std::string of = tuple("U\x07storage" + name("torch", "FloatStorage") +
                               "U\x01"
                               "0" +
                               "U\x06"
                               "cuda:0" +
                               "\x8A\x01\x06") +
                         "Q";
  const std::string value =
      name("torch._utils", "_rebuild_parameter") +
      tuple(name("torch._utils", "_rebuild_tensor_v2") +
            tuple(of + "K\x01" + "M\x05" + std::string(1, '\0') + "\x85" + "K\x01\x85" + "\x89N") +
            "R" + "\x88" + ordered_dict()) +
      "R";
  const std::string attributes = "}" + text("_metadata") + ordered_dict() + "sb";
  const std::string pickle = proto() + ordered_dict() + key + value + "s" + attributes + ".";
  const TemporaryDirectory directory;
  std::string floats;
  for (std::uint32_t i = 0; i < 6; ++i) floats += bytes_of(0x3F800000 + (i << 20), 4);
  const TorchCheckpoint opened(
      directory.write("x.bin", zip_file(torch_entries(pickle, {floats})).bytes));
  ASSERT_EQ(opened.names(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(opened.find("a")->shape, (Shape{5}));
  std::vector<float> values(5);
  opened.read("a", 0, 5, values.data());
  EXPECT_EQ(values, (std::vector<float>{1.125F, 1.25F, 1.375F, 1.5F, 1.625F}));
}

}  // namespace
}  // namespace bridgetower
