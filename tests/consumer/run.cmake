# Installs the build into a fresh prefix, moves that, and builds and runs users' programs against it.
# cmake -D SOURCE=… -D BUILD=… -D WORK=… -D CXX=… -P run.cmake
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/prefix)

# The contract's programs where they are at hand, the examples always.
file(GLOB programs ${SOURCE}/examples/*/main.cpp ${SOURCE}/../shared/api/*.cpp)
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer -B ${WORK}/build -G Ninja -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_PREFIX_PATH=${WORK}/prefix "-DPROGRAMS=${programs}")
run(${CMAKE_COMMAND} --build ${WORK}/build)

set(model ${SOURCE}/tests/data/tiny_model)
file(GLOB images ${SOURCE}/tests/data/images/*.png)
list(GET images 0 image)
function(expect pattern program)
  if(EXISTS ${WORK}/build/${program})
    run(${WORK}/build/${program} ${ARGN})
    if(NOT output MATCHES "${pattern}")
      message(FATAL_ERROR "${program}: expected ${pattern}, got ${output}")
    endif()
  endif()
endfunction()
set(number "-?[0-9]+\\.[0-9]+")
expect("^${number}\n$" match_main ${model} ${image} "a cat")
expect("^${number} a cat\n${number} a dog\n$" api_match ${model} ${image} "a cat" "a dog")
expect("^${number} ${number}\n${number} ${number}\n$" api_match_many ${model} ${image} ${image} "a cat" "a dog")
expect("^${number} ${number} [0-9]+\n$" api_embed ${model} ${image} "a cat")
expect("\n$" api_fill_mask ${model} ${image} "a <mask> cat")
expect("^loaded\n$" api_errors ${model})

# The installed program finds the demo model beside it, wherever the prefix was moved to.
if(EXISTS ${WORK}/prefix/bin/bridgetower)
  run(${CMAKE_COMMAND} -E env --unset=BRIDGETOWER_MODEL ${WORK}/prefix/bin/bridgetower info)
  if(NOT output MATCHES "\"model\":\"${WORK}/prefix/share/bridgetower/models/demo\"")
    message(FATAL_ERROR "bridgetower info: expected the installed demo model, got ${output}")
  endif()
endif()
