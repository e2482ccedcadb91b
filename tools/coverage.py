#!/usr/bin/env python3
"""Coverage of lines and branches of include/ and src/, from a build with the preset coverage.

    cmake --preset coverage && cmake --build --preset coverage && ctest --preset coverage
    tools/coverage.py build/coverage [--parsers]

With --parsers only what reads bytes from outside. Branches that only an exception takes do not count, the instances of a
template count as one, and kernels for other processors than this one's are left out.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent.parent
EVERYTHING = ("include/", "src/")
PARSERS = ("src/io/", "src/core/json", "src/core/utf8", "src/config/", "src/preprocessing/", "src/sentencepiece/",
           "src/search/layout", "src/search/part_file", "src/search/journal", "src/search/path_json",
           "src/pipeline/state_file")


def documents(build):
    """What gcov says of each object file that ran."""
    for data in build.rglob("*.gcda"):
        found = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", str(data.resolve())],
                               capture_output=True, cwd=build, check=True)
        for document in filter(None, found.stdout.decode().split("\n")):
            yield json.loads(document)


def counts_of(build, places):
    """{file: {line: count}} and {file: {(line, branch): count}}, summed over programs and instances."""
    lines = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(collections.Counter)
    for document in documents(build):
        for file in document["files"]:
            path = pathlib.Path(file["file"])
            path = (path if path.is_absolute() else build / path).resolve()
            if not path.is_relative_to(SOURCE):
                continue
            name = str(path.relative_to(SOURCE))
            if not name.startswith(places):
                continue
            for line in file["lines"]:
                number = line["line_number"]
                lines[name][number] += line["count"]
                for index, branch in enumerate(line["branches"]):
                    if not branch["throw"]:
                        branches[name][number, index] += branch["count"]
    return lines, branches


def share(counts):
    return 100 * sum(count > 0 for count in counts) / len(counts) if counts else 100


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--parsers", action="store_true")
    arguments = parser.parse_args()
    lines, branches = counts_of(arguments.build, PARSERS if arguments.parsers else EVERYTHING)
    # What this processor cannot run: only one of the kernels' files is taken.
    lines = {name: counts for name, counts in lines.items() if counts
             and (any(counts.values()) or not re.search("ops/kernels/(baseline|avx)", name))}
    print("  lines branches")
    for name, counts in sorted(lines.items()):
        missed = [number for number, count in sorted(counts.items()) if count == 0]
        print(f"{share(counts.values()):6.1f} % {share(branches[name].values()):6.1f} %  {name}"
              + (f"  not run: {missed}" if missed else ""))
    all_lines = [count for counts in lines.values() for count in counts.values()]
    all_branches = [count for name in lines for count in branches[name].values()]
    print(f"{share(all_lines):6.1f} % {share(all_branches):6.1f} %  of {len(all_lines):,} lines, {len(all_branches):,} branches")


if __name__ == "__main__":
    main()
