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
file(GLOB programs ${SOURCE}/../shared/api/*.cpp)
file(GLOB examples ${SOURCE}/examples/*/CMakeLists.txt)
list(TRANSFORM examples REPLACE "/CMakeLists.txt$" "")
string(REPLACE ";" "\\;" programs "${programs}")  # one argument each
string(REPLACE ";" "\\;" examples "${examples}")
run(${CMAKE_COMMAND} -D PAGE=${SOURCE}/docs/guide.md -D OUTPUT=${WORK}/guide.cpp -P ${SOURCE}/tests/consumer/guide.cmake)
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer -B ${WORK}/build -G Ninja -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_PREFIX_PATH=${WORK}/prefix "-DPROGRAMS=${programs}" "-DEXAMPLES=${examples}"
    -D GUIDE=${WORK}/guide.cpp)
run(${CMAKE_COMMAND} --build ${WORK}/build)

set(model ${SOURCE}/tests/data/tiny_model)
file(GLOB images ${SOURCE}/tests/data/images/*.png)
list(GET images 0 image)
function(expect pattern program)
  if(program MATCHES "^api_" AND NOT EXISTS ${SOURCE}/../shared/api)
    return()
  endif()
  run(${WORK}/build/${program} ${ARGN})
  if(NOT output MATCHES "${pattern}")
    message(FATAL_ERROR "${program}: expected ${pattern}, got ${output}")
  endif()
endfunction()
set(number "-?[0-9]+\\.[0-9]+")
expect("^${number}\n$" match/match ${model} ${image} "a cat")
expect("^${number} a cat\n${number} a dog\n$" api_match ${model} ${image} "a cat" "a dog")
expect("^${number} ${number}\n${number} ${number}\n$" api_match_many ${model} ${image} ${image} "a cat" "a dog")
expect("^${number} ${number} [0-9]+\n$" api_embed ${model} ${image} "a cat")
expect("\n$" api_fill_mask ${model} ${image} "a <mask> cat")
expect("^loaded\n$" api_errors ${model})

# The same program with pkg-config alone.
file(GLOB_RECURSE pc ${WORK}/prefix/bridgetower.pc)
get_filename_component(pc_folder ${pc} DIRECTORY)
run(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc_folder} pkg-config --cflags --libs bridgetower)
separate_arguments(flags UNIX_COMMAND "${output}")
run(${CXX} -std=c++17 ${SOURCE}/examples/match/main.cpp -o ${WORK}/build/with_pkg_config ${flags})
expect("^${number}\n$" with_pkg_config ${model} ${image} "a cat")

# The library in a user's shared library, and in a program of two instruction sets.
expect("^${number}\n$" host ${model} ${image} "a cat")
expect("^equal ${number}\n$" halves ${model} ${image} "a cat")

# No compiler at hand warns about a user's program, in either standard, and what must not compile does not.
run(pkg-config --cflags-only-I eigen3)
string(STRIP "${output}" system)
string(REPLACE "-I" "-isystem" system "${system}")
set(strict -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -I${WORK}/prefix/include ${system})
foreach(name g++ clang++ clang++-19)
  find_program(compiler_${name} ${name})
  if(compiler_${name})
    foreach(standard 17 20)
      run(${compiler_${name}} -std=c++${standard} ${strict} ${SOURCE}/examples/match/main.cpp)
    endforeach()
  endif()
endforeach()
set(mistakes ${SOURCE}/tests/consumer/must_not_compile/cases.cpp)
run(${CXX} -std=c++17 ${strict} -DCASE=0 ${mistakes})
file(STRINGS ${mistakes} cases REGEX "CASE == [0-9]+")
list(LENGTH cases count)
foreach(case RANGE 1 ${count})
  execute_process(COMMAND ${CXX} -std=c++17 ${strict} -DCASE=${case} ${mistakes}
    RESULT_VARIABLE status ERROR_VARIABLE output)
  if(status EQUAL 0 OR NOT output MATCHES "error")
    message(FATAL_ERROR "case ${case} of ${mistakes} compiles")
  endif()
endforeach()

# And with the sources as part of the user's build. The library is built already: one object shows what is new.
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer/fetch_content -B ${WORK}/fetch_content -G Ninja
    -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER=${CXX} -D BRIDGETOWER_SOURCE=${SOURCE})
file(GLOB_RECURSE rules ${WORK}/fetch_content/cmake_install.cmake)
foreach(rule ${rules})
  file(READ ${rule} text)
  if(text MATCHES "file\\(INSTALL")
    message(FATAL_ERROR "${rule} installs BridgeTower with the user's project")
  endif()
endforeach()
run(${CMAKE_COMMAND} --build ${WORK}/fetch_content
    --target CMakeFiles/match.dir${SOURCE}/examples/match/main.cpp.o)

# The command in an example's README prints the block in it that has no language.
file(MAKE_DIRECTORY ${WORK}/run)
foreach(name models examples)
  file(CREATE_LINK ${SOURCE}/${name} ${WORK}/run/${name} SYMBOLIC)
endforeach()
function(expect_readme example)
  file(READ ${SOURCE}/examples/${example}/README.md readme)
  string(REGEX MATCH "build/${example}/${example} ([^\n]+)\n" found "${readme}")
  separate_arguments(arguments UNIX_COMMAND "${CMAKE_MATCH_1}")
  string(REGEX MATCH "\n```\n([^`]+)```\n" found "${readme}")
  set(expected "${CMAKE_MATCH_1}")
  run(${WORK}/build/${example}/${example} ${arguments} WORKING_DIRECTORY ${WORK}/run)
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "examples/${example}/README.md: expected\n${expected}got\n${output}")
  endif()
endfunction()
expect_readme(retrieval)
expect_readme(fill_mask)

run(${WORK}/build/guide WORKING_DIRECTORY ${WORK}/run)
file(READ ${WORK}/guide.cpp.expected expected)
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "docs/guide.md: expected\n${expected}got\n${output}")
endif()

if(EXISTS ${WORK}/prefix/include/bridgetower/sentencepiece)
  expect("^0 [0-9 ]+ 2 \n$" xlm_roberta ${SOURCE}/tests/data/sentencepiece "a cat")
endif()

# The installed program finds the demo model beside it, wherever the prefix was moved to.
if(EXISTS ${WORK}/prefix/bin/bridgetower)
  run(${CMAKE_COMMAND} -E env --unset=BRIDGETOWER_MODEL ${WORK}/prefix/bin/bridgetower info)
  if(NOT output MATCHES "\"model\":\"${WORK}/prefix/share/bridgetower/models/demo\"")
    message(FATAL_ERROR "bridgetower info: expected the installed demo model, got ${output}")
  endif()
endif()
