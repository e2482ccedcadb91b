"""Pictures of scenes, and which group covers which patch."""

import functools

import numpy as np
from PIL import Image, ImageFilter

import places
from drawing import Pen
from objects import DRAW
from world import SIDE

SEEN = 96  # side of what the model sees
PATCH = 16
NOBODY = 255


@functools.lru_cache(maxsize=None)
def _background(place, variant):
    return places.draw_place(place, variant)


@functools.lru_cache(maxsize=None)
def sprite(kind, colour):
    """An object with a thin light rim, cropped; a few times as large as it is shown."""
    pen = Pen(colour)
    DRAW[kind](pen)
    image = pen.image.reduce(2)
    margin = 8
    padded = Image.new("RGBA", (image.width + 2 * margin, image.height + 2 * margin))
    padded.paste(image, (margin, margin))
    rim = padded.getchannel("A").filter(ImageFilter.MaxFilter(7)).filter(ImageFilter.GaussianBlur(1.2))
    framed = Image.new("RGBA", padded.size, (255, 253, 246, 0))
    framed.putalpha(rim)
    framed.alpha_composite(padded)
    return framed.crop(framed.getchannel("A").getbbox())


@functools.lru_cache(maxsize=None)
def _sized(kind, colour, diameter):
    image = sprite(kind, colour)
    scale = diameter / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def draw_scene(scene, variant):
    """The picture, 288 pixels a side, and the alpha masks of its groups."""
    picture = _background(scene.place, variant).copy()
    masks = [Image.new("L", (SIDE, SIDE)) for _ in scene.groups]
    for index, x, y, diameter, tilt in scene.spots:
        group = scene.groups[index]
        image = _sized(group.kind, group.colour, diameter).rotate(tilt, Image.Resampling.BICUBIC, expand=True)
        corner = (round(x - image.width / 2), round(y - image.height / 2))
        picture.paste(image, corner, image)
        masks[index].paste(image.getchannel("A"), corner, image)
    return picture, masks


def seen(picture):
    """What the image processor makes of a picture, as bytes."""
    return picture.resize((SEEN, SEEN), Image.Resampling.BICUBIC)


def owners(masks):
    """For each patch the group that covers most of it (NOBODY where almost nothing is covered)."""
    side = SEEN // PATCH
    cover = np.stack([np.asarray(mask.resize((side, side), Image.Resampling.BOX), np.float32) / 255 for mask in masks])
    owner = cover.argmax(0).astype(np.uint8)
    owner[cover.max(0) < 0.12] = NOBODY
    return owner.reshape(-1)


def any_variant(chance, number=24):
    return chance.randrange(number)
