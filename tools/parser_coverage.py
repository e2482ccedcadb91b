#!/usr/bin/env python3
"""Line coverage of everything that reads bytes from outside, from a build with the preset coverage.

    cmake --preset coverage && cmake --build --preset coverage && ctest --preset coverage
    tools/parser_coverage.py build/coverage
"""
import argparse
import json
import pathlib
import subprocess

PARSERS = ("src/io/", "src/core/json", "src/core/utf8", "src/config/", "src/preprocessing/", "src/sentencepiece/",
           "src/search/layout", "src/search/part_file", "src/search/journal", "src/search/path_json",
           "src/pipeline/state_file")


def lines_of(build):
    """{file: {line: count}}, the largest count where a line is in several programs."""
    source = pathlib.Path(__file__).resolve().parent.parent
    counts = {}
    for data in build.rglob("*.gcda"):
        found = subprocess.run(["gcov", "--json-format", "--stdout", str(data.resolve())], capture_output=True,
                               cwd=build, check=True)
        for document in filter(None, found.stdout.decode().split("\n")):
            for file in json.loads(document)["files"]:
                path = pathlib.Path(file["file"])
                path = (path if path.is_absolute() else build / path).resolve()
                if not path.is_relative_to(source):
                    continue
                name = str(path.relative_to(source))
                if name.startswith(PARSERS):
                    lines = counts.setdefault(name, {})
                    for line in file["lines"]:
                        number = line["line_number"]
                        lines[number] = max(lines.get(number, 0), line["count"])
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    counts = lines_of(parser.parse_args().build)
    total = covered = 0
    for name, lines in sorted((name, lines) for name, lines in counts.items() if lines):
        missed = [number for number, count in sorted(lines.items()) if count == 0]
        total += len(lines)
        covered += len(lines) - len(missed)
        print(f"{100 * (1 - len(missed) / len(lines)):6.1f} %  {name}" + (f"  not run: {missed}" if missed else ""))
    print(f"{100 * covered / total:6.1f} %  of {total} lines")


if __name__ == "__main__":
    main()
