"""What the distribution over MPI ranks costs:

    python benchmarks/ranks.py --program build/release/bin/bridgetower --mpi-program build/release/bin/bridgetower-mpi \
        --model DIR [--pictures 240] [--rounds 3] [--ranks 1 2 3 4]

Indexes the same pictures with one process of two threads and with so many ranks of one thread, all of them once in a round, in
turns. The times are those of whole jobs, starting and loading included: with few pictures they say little. Prints medians over
the rounds: `wall_s` and `cpu_s` for all pictures by the number of ranks, `first_s` for one rank and one picture, and `overhead_…`,
how much more 2 ranks take than the process. It wants a quiet machine; a rank that waits for messages keeps its core busy. The
result is the part `ranks` of benchmarks/scaling/rates.json.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def measured(command):
    """(wall seconds, processor seconds)"""
    def used():
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times.ru_utime + times.ru_stime
    before, start = used(), time.monotonic()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start, used() - before


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=Path)
    parser.add_argument("--mpi-program", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--pictures", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 3, 4])
    options = parser.parse_args()
    examples = sorted((ROOT / "examples/pictures").glob("*.png"))

    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        files = [work / f"{i}.png" for i in range(options.pictures)]
        for i, file in enumerate(files):
            shutil.copy(examples[i % len(examples)], file)

        def index(before, threads, count=options.pictures):
            shutil.rmtree(work / "index", ignore_errors=True)
            return measured([*before, "index", "--model", options.model, "--threads", threads, "--no-progress",
                             "--output", work / "index", "--images", *files[:count]])

        def on_ranks(ranks):
            launch = ["mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to", "none", "-n", ranks]
            return [*launch, options.mpi_program], 1

        configurations = {"process": ([options.program], 2), **{ranks: on_ranks(ranks) for ranks in options.ranks}}
        rounds, first = {configuration: [] for configuration in configurations}, []
        for i in range(options.rounds):
            first.append(index(*on_ranks(1), count=1)[0])
            turns = list(configurations.items())
            for configuration, job in turns if i % 2 == 0 else reversed(turns):
                rounds[configuration].append(index(*job))

    def medians(place):
        return {configuration: round(statistics.median(times[place] for times in all_times), 3)
                for configuration, all_times in rounds.items()}

    result = {"processor": processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0],
              "pictures": options.pictures, "rounds": options.rounds,
              "first_s": round(statistics.median(first), 3), "wall_s": medians(0), "cpu_s": medians(1)}
    if 2 in rounds:
        for place, kind in enumerate(("wall", "cpu")):
            ratios = [a[place] / b[place] for a, b in zip(rounds[2], rounds["process"])]
            result[f"overhead_{kind}"] = round(statistics.median(ratios) - 1, 3)
            result[f"overhead_{kind}_of_rounds"] = [round(ratio - 1, 3) for ratio in ratios]
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
