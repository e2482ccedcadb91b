# bridgetower_hardening(target): what compiler and linker add so that damaged memory ends the program and not its
# owner's day. Private: a program that uses the library is compiled and linked as its author wants.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported()

set(hardening_compile)
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  string(MAKE_C_IDENTIFIER "BRIDGETOWER_HAS${flag}" found)
  check_cxx_compiler_flag(${flag} ${found})
  if(${found})
    list(APPEND hardening_compile ${flag})
  endif()
endforeach()
# Needs optimisation, and hides calls from the sanitizers.
set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
check_cxx_source_compiles("
  #include <cstring>
  #if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL < 3
  #error
  #endif
  int main() {}" BRIDGETOWER_HAS_FORTIFY_SOURCE_3)
unset(CMAKE_REQUIRED_FLAGS)
set(fortify_level $<IF:$<BOOL:${BRIDGETOWER_HAS_FORTIFY_SOURCE_3}>,3,2>)
if(NOT BRIDGETOWER_SANITIZE)
  list(APPEND hardening_compile
    "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${fortify_level}>")
endif()

set(hardening_link)
foreach(keyword relro now noexecstack)
  check_linker_flag(CXX LINKER:-z,${keyword} BRIDGETOWER_HAS_LINKER_${keyword})
  if(BRIDGETOWER_HAS_LINKER_${keyword})
    list(APPEND hardening_link LINKER:-z,${keyword})
  endif()
endforeach()

function(bridgetower_hardening target)
  target_compile_options(${target} PRIVATE ${hardening_compile})
  target_link_options(${target} PRIVATE ${hardening_link})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()
