# bridgetower_warnings(target): the warnings our own code is kept free of.
function(bridgetower_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
                         -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual)
  if(BRIDGETOWER_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
