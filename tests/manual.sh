#!/usr/bin/env bash
# Every command and option that the program's help names is in the man page and in both completions.
# manual.sh PROGRAM FOLDER (of bridgetower.1, bridgetower.bash, _bridgetower)
set -euo pipefail
program=$1
folder=$2
source "$folder/bridgetower.bash"

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
completed() {  # what bash proposes after these words, sorted
  COMP_WORDS=(bridgetower "$@")
  COMP_CWORD=$#
  _bridgetower
  printf '%s\n' "${COMPREPLY[@]}" | sort
}

commands=$("$program" --help | sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p' | sort)
[ "$(wc -w <<<"$commands")" -ge 10 ] || fail "too few commands in --help: $commands"
[ "$(completed '' | grep -v ^-)" = "$commands" ] || fail "bash: commands"
for command in $commands; do
  options=$("$program" "$command" --help | grep -oE '^  (-[a-z],)?--[a-z0-9-]+' | grep -oE -- '--.*' | sort)
  [ "$(completed "$command" --)" = "$options" ] || fail "bash: options of $command"
  page=$(awk -v heading=".SS ${command//-/\\\\-}" '/^\.S[SH] / { inside = $0 == heading } inside' "$folder/bridgetower.1" |
    sed -n 's/,/ /; s/^\\fB\(.*\)\\fR$/ \1 /p')
  zsh=$(sed -n "/^  $command)\$/,/;;\$/p" "$folder/_bridgetower")
  grep -q "^  '$command:" "$folder/_bridgetower" || fail "zsh: $command"
  for option in $options; do
    grep -qF -- " ${option//-/\\-} " <<<"$page" || fail "man page: $option of $command"
    grep -qF -- "'*$option[" <<<"$zsh" || fail "zsh: $option of $command"
  done
done
[ "$(completed match --format j)" = $'json\njsonl' ] || fail "bash: values of --format"
