"""Draws the training pictures once: python pool.py --out POOL [--scenes 24000] [--processes 2]

POOL gets pixels.npy [N, 96, 96, 3] and owners.npy [N, 36] (bytes) and facts.npy [N, 14]: place, relation (-1: none), then kind,
colour, size and count of each of three groups (-1: no such group).
"""

import argparse
import functools
import random
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from drawing import COLOURS
from objects import KINDS
from pictures import PATCH, SEEN, any_variant, draw_scene, owners, seen
from places import PLACES
from world import RELATIONS, SIZES, Group, Scene, sample

CHUNK = 500
SHAPES = {"pixels": (SEEN, SEEN, 3), "owners": ((SEEN // PATCH) ** 2,), "facts": (14,)}
TYPES = {"pixels": np.uint8, "owners": np.uint8, "facts": np.int8}


def facts(scene):
    """A scene as numbers."""
    row = [PLACES.index(scene.place), -1 if scene.relation is None else RELATIONS.index(scene.relation)]
    for group in scene.groups:
        row += [KINDS.index(group.kind), COLOURS.index(group.colour), SIZES.index(group.size), group.count]
    return row + [-1] * (14 - len(row))


def scene_of(row):
    """The scene that `facts` wrote, without its spots."""
    row = [int(value) for value in row]
    groups = tuple(Group(KINDS[k], COLOURS[c], SIZES[s], n) for k, c, s, n in zip(*(row[2 + i::4] for i in range(4)))
                   if k >= 0)
    return Scene(PLACES[row[0]], groups, None if row[1] < 0 else RELATIONS[row[1]], ())


def draw_chunk(out, chunk):
    chance = random.Random(f"pool {chunk}")
    arrays = {name: np.load(f"{out}/{name}.npy", mmap_mode="r+") for name in SHAPES}
    for i in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        scene = sample(chance, held_out=False)
        picture, masks = draw_scene(scene, any_variant(chance))
        arrays["pixels"][i], arrays["owners"][i] = np.asarray(seen(picture)), owners(masks)
        arrays["facts"][i] = facts(scene)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--scenes", type=int, default=24000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, shape in SHAPES.items():
        np.lib.format.open_memmap(options.out / f"{name}.npy", "w+", TYPES[name], (options.scenes, *shape)).flush()
    with get_context("fork").Pool(options.processes) as workers:
        done = workers.imap_unordered(functools.partial(draw_chunk, options.out), range(options.scenes // CHUNK))
        for count, _ in enumerate(done, 1):
            print(f"{count * CHUNK} scenes", flush=True)


if __name__ == "__main__":
    main()
