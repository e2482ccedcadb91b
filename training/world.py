"""Scenes: one place and one to three groups of equal objects. Which combinations training never sees is decided here."""

import zlib
from dataclasses import dataclass

from drawing import COLOURS
from objects import KINDS
from places import PLACES

SIZES = ("small", "medium", "big")
DIAMETER = {"small": 50, "medium": 78, "big": 116}  # in a picture of 288 pixels
RELATIONS = ("left", "right", "above", "below")
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
HELD_OUT_ONE_IN = 10
SIDE = 288
MARGIN = 5


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


def _capacity(area, diameter):
    columns, rows = int((area[2] - MARGIN) // (diameter + 2)), int((area[3] - MARGIN) // (diameter + 2))
    return columns, rows


def _place_group(chance, index, group, area):
    """Spots in cells of a grid, moved a little inside each cell."""
    left, top, width, height = area
    diameter = DIAMETER[group.size] * chance.uniform(0.93, 1.07)
    columns, rows = _capacity(area, diameter)
    columns, rows = min(columns, 3), min(rows, 3)
    cells = chance.sample([(c, r) for c in range(columns) for r in range(rows)], group.count)
    spots = []
    for column, row in cells:
        cell_width, cell_height = (width - 2 * MARGIN) / columns, (height - 2 * MARGIN) / rows
        x = left + MARGIN + cell_width * column + chance.uniform(diameter / 2, cell_width - diameter / 2)
        y = top + MARGIN + cell_height * row + chance.uniform(diameter / 2, cell_height - diameter / 2)
        spots.append((index, x, y, diameter, chance.uniform(-9, 9)))
    return spots


def _lay_out(chance, groups, areas):
    return tuple(spot for i, (group, area) in enumerate(zip(groups, areas))
                 for spot in _place_group(chance, i, group, area))


def _fits(group, area):
    columns, rows = _capacity(area, DIAMETER[group.size] * 1.07)
    return min(columns, 3) * min(rows, 3) >= group.count


def sample_scene(chance, numbers=(0.36, 0.46, 0.18)):
    """A random scene; `numbers` are the shares of one, two and three groups."""
    number = chance.choices((1, 2, 3), numbers)[0]
    relation = chance.choice(RELATIONS) if number == 2 else None
    areas = _areas(number, relation)
    if number == 3:
        areas = chance.sample(areas, 3)
    groups = []
    for kind, area in zip(chance.sample(KINDS, number), areas):
        while True:
            count = chance.choices((1, 2, 3), (0.5, 0.25, 0.25))[0]
            group = Group(kind, chance.choice(COLOURS), chance.choice(SIZES), count)
            if _fits(group, area):
                break
        groups.append(group)
    spots = _lay_out(chance, groups, areas)
    return Scene(chance.choice(PLACES), tuple(groups), relation, spots)


def scene_with(chance, place, relation, groups):
    """A scene of these groups, laid out by chance."""
    areas = _areas(len(groups), relation)
    if len(groups) == 3:
        areas = chance.sample(areas, 3)
    return Scene(place, tuple(groups), relation, _lay_out(chance, groups, areas))


def sample(chance, held_out, **options):
    """A scene of the held-out part of the world, or of the other part."""
    while True:
        scene = sample_scene(chance, **options)
        if is_held_out(scene) == held_out:
            return scene
