"""Measures what benchmarks/scaling/simulate.py goes by, on a quiet machine, and writes it into rates.json:

    python benchmarks/scaling/measure.py --build build/release --model DIR

Needs a release build with benchmarks and MPI, Pillow (for benchmarks/indexing.py) and 6 GB of memory; takes about half an hour. What is
known from the layout of the index or measured elsewhere stays as it is. Then put the new tables into the page:

    python benchmarks/scaling/simulate.py --update docs/scaling.md
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RATES = Path(__file__).with_name("rates.json")


def output(*command, **environment):
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment}).stdout


def bench(program, model, task):
    """Seconds of one core for an item."""
    found = output(program, "bench", "--model", model, "--task", task, "--threads", 1, "--format", "jsonl")
    return 1 / json.loads(found)["items_per_s"]


def google(program, name, **environment):
    """The median of a benchmark."""
    found = json.loads(output(program, "--benchmark_filter=" + name, "--benchmark_repetitions=9",
                              "--benchmark_format=json", **environment))
    return next(one for one in found["benchmarks"] if one.get("aggregate_name") == "median")


def load(program, model):
    """Seconds of a process that indexes one small picture, twice, as the first reads the model from the disk."""
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name:
            start = time.monotonic()
            output(program, "index", "--model", model, "--threads", 1, "--images", ROOT / "examples/pictures/red-boat-sea.png",
                   "--output", Path(name) / "index")
            took = time.monotonic() - start
    return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    options = parser.parse_args()
    program, mpi_program = options.build / "bin/bridgetower", options.build / "bin/bridgetower-mpi"
    benchmarks, model = options.build / "benchmarks", options.model

    tower = bench(program, model, "image")
    indexing = json.loads(output(sys.executable, ROOT / "benchmarks/indexing.py", "--program", program, "--model", model))
    keep = google(benchmarks / "mpi_bench", "keep_block")
    values = {
        "tower_s": tower,
        "decode_s": (indexing["12 megapixels"]["cpu_ms"] - indexing["tower"]["cpu_ms"]) / 1000,
        "file_bytes": indexing["12 megapixels"]["bytes"],
        "pair_s": bench(program, model, "match"),
        "load_s": load(program, model) - tower,
        "keep_s": 1 / keep["items_per_second"],
        "message_bytes": keep["message_bytes"],
        "scan_bytes_per_s": google(benchmarks / "search_bench", "search_index",
                                   BRIDGETOWER_SEARCH_IMAGES="1000000")["bytes_per_second"],
    }
    rates = json.loads(RATES.read_text())
    for name, value in values.items():
        rates["measured"][name]["value"] = float(f"{value:.3g}")
    rates["ranks"] = json.loads(output(sys.executable, ROOT / "benchmarks/ranks.py", "--program", program,
                                       "--mpi-program", mpi_program, "--model", model))
    RATES.write_text(json.dumps(rates, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
