"""Kills `bridgetower index` at random moments and resumes it, again and again:

    python tools/kill_indexing.py --program build/release/bin/bridgetower [--kills 50] [--seed 1]

The pictures are copies of examples/pictures, the model is the demo model, and states are kept for half of the pictures.
Every other job extends an index of half of them. After each SIGKILL the directory must hold the index before or the index
after, byte for byte, or none; a job that has ended must have left the bytes of one that nobody disturbed, and no more.
"""

import argparse
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
                        "--states", STATES, "--no-progress", "--resume"]

    def run(self):
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)

    def killed_after(self, seconds):
        """Whether it was still at work then."""
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        try:
            status = process.wait(seconds)
            assert status == 0, status
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return process.wait() == -signal.SIGKILL


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
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pictures, index, old = work / "pictures", work / "index", work / "old"
        copy_pictures(pictures, range(0, COPIES, 2))
        Job(options.program, pictures, old).run()
        shutil.rmtree(pictures)
        copy_pictures(pictures, range(COPIES))
        start = time.monotonic()
        Job(options.program, pictures, work / "new").run()
        seconds = time.monotonic() - start
        whole = {"old": contents(old), "new": contents(work / "new")}
        job = Job(options.program, pictures, index)
        kills = jobs = 0
        after = {"old": 0, "new": 0, None: 0}
        while kills < options.kills or index.exists():
            if not index.exists() and jobs % 2 == 1:
                shutil.copytree(old, index)
            if kills < options.kills and job.killed_after(chance.uniform(0, seconds)):
                kills += 1
                after[check_survived(index, whole)] += 1
                continue
            job.run()  # to its end, and once more where it has ended
            assert contents(index) == whole["new"]
            shutil.rmtree(index)
            jobs += 1
        print(f"{kills} kills within {seconds:.1f} s, {jobs} jobs ended: all {len(whole['new'])} files as undisturbed; after "
              f"a kill there was no index {after[None]} times, the old one {after['old']}, the new one {after['new']}")


if __name__ == "__main__":
    main()
