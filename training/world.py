"""Scenes: one place and one to three groups of equal objects. Which combinations training never sees is decided here."""

import zlib
from dataclasses import dataclass

from drawing import COLOURS
from objects import KINDS
from places import PLACES

SIZES = ("small", "medium", "big")
DIAMETER = {"small": 56, "medium": 84, "big": 120}  # in a picture of 288 pixels
RELATIONS = ("left", "right", "above", "below")
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
HELD_OUT_ONE_IN = 10
SIDE = 288
GRID = 24  # half of a patch of 16 pixels in a picture of 96
SLACK = 5  # an object may reach over the border of its area by this
TRIES = 30
TILTS = (-6, -3, 0, 3, 6)  # degrees


@dataclass(frozen=True)
class Group:
    kind: str
    colour: str
    size: str
    count: int


@dataclass(frozen=True)
class Scene:
    place: str
    groups: tuple  # of Group; no two of the same kind
    relation: str | None  # groups[0] is … of groups[1]; None unless there are two groups
    spots: tuple  # for each object: (group, x, y, diameter, tilt in degrees)


def _rare(*words):
    return zlib.crc32(" ".join(words).encode()) % HELD_OUT_ONE_IN == 0


def held_out_groups(scene):
    """Whether an object in its colour at this place is a combination that is kept from training."""
    return any(_rare(group.kind, group.colour, scene.place) for group in scene.groups)


def held_out_relation(scene):
    """Whether two kinds in this relation are kept from training; the same fact seen from the other side counts too."""
    if scene.relation is None:
        return False
    a, b = (group.kind for group in scene.groups)
    return _rare(a, scene.relation, b) or _rare(b, OPPOSITE[scene.relation], a)


def is_held_out(scene):
    return held_out_groups(scene) or held_out_relation(scene)


def _areas(number, relation):
    """One rectangle (left, top, width, height) a group."""
    half = SIDE / 2
    if number == 1:
        return [(0, 0, SIDE, SIDE)]
    if number == 2:
        first, second = ((0, 0, half, SIDE), (half, 0, half, SIDE)) if relation in ("left", "right") else (
            (0, 0, SIDE, half), (0, half, SIDE, half))
        return [first, second] if relation in ("left", "above") else [second, first]
    return [(0, 0, half, half), (half, 0, half, half), (0, half, half, half), (half, half, half, half)]


def _place_group(chance, index, group, area):
    """Spots on a grid of half patches, moved by a pixel or two; None where the group does not fit."""
    left, top, width, height = area
    diameter = DIAMETER[group.size]
    reach = diameter / 2 - SLACK
    places = [(x, y) for x in range(0, SIDE + 1, GRID) for y in range(0, SIDE + 1, GRID)
              if left + reach <= x <= left + width - reach and top + reach <= y <= top + height - reach]
    for _ in range(TRIES):
        chosen = chance.sample(places, group.count) if len(places) >= group.count else []
        if chosen and all((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= (diameter + 2) ** 2
                          for i, a in enumerate(chosen) for b in chosen[:i]):
            return [(index, x + chance.uniform(-4, 4), y + chance.uniform(-4, 4), diameter, chance.choice(TILTS))
                    for x, y in chosen]
    return None


def sample_scene(chance, numbers=(0.36, 0.46, 0.18)):
    """A random scene; `numbers` are the shares of one, two and three groups."""
    number = chance.choices((1, 2, 3), numbers)[0]
    relation = chance.choice(RELATIONS) if number == 2 else None
    areas = _areas(number, relation)
    if number == 3:
        areas = chance.sample(areas, 3)
    groups, spots = [], []
    for i, (kind, area) in enumerate(zip(chance.sample(KINDS, number), areas)):
        placed = None
        while placed is None:
            count = chance.choices((1, 2, 3), (0.5, 0.25, 0.25))[0]
            group = Group(kind, chance.choice(COLOURS), chance.choice(SIZES), count)
            placed = _place_group(chance, i, group, area)
        groups.append(group)
        spots += placed
    return Scene(chance.choice(PLACES), tuple(groups), relation, tuple(spots))


def scene_with(chance, place, relation, groups):
    """A scene of these groups, laid out by chance."""
    areas = _areas(len(groups), relation)
    if len(groups) == 3:
        areas = chance.sample(areas, 3)
    spots = [spot for i, (group, area) in enumerate(zip(groups, areas)) for spot in _place_group(chance, i, group, area)]
    return Scene(place, tuple(groups), relation, tuple(spots))


def sample(chance, held_out, **options):
    """A scene of the held-out part of the world, or of the other part."""
    while True:
        scene = sample_scene(chance, **options)
        if is_held_out(scene) == held_out:
            return scene
