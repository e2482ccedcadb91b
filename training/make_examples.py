"""Draws the example pictures: python make_examples.py   (writes ../examples/pictures)

Each name says what is to be seen; captions.txt has a sentence for each picture.
"""

import random
from pathlib import Path

from pictures import draw_scene
from world import Group, scene_with

OUT = Path(__file__).resolve().parent.parent / "examples/pictures"

# name: sentence, place, relation, seed of the layout, groups (kind, colour, size, count)
PICTURES = {
    "red-boat-sea": (
        "a big red boat on the water", "sea", None, 42,
        [("boat", "red", "big", 1)]),
    "two-green-fishes-sea": (
        "two green fishes on the sea", "sea", None, 43,
        [("fish", "green", "medium", 2)]),
    "yellow-balloon-above-boat": (
        "a yellow balloon is above a big blue boat on the sea", "sea", "above", 43,
        [("balloon", "yellow", "medium", 1), ("boat", "blue", "big", 1)]),
    "three-pink-flowers-meadow": (
        "three pink flowers on the grass", "meadow", None, 4,
        [("flower", "pink", "medium", 3)]),
    "brown-house-left-of-green-tree": (
        "a brown house is to the left of a green tree in the meadow", "meadow", "left", 42,
        [("house", "brown", "big", 1), ("tree", "green", "big", 1)]),
    "purple-butterfly-above-flower": (
        "a purple butterfly is over a red flower in the meadow", "meadow", "above", 42,
        [("butterfly", "purple", "medium", 1), ("flower", "red", "medium", 1)]),
    "orange-kite-meadow": (
        "there is a big orange kite on the grass", "meadow", None, 44,
        [("kite", "orange", "big", 1)]),
    "blue-umbrella-desert": (
        "a blue umbrella in the desert", "desert", None, 43,
        [("umbrella", "blue", "big", 1)]),
    "red-car-right-of-house": (
        "the red car is right of the white house on the sand", "desert", "right", 44,
        [("car", "red", "big", 1), ("house", "white", "medium", 1)]),
    "two-black-birds-desert": (
        "i can see two black birds in the desert", "desert", None, 34,
        [("bird", "black", "medium", 2)]),
    "red-hat-snow": (
        "a big red hat in the snow", "snow", None, 42,
        [("hat", "red", "big", 1)]),
    "three-gifts-snow": (
        "three purple gifts in the snow", "snow", None, 54,
        [("gift", "purple", "medium", 3)]),
    "orange-cat-and-yellow-bell": (
        "an orange cat is left of a yellow bell in the snow", "snow", "left", 43,
        [("cat", "orange", "big", 1), ("bell", "yellow", "medium", 1)]),
    "two-yellow-stars-night": (
        "two small yellow stars in the dark", "night", None, 54,
        [("star", "yellow", "small", 2)]),
    "white-rocket-night": (
        "a picture of a white rocket at night", "night", None, 45,
        [("rocket", "white", "big", 1)]),
    "black-cat-below-lamp": (
        "a black cat is under an orange lamp at night", "night", "below", 43,
        [("cat", "black", "medium", 1), ("lamp", "orange", "medium", 1)]),
    "pink-cake-room": (
        "a big pink cake indoors", "room", None, 42,
        [("cake", "pink", "big", 1)]),
    "green-clock-and-book": (
        "a green clock is to the right of a big blue book in the room", "room", "right", 42,
        [("clock", "green", "medium", 1), ("book", "blue", "big", 1)]),
    "cup-apple-and-key": (
        "a white cup, a red apple and a small yellow key indoors", "room", None, 44,
        [("cup", "white", "medium", 1), ("apple", "red", "medium", 1), ("key", "yellow", "small", 1)]),
    "purple-crown-sunset": (
        "a purple crown at sunset", "sunset", None, 20,
        [("crown", "purple", "big", 1)]),
    "two-white-birds-sunset": (
        "two small white birds are above a brown boat in the evening", "sunset", "above", 52,
        [("bird", "white", "small", 2), ("boat", "brown", "medium", 1)]),
    "red-hearts-sunset": (
        "at sunset, there are three red hearts", "sunset", None, 42,
        [("heart", "red", "medium", 3)]),
    "yellow-car-city": (
        "a yellow car in the street", "city", None, 42,
        [("car", "yellow", "big", 1)]),
    "balloons-left-of-ball": (
        "three small red balloons are left of a green ball in the city", "city", "left", 42,
        [("balloon", "red", "small", 3), ("ball", "green", "medium", 1)]),
}


def example(name):
    _, place, relation, seed, groups = PICTURES[name]
    scene = scene_with(random.Random(f"example {seed}"), place, relation, [Group(*group) for group in groups])
    return draw_scene(scene, seed % 24)[0]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        example(name).save(OUT / f"{name}.png", optimize=True)
    (OUT / "captions.txt").write_text("".join(f"{name}.png\t{facts[0]}\n" for name, facts in PICTURES.items()),
                                      encoding="utf-8")


if __name__ == "__main__":
    main()
