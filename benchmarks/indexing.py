"""What indexing costs beside the bare vision tower, and how busy it keeps the cores.

    python benchmarks/indexing.py --program build/release/bin/bridgetower --model DIR [--pictures 120] [--threads 2]

Needs Pillow. Indexes pictures of the model's size and photographs of 12 megapixels (JPEG, quality 90). Beside each runs the
tower alone, `bench` in as many processes of one thread, so that the cores are as warm. `busy` is the share of their time that the
cores did not idle during the whole command, loading included; a picture's times are without loading, which a run with one
picture a thread takes off. `cpu` holds on a busy machine as well; `wall` and `busy` want a quiet one.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageFilter


def photograph(seed, width, height):
    """Blurred colours, edges and noise: about as many bytes a pixel as a camera makes."""
    small = Image.frombytes("RGB", (width // 50, height // 50),
                            random.Random(seed).randbytes(3 * (width // 50) * (height // 50)))
    large = small.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    noise = Image.effect_noise((width, height), 24).convert("RGB")
    return Image.blend(large, noise, 0.15)


def idle_seconds():
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def bare_tower(options):
    """Median wall seconds of a picture where every thread encodes its own."""
    command = [options.program, "bench", "--model", options.model, "--task", "image", "--threads", 1, "--repeat", 8,
               "--format", "jsonl"]
    running = [subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) for _ in range(options.threads)]
    medians = [json.loads(process.communicate()[0])["median_ms"] / 1000 for process in running]
    return statistics.mean(medians) / options.threads


def index(options, files, output):
    """Wall, processor and idle seconds."""
    command = [options.program, "index", "--model", options.model, "--threads", options.threads, "--no-progress",
               "--images", *files, "--output", output]

    def used():
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times.ru_utime + times.ru_stime, idle_seconds()
    before, start = used(), time.monotonic()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - start
    return wall, *(b - a for a, b in zip(before, used()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--pictures", type=int, default=120)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    threads, pictures = options.threads, options.pictures
    side = json.loads((options.model / "config.json").read_text())["vision_config"]["image_size"]

    with tempfile.TemporaryDirectory() as name:
        for kind, width, height in (("small", side, side), ("12 megapixels", 4000, 3000)):
            files = [Path(name) / f"{width}-{i}.jpg" for i in range(threads + pictures)]
            photograph(0, width, height).save(files[0], quality=90)
            for i, file in enumerate(files[1:], 1):  # as large, and every one another picture
                file.write_bytes(files[0].read_bytes() + i.to_bytes(4, "little"))
            tower = bare_tower(options)
            few = index(options, files[:threads], Path(name) / f"{width}-few")
            many = index(options, files, Path(name) / f"{width}-many")
            tower = (tower + bare_tower(options)) / 2
            wall, cpu = ((b - a) / pictures for a, b in zip(few[:2], many[:2]))
            print(json.dumps({
                "pictures": kind, "bytes": files[0].stat().st_size, "seconds": round(many[0], 1),
                "busy": round(1 - many[2] / many[0] / os.cpu_count(), 3),
                "tower_ms": round(1000 * tower, 1), "wall_ms": round(1000 * wall, 1), "cpu_ms": round(1000 * cpu, 1),
                "wall": round(wall / tower, 3), "cpu": round(cpu / tower / threads, 3)}), flush=True)


if __name__ == "__main__":
    main()
