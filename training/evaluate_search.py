"""Two-stage search beside exhaustive matching, on drawn pictures that training never saw.

    python evaluate_search.py --program ../build/release/bin/bridgetower --work DIR [--queries 200]

Draws the pictures and indexes them with their states. Every query is a sentence about one of them; it is answered twice:
by the matching head on the pictures whose vectors are nearest, and by the matching head on all pictures. An answer is
right where the sentence is true of the picture that comes first. Writes DIR/result.json and prints it.
"""

import argparse
import json
import random
import subprocess
import time
from pathlib import Path

import numpy as np

from captions import caption_facts, caption_of, truth
from pictures import any_variant, draw_scene
from pool import facts
from world import sample

ROOT = Path(__file__).resolve().parent.parent


def draw(folder, number):
    """(sentences, what each says, what each picture shows); the pictures are 0000.png, 0001.png, …"""
    chance = random.Random("search")
    folder.mkdir(parents=True, exist_ok=True)
    sentences, told, shown = [], [], []
    for i in range(number):
        scene = sample(chance, held_out=True)
        caption = caption_of(scene, chance, colour=1, size=0.6, place=1, everything=1, relation=0.8)
        sentences.append(caption.text())
        told.append(caption_facts(caption))
        shown.append(facts(scene))
        picture = draw_scene(scene, any_variant(chance))[0]
        if not (folder / f"{i:04}.png").exists():
            picture.save(folder / f"{i:04}.png")
    return sentences, told, np.array(shown)


def run(program, *arguments):
    """(records, seconds)"""
    start = time.monotonic()
    done = subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()], time.monotonic() - start


def right_answers(records, told, shown):
    """How many of the first pictures show what the query says."""
    first = [int(Path(record["image"]).stem) for record in records if record["rank"] == 1]
    assert len(first) == len(told)
    return sum(bool(truth([fact], shown[i:i + 1])[0, 0]) for i, fact in zip(first, told))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--model", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rerank", type=int, default=32)
    options = parser.parse_args()
    sentences, told, shown = draw(options.work / "pictures", options.pictures)
    queries = options.work / "queries.txt"
    queries.write_text("".join(f"{sentence}\n" for sentence in sentences[:options.queries]), encoding="utf-8")
    common = ("--model", options.model, "--format", "jsonl")
    index = options.work / "index"
    built, _ = run(options.program, "index", *common, "--no-progress", "--images", options.work / "pictures",
                   "--output", index, "--states", "1GB", "--state-dtype", "float32")
    result = {"pictures": built[-1]["images"], "queries": options.queries}
    for name, rerank in (("vectors", 0), ("two stages", options.rerank), ("exhaustive", options.pictures)):
        records, seconds = run(options.program, "search", *common, "--index", index, "--texts", queries,
                               "--top-k", 1, "--rerank", rerank)
        right = right_answers(records, told[:options.queries], shown)
        result[name] = {"R@1": 100 * right / options.queries, "pairs": rerank * options.queries,
                        "seconds": round(seconds, 1)}
    (options.work / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
