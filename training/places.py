"""The eight places: backgrounds of 288 x 288 pixels, each with a little chance in it."""

import math
import random

from PIL import Image, ImageDraw

SIZE = 288
SCALE = 2  # drawn larger, then reduced


class Paper:
    """A canvas in units of the finished picture's pixels."""

    def __init__(self, top, bottom):
        side = SIZE * SCALE
        gradient = Image.new("RGB", (1, side))
        for y in range(side):
            t = y / (side - 1)
            gradient.putpixel((0, y), tuple(round(a + (b - a) * t) for a, b in zip(top, bottom)))
        self.image = gradient.resize((side, side))
        self._draw = ImageDraw.Draw(self.image)

    def area(self, points, fill):
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def box(self, left, top, right, bottom, fill):
        self._draw.rectangle([left * SCALE, top * SCALE, right * SCALE, bottom * SCALE], fill=fill)

    def line(self, points, fill, width):
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], fill=fill, width=round(width * SCALE),
                        joint="curve")

    def disc(self, x, y, radius, fill):
        self._draw.ellipse([(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE],
                           fill=fill)

    def hill(self, level, height, phase, length, fill):
        wave = [(x, level - height * math.sin(phase + x / length)) for x in range(0, SIZE + 5, 4)]
        self.area(wave + [(SIZE, SIZE), (0, SIZE)], fill)

    def finished(self):
        return self.image.resize((SIZE, SIZE), Image.Resampling.BOX)


def meadow(chance):
    paper = Paper((142, 208, 250), (222, 242, 255))
    level = chance.uniform(160, 185)
    paper.hill(level - 14, 12, chance.uniform(0, 6), 52, (150, 214, 130))
    paper.hill(level + 4, 9, chance.uniform(0, 6), 70, (116, 196, 96))
    for _ in range(26):
        x, y = chance.uniform(6, 282), chance.uniform(level + 24, 282)
        for dx in (-4, 0, 4):
            paper.line([(x, y), (x + dx, y - 9)], (70, 150, 66), 1.6)
    return paper.finished()


def sea(chance):
    paper = Paper((170, 222, 252), (226, 244, 255))
    level = chance.uniform(135, 165)
    paper.box(0, level, SIZE, SIZE, (58, 142, 204))
    for row in range(6):
        y, phase = level + 14 + 24 * row, chance.uniform(0, 6)
        paper.line([(x, y + 3.4 * math.sin(phase + x / 9)) for x in range(0, SIZE + 4, 3)], (140, 200, 236), 2.4)
    return paper.finished()


def desert(chance):
    paper = Paper((250, 222, 160), (255, 244, 214))
    level = chance.uniform(165, 190)
    paper.hill(level - 12, 14, chance.uniform(0, 6), 60, (234, 200, 140))
    paper.hill(level + 12, 10, chance.uniform(0, 6), 48, (224, 178, 104))
    for row in range(4):
        y, phase = level + 42 + 22 * row, chance.uniform(0, 6)
        paper.line([(x, y + 4 * math.sin(phase + x / 40)) for x in range(0, SIZE + 4, 4)], (200, 150, 84), 1.8)
    return paper.finished()


def snow(chance):
    paper = Paper((178, 198, 226), (214, 226, 242))
    level = chance.uniform(160, 190)
    paper.hill(level, 12, chance.uniform(0, 6), 60, (230, 238, 250))
    paper.hill(level + 26, 9, chance.uniform(0, 6), 80, (244, 249, 255))
    for _ in range(44):
        paper.disc(chance.uniform(0, SIZE), chance.uniform(0, SIZE), chance.uniform(1.4, 3.4), (255, 255, 255))
    return paper.finished()


def night(chance):
    paper = Paper((16, 20, 62), (58, 62, 124))
    for _ in range(40):
        paper.disc(chance.uniform(0, SIZE), chance.uniform(0, 200), chance.uniform(0.8, 2.2), (250, 246, 214))
    x, y = chance.uniform(30, 258), chance.uniform(28, 60)
    paper.disc(x, y, 20, (250, 244, 206))
    paper.disc(x + 9, y - 5, 17, (26, 30, 76))
    paper.hill(chance.uniform(215, 232), 10, chance.uniform(0, 6), 56, (26, 40, 66))
    return paper.finished()


def room(chance):
    paper = Paper((250, 228, 210), (250, 228, 210))
    offset = chance.uniform(0, 24)
    for i in range(-1, 13):
        paper.box(i * 24 + offset, 0, i * 24 + offset + 11, SIZE, (244, 214, 192))
    level = chance.uniform(192, 212)
    paper.box(0, level - 8, SIZE, level, (255, 250, 244))
    paper.box(0, level, SIZE, SIZE, (180, 126, 84))
    for row in range(1, 4):
        paper.line([(0, level + 24 * row), (SIZE, level + 24 * row)], (150, 100, 62), 1.8)
    return paper.finished()


def sunset(chance):
    paper = Paper((250, 122, 92), (255, 214, 120))
    level = chance.uniform(180, 200)
    paper.disc(chance.uniform(60, 228), level - 18, 42, (255, 236, 150))
    paper.hill(level, 12, chance.uniform(0, 6), 50, (160, 96, 108))
    paper.hill(level + 26, 9, chance.uniform(0, 6), 66, (112, 70, 106))
    return paper.finished()


def city(chance):
    paper = Paper((196, 214, 230), (232, 240, 246))
    level = chance.uniform(195, 212)
    x = -chance.uniform(0, 20)
    while x < SIZE:
        width, top = chance.uniform(30, 46), chance.uniform(70, 140)
        shade = chance.choice(((168, 178, 200), (182, 178, 196), (158, 172, 188)))
        paper.box(x, top, x + width - 3, level, shade)
        for wx in range(int(x) + 6, int(x + width) - 9, 10):
            for wy in range(int(top) + 8, int(level) - 12, 15):
                paper.box(wx, wy, wx + 5, wy + 8, (222, 226, 222))
        x += width
    paper.box(0, level, SIZE, SIZE, (124, 128, 138))
    paper.box(0, level, SIZE, level + 6, (168, 170, 176))
    shift = chance.uniform(0, 40)
    for i in range(-1, 8):
        paper.box(i * 44 + shift, level + 42, i * 44 + shift + 24, level + 47, (240, 236, 214))
    return paper.finished()


DRAW = {function.__name__: function for function in (meadow, sea, desert, snow, night, room, sunset, city)}
PLACES = tuple(DRAW)


def draw_place(place, variant):
    return DRAW[place](random.Random(f"{place} {variant}"))
