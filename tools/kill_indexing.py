"""Kills `bridgetower index` at random moments and resumes it, again and again:

    python tools/kill_indexing.py --program build/release/bin/bridgetower [--kills 50] [--seed 1]
    python tools/kill_indexing.py --program build/release/bin/bridgetower-mpi --ranks 3 --kills 20

The pictures are copies of examples/pictures, the model is the demo model, and states are kept for half of the pictures.
Every other job extends an index of half of them. After each SIGKILL the directory must hold the index before or the index
after, byte for byte, or none; a job that has ended must have left the bytes of one that nobody disturbed, and no more.

With --ranks one rank of an MPI job is killed, any of them; mpirun must end the others. There are no states then.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIES = 8
STATES = "4MB"


class Job:
    def __init__(self, program, pictures, index):
        self.command = [program, "index", "--model", ROOT / "models/demo", "--images", pictures, "--output", index,
                        "--no-progress", "--resume", *self.options()]

    def options(self):
        return ["--states", STATES]

    def run(self):
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)

    def killed_after(self, seconds):
        """What was killed then; nothing where the job had ended."""
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            status = process.wait(seconds)
            assert status == 0, status
            return None
        except subprocess.TimeoutExpired:
            return self.kill(process)

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        return "the program" if process.wait() == -signal.SIGKILL else None


class MpiJob(Job):
    def __init__(self, ranks, chance, *arguments):
        super().__init__(*arguments)
        self.chance = chance
        self.command = ["mpirun", "--oversubscribe", "--allow-run-as-root", "-n", str(ranks), *self.command]

    def options(self):
        return ["--threads", "1"]

    def kill(self, process):
        while not (ranks := ranks_of(process)) and process.poll() is None:
            time.sleep(0.01)  # mpirun has started none so far
        rank = self.chance.choice(sorted(ranks)) if ranks else None
        try:
            os.kill(ranks[rank], signal.SIGKILL)
        except (KeyError, ProcessLookupError):
            pass  # has ended meanwhile
        status = process.wait(60)
        deadline = time.monotonic() + 60
        while left := [other for other, process_id in ranks.items() if Path(f"/proc/{process_id}").exists()]:
            assert time.monotonic() < deadline, f"ranks {left} have outlived mpirun"
            time.sleep(0.01)
        return f"rank {rank}" if status != 0 else None


def ranks_of(mpirun):
    """The process of each rank that has begun."""
    ranks = {}
    for task in Path(f"/proc/{mpirun.pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                for variable in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                    if variable.startswith(b"OMPI_COMM_WORLD_RANK="):
                        ranks[int(variable.split(b"=")[1])] = int(child)
        except OSError:
            pass  # has ended meanwhile
    return ranks


def contents(index):
    return {file.name: file.read_bytes() for file in index.iterdir()} if index.exists() else {}


def check_survived(index, whole):
    """What the manifest names is one of these whole indexes; which one, None for no index."""
    found = contents(index)
    if "manifest.json" not in found:
        return None
    for name, files in whole.items():
        if found["manifest.json"] == files["manifest.json"]:
            assert all(found.get(file) == bytes_ for file, bytes_ in files.items()), name
            return name
    raise AssertionError("a manifest that nobody wrote")


def copy_pictures(folder, copies):
    folder.mkdir()
    for picture in sorted((ROOT / "examples/pictures").glob("*.png")):
        for i in copies:
            shutil.copy2(picture, folder / f"{i}-{picture.name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=Path)
    parser.add_argument("--ranks", type=int, help="of an MPI job; the program is bridgetower-mpi then")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)

    def make_job(pictures, index):
        arguments = options.program, pictures, index
        return MpiJob(options.ranks, chance, *arguments) if options.ranks else Job(*arguments)

    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pictures, index, old = work / "pictures", work / "index", work / "old"
        copy_pictures(pictures, range(0, COPIES, 2))
        make_job(pictures, old).run()
        shutil.rmtree(pictures)
        copy_pictures(pictures, range(COPIES))
        start = time.monotonic()
        make_job(pictures, work / "new").run()
        seconds = time.monotonic() - start
        whole = {"old": contents(old), "new": contents(work / "new")}
        job = make_job(pictures, index)
        jobs = 0
        killed = collections.Counter()
        after = {"old": 0, "new": 0, None: 0}
        while killed.total() < options.kills or index.exists():
            if not index.exists() and jobs % 2 == 1:
                shutil.copytree(old, index)
            if killed.total() < options.kills and (victim := job.killed_after(chance.uniform(0, seconds))):
                killed[victim] += 1
                after[check_survived(index, whole)] += 1
                continue
            job.run()  # to its end, and once more where it has ended
            assert contents(index) == whole["new"]
            shutil.rmtree(index)
            jobs += 1
        victims = ", ".join(f"{victim} {times} times" for victim, times in sorted(killed.items()))
        print(f"{killed.total()} kills within {seconds:.1f} s ({victims}), {jobs} jobs ended: all {len(whole['new'])} files as "
              f"undisturbed; after a kill there was no index {after[None]} times, the old one {after['old']}, the new one "
              f"{after['new']}")


if __name__ == "__main__":
    main()
