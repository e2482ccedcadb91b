"""What indexing costs beside the bare vision tower, and how busy it keeps the cores.

    python benchmarks/indexing.py --program build/release/bin/bridgetower --model DIR [--pictures 24] [--threads 2]

Needs Pillow. Indexes pictures of the model's size and photographs of 12 megapixels (JPEG, quality 90), and times the tower
alone in as many processes of one thread, so that the cores are as warm. Seconds of loading are taken off by a run with one
picture a thread. `cpu` compares seconds of the processor and holds on a busy machine as well; `wall` and `busy` want a
quiet one.
"""

import argparse
import json
import os
import random
import resource
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


def measured(commands):
    """(output of each, wall seconds, processor seconds, idle seconds of the machine) of commands side by side."""
    def used():
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times.ru_utime + times.ru_stime
    before, start = used(), time.monotonic()
    running = [subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) for command in commands]
    outputs = [process.communicate()[0] for process in running]
    assert all(process.returncode == 0 for process in running)
    return outputs, time.monotonic() - start, used() - before


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    threads, pictures = options.threads, options.pictures
    side = json.loads((options.model / "config.json").read_text())["vision_config"]["image_size"]

    def tower(images):
        """`bench` encodes so many pictures twice and besides measures the machine."""
        command = [options.program, "bench", "--model", options.model, "--task", "image", "--threads", 1,
                   "--images", images, "--repeat", 1]
        return measured([command] * threads)[1:]

    def per_picture(few, many, more):
        return [(b - a) / more for a, b in zip(few, many)]

    with tempfile.TemporaryDirectory() as name:
        work = Path(name)

        def index(files):
            output = work / f"index-{time.monotonic_ns()}"
            return measured([[options.program, "index", "--model", options.model, "--threads", threads,
                              "--no-progress", "--images", *files, "--output", output]])[1:]

        each = pictures // threads
        bare = per_picture(tower(1), tower(1 + each), 2 * each * threads)
        result = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "pictures": pictures,
                  "tower": {"wall_ms": round(1000 * bare[0], 1), "cpu_ms": round(1000 * bare[1], 1)}}
        for kind, width, height in (("small", side, side), ("12 megapixels", 4000, 3000)):
            files = []
            for i in range(threads + pictures):
                files.append(work / f"{width}-{i}.jpg")
                photograph(i, width, height).save(files[-1], quality=90)
            few, many = index(files[:threads]), index(files)
            wall, cpu = per_picture(few, many, pictures)
            result[kind] = {"bytes": files[0].stat().st_size, "wall_ms": round(1000 * wall, 1),
                            "cpu_ms": round(1000 * cpu, 1), "wall": round(wall / bare[0], 3),
                            "cpu": round(cpu / bare[1], 3), "busy": round(cpu / wall / threads, 3)}
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
