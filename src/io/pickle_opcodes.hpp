#pragma once

#include <string>

namespace bridgetower::detail {

/// The opcodes that torch.save writes, by the names of Python's pickletools.
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kBinFloat = 'G',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kEmptyTuple = ')',
  kTuple = 't',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobal = 'c',
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kInst = 'i',  // refused, with the name it asks for
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8A,
  kStackGlobal = 0x93,  // refused, with the name it asks for
};

struct NamedOpcode {
  unsigned char opcode;
  const char* name;
};
/// Also of opcodes that are refused.
constexpr NamedOpcode kOpcodeNames[] = {
    {kMark, "MARK"},
    {kStop, "STOP"},
    {kNone, "NONE"},
    {kBinInt, "BININT"},
    {kBinInt1, "BININT1"},
    {kBinInt2, "BININT2"},
    {kBinFloat, "BINFLOAT"},
    {kBinString, "BINSTRING"},
    {kShortBinString, "SHORT_BINSTRING"},
    {kBinUnicode, "BINUNICODE"},
    {kEmptyTuple, "EMPTY_TUPLE"},
    {kTuple, "TUPLE"},
    {kEmptyList, "EMPTY_LIST"},
    {kAppend, "APPEND"},
    {kAppends, "APPENDS"},
    {kEmptyDict, "EMPTY_DICT"},
    {kSetItem, "SETITEM"},
    {kSetItems, "SETITEMS"},
    {kGlobal, "GLOBAL"},
    {kReduce, "REDUCE"},
    {kBuild, "BUILD"},
    {kBinPersId, "BINPERSID"},
    {kBinPut, "BINPUT"},
    {kLongBinPut, "LONG_BINPUT"},
    {kBinGet, "BINGET"},
    {kLongBinGet, "LONG_BINGET"},
    {kInst, "INST"},
    {kProto, "PROTO"},
    {kTuple1, "TUPLE1"},
    {kTuple2, "TUPLE2"},
    {kTuple3, "TUPLE3"},
    {kNewTrue, "NEWTRUE"},
    {kNewFalse, "NEWFALSE"},
    {kLong1, "LONG1"},
    {kStackGlobal, "STACK_GLOBAL"},
    {'0', "POP"},
    {'1', "POP_MARK"},
    {'2', "DUP"},
    {'F', "FLOAT"},
    {'I', "INT"},
    {'L', "LONG"},
    {'P', "PERSID"},
    {'S', "STRING"},
    {'V', "UNICODE"},
    {'d', "DICT"},
    {'g', "GET"},
    {'l', "LIST"},
    {'o', "OBJ"},
    {'p', "PUT"},
    {0x81, "NEWOBJ"},
    {0x82, "EXT1"},
    {0x83, "EXT2"},
    {0x84, "EXT4"},
    {0x8B, "LONG4"},
    {0x92, "NEWOBJ_EX"},
};

inline std::string name_of(unsigned char opcode) {
  for (const NamedOpcode& known : kOpcodeNames) {
    if (known.opcode == opcode) return known.name;
  }
  return "opcode " + std::to_string(opcode);
}

}  // namespace bridgetower::detail
