# bridgetower_hardening(target): what costs next to nothing and makes memory errors harder to exploit. Not with
# sanitizers, which have their own checks. The numeric kernels keep their own flags (src/CMakeLists.txt).
include(CheckPIESupported)
check_pie_supported()

function(bridgetower_hardening target)
  if(NOT BRIDGETOWER_HARDENING OR BRIDGETOWER_SANITIZE)
    return()
  endif()
  target_compile_options(${target} PRIVATE -fstack-protector-strong)
  # glibc checks lengths in optimised builds only.
  target_compile_options(${target} PRIVATE
    $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(NOT APPLE)
    target_link_options(${target} PRIVATE LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
  endif()
endfunction()
