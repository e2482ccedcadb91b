#!/usr/bin/env python3
"""Fuzzes the targets of tests/fuzz, a process each, and keeps what reached new code.

    cmake --preset fuzz && cmake --build --preset fuzz --target bridgetower_fuzzer
    tools/fuzz.py --minutes 20 --jobs 2 --work /tmp/fuzz [--keep tests/data/fuzz] [TARGET...]

Prints a row of the ledger of docs/fuzzing.md a target (minutes are of processor time), and goes on where WORK was left. An
input that ends a process lies in WORK/<target>/findings. With --keep the smallest inputs that cover what the corpus covers
are written there, a line of hexadecimal digits each.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LARGEST_INPUT = 2048  # bytes, of those that are kept
LARGEST_FILE = 24 * 1024
COVERED = r"cov: (\d+)"


def fuzzer(arguments, target, options, **more):
    """What it printed, and the seconds of processor time that it took."""
    environment = dict(os.environ, BRIDGETOWER_FUZZ_TARGET=target, **more)
    with tempfile.TemporaryFile(mode="w+", errors="replace") as log:
        process = subprocess.Popen([arguments.fuzzer, *options], env=environment, stdout=subprocess.DEVNULL, stderr=log)
        _, process.returncode, used = os.wait4(process.pid, 0)
        log.seek(0)
        return log.read(), used.ru_utime + used.ru_stime


def all_targets(arguments):
    message, _ = fuzzer(arguments, "", [])
    return message.strip().splitlines()[-1].split(":")[1].split()


def number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def keep(arguments, target):
    """Writes the smallest inputs that cover the same."""
    corpus = arguments.work / target / "corpus"
    small = arguments.work / target / "small"
    small.mkdir(exist_ok=True)
    for old in small.iterdir():
        old.unlink()
    fuzzer(arguments, target, ["-set_cover_merge=1", f"-max_len={LARGEST_INPUT}", str(small), str(corpus)])
    inputs = sorted((file.read_bytes() for file in small.iterdir()), key=lambda data: (len(data), data))
    lines, size = [], 0
    for data in inputs:
        if not data or len(data) > LARGEST_INPUT or size + 2 * len(data) > LARGEST_FILE:
            continue
        lines.append(data.hex() + "\n")
        size += 2 * len(data)
    arguments.keep.mkdir(parents=True, exist_ok=True)
    (arguments.keep / f"{target}.hex").write_text("".join(lines))


def fuzz(arguments, target):
    corpus, findings = (arguments.work / target / name for name in ("corpus", "findings"))
    for directory in (corpus, findings):
        directory.mkdir(parents=True, exist_ok=True)
    seconds = executed = 0
    # A finding ends the process, not the fuzzing.
    while (left := round(60 * arguments.minutes - seconds)) > 0:
        log, used = fuzzer(arguments, target, [
            f"-max_total_time={left}", "-print_final_stats=1", "-timeout=60", "-report_slow_units=60", "-rss_limit_mb=3000",
            "-reload=0", f"-artifact_prefix={findings}/", str(corpus)], BRIDGETOWER_FUZZ_CORPUS=str(corpus))
        (arguments.work / target / "log").write_text(log)
        executed += number(r"number_of_executed_units: (\d+)", log)
        seconds += used
    return (f"| `{target}` | {seconds / 60:.1f} | {executed:,} | {executed / seconds:,.0f} "
            f"| {number(COVERED, log):,} | {len(list(findings.iterdir()))} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fuzzer", type=pathlib.Path, default=ROOT / "build/fuzz/bin/bridgetower_fuzzer")
    parser.add_argument("--minutes", type=float, default=20, help="of processor time, a target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--keep", type=pathlib.Path, help="where the smallest inputs go: tests/data/fuzz")
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()
    known = all_targets(arguments)
    unknown = set(arguments.targets) - set(known)
    if unknown:
        sys.exit(f"no target is named {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    print("| target | minutes | executions | a second | edges | findings |\n|---|---|---|---|---|---|")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for row in pool.map(lambda target: fuzz(arguments, target), arguments.targets or known):
            print(row, flush=True)
        if arguments.keep:
            list(pool.map(lambda target: keep(arguments, target), arguments.targets or known))


main()
