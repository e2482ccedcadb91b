# A shared library exports what is in namespace bridgetower and nothing else.
# cmake -D LIBRARY=… -P exports.cmake
execute_process(COMMAND nm --dynamic --defined-only --format=posix ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+\n" symbols "${symbols}")
list(LENGTH symbols count)
if(count EQUAL 0)
  message(FATAL_ERROR "${LIBRARY} exports nothing")
endif()
list(FILTER symbols EXCLUDE REGEX "^_Z(T.|GV)?Z?NK?11bridgetower")
if(symbols)
  message(FATAL_ERROR "${LIBRARY} exports what is not ours:\n${symbols}")
endif()
