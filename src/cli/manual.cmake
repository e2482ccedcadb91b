# The man page and the completions for bash and zsh, made of what the program's --help prints.
# cmake -D PROGRAM=… -D OUTPUT=… -P manual.cmake
# Lines are cut off a text one by one: a list would break at semicolons and brackets.
cmake_minimum_required(VERSION 3.25)

function(help result)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

macro(next_line text line)
  string(FIND "${${text}}" "\n" end)
  string(SUBSTRING "${${text}}" 0 ${end} ${line})
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${${text}}" ${end} -1 ${text})
endmacro()

# "  NAME   DESCRIPTION", or "  NAME" with its description in the lines below.
macro(take_entry text line)
  string(STRIP "${${line}}" name)
  set(description "")
  string(FIND "${name}" "  " gap)
  if(NOT gap EQUAL -1)
    string(SUBSTRING "${name}" ${gap} -1 description)
    string(SUBSTRING "${name}" 0 ${gap} name)
  endif()
  while("${${text}}" MATCHES "^          ")
    next_line(${text} ${line})
    string(APPEND description " ${${line}}")
  endwhile()
  string(REGEX REPLACE " +" " " description "${description}")
  string(STRIP "${description}" description)
endmacro()

function(roff result text)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# In single quotes, with what zsh's _arguments and _describe take for themselves escaped.
function(zsh result text)
  string(REGEX REPLACE "([][:\\])" "\\\\\\1" text "${text}")
  string(REPLACE "'" "'\\''" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# One entry of Options or Positionals: into man, and into what completes `command`.
macro(add_entry command)
  roff(roff_name "${name}")
  roff(roff_description "${description}")
  string(APPEND man ".TP\n\\fB${roff_name}\\fR\n${roff_description}\n")
  if(name MATCHES "--[a-z0-9-]+")
    set(option ${CMAKE_MATCH_0})
    string(APPEND options " ${option}")
    zsh(zsh_description "${description}")
    set(value "")
    if(name MATCHES ":{([^}]*)}")
      string(REPLACE "," " " values "${CMAKE_MATCH_1}")
      string(APPEND bash_values "    '${command} ${option}') words='${values}' ;;\n")
      set(value ":value:(${values})")
    elseif(name MATCHES "--[a-z0-9-]+ [A-Z]+")
      set(value ":value:_files")
    endif()
    string(APPEND zsh_options " \\\n      '*${option}[${zsh_description}]${value}'")
  endif()
endmacro()

# The help of one command, or of the program: usage, entries, and what stands below them.
macro(add_help command text)
  set(options "")
  set(zsh_options "")
  set(rest "")
  next_line(${text} summary)
  next_line(${text} usage)
  while(NOT "${${text}}" STREQUAL "" AND NOT "${${text}}" MATCHES "^\nSubcommands:")
    next_line(${text} line)
    if(line MATCHES "^(Options|Positionals):")
      while("${${text}}" MATCHES "^  ")
        next_line(${text} line)
        take_entry(${text} line)
        add_entry("${command}")
      endwhile()
    else()
      string(APPEND rest "${line}\n")
    endif()
  endwhile()
  string(STRIP "${rest}" rest)
  if(NOT rest STREQUAL "")
    roff(rest "${rest}")
    string(APPEND man ".PP\n.nf\n${rest}\n.fi\n")
  endif()
endmacro()

help(version --version)
string(REGEX MATCH "[0-9.]+" version "${version}")
help(program_help --help)
add_help("" program_help)  # leaves the subcommands in program_help
string(STRIP "${options}" program_options)
set(program_man "${man}")
roff(summary "${summary}")
set(program_summary "${summary}")
set(man "")

string(REGEX REPLACE "^\nSubcommands:\n" "" program_help "${program_help}")
while(program_help MATCHES "^  ")
  next_line(program_help line)
  take_entry(program_help line)
  set(command ${name})
  zsh(zsh_summary "${description}")
  string(APPEND zsh_commands "  '${command}:${zsh_summary}'\n")
  string(APPEND commands " ${command}")
  roff(roff_command "${command}")
  roff(roff_summary "${description}")
  string(APPEND man ".SS ${roff_command}\n${roff_summary}\n")
  help(command_help ${command} --help)
  add_help(${command} command_help)
  string(STRIP "${options}" options)
  string(APPEND bash_options "    ${command}) words='${options}' ;;\n")
  string(APPEND zsh_cases "  ${command})\n    _arguments${zsh_options} \\\n      '*:file:_files' ;;\n")
endwhile()
string(STRIP "${commands}" commands)

file(WRITE ${OUTPUT}/bridgetower.1
".TH BRIDGETOWER 1 \"\" \"bridgetower ${version}\"
.SH NAME
bridgetower \\- ${program_summary}
.SH SYNOPSIS
\\fBbridgetower\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]
.SH OPTIONS
${program_man}.SH COMMANDS
${man}.SH ENVIRONMENT
.TP
\\fBBRIDGETOWER_MODEL\\fR
The model where \\fB\\-\\-model\\fR is not given; without it, the demo model.
")

file(WRITE ${OUTPUT}/bridgetower.bash
"_bridgetower() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=''
  if ((COMP_CWORD == 1)); then
    words='${commands} ${program_options}'
  elif [[ $word == -* ]]; then
    case \${COMP_WORDS[1]} in
${bash_options}    esac
  else
    case \"\${COMP_WORDS[1]} $previous\" in
${bash_values}    esac
  fi
  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))
}
complete -o default -F _bridgetower bridgetower
")

file(WRITE ${OUTPUT}/_bridgetower
"#compdef bridgetower
local -a commands=(
${zsh_commands})
if ((CURRENT == 2)); then
  _describe command commands
  return
fi
shift words
((CURRENT--))
case $words[1] in
${zsh_cases}esac
")
