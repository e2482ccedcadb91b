"""A pen for vector shapes in coordinates from -1 to 1 (y down), drawn large with PIL and reduced by whoever shows them."""

import math

from PIL import Image, ImageDraw

PALETTE = {  # name: (fill, outline, highlight)
    "red": ((222, 45, 48), (120, 16, 24), (248, 128, 122)),
    "orange": ((250, 138, 24), (150, 70, 4), (255, 192, 118)),
    "yellow": ((252, 214, 40), (146, 112, 6), (255, 240, 150)),
    "green": ((52, 166, 72), (18, 86, 36), (138, 214, 140)),
    "blue": ((44, 98, 220), (16, 42, 116), (132, 174, 250)),
    "purple": ((134, 62, 184), (66, 22, 100), (194, 146, 228)),
    "pink": ((250, 136, 188), (164, 52, 108), (255, 200, 226)),
    "brown": ((126, 78, 44), (62, 34, 16), (182, 134, 94)),
    "black": ((48, 48, 54), (10, 10, 14), (112, 112, 122)),
    "white": ((248, 248, 250), (128, 132, 146), (255, 255, 255)),
}
COLOURS = tuple(PALETTE)
INK, PAPER, GOLD, SKIN, WOOD, LEAF = ((34, 32, 38), (255, 252, 244), (250, 200, 60), (250, 226, 196), (150, 102, 60),
                                      (62, 150, 70))


def smooth(points, steps=10):
    """A closed curve through the points (Catmull-Rom)."""
    curve = []
    count = len(points)
    for i in range(count):
        a, b, c, d = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        for s in range(steps):
            t = s / steps
            curve.append(tuple(
                0.5 * (2 * b[k] + (c[k] - a[k]) * t + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t
                       + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t ** 3) for k in (0, 1)))
    return curve


def arc(x, y, rx, ry, start, end, steps=32):
    """Points of an ellipse's arc; degrees, clockwise from the right."""
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def mirrored(points):
    """The points and, backwards, their mirror images in x."""
    return list(points) + [(-x, y) for x, y in reversed(points)]


class Pen:
    """Draws one object in one colour. Outlines are as wide as `line` (of the half width)."""

    def __init__(self, colour, pixels=480, line=0.07):
        self.base, self.dark, self.light = PALETTE[colour]
        self.image = Image.new("RGBA", (pixels, pixels))
        self.line = line
        self._draw = ImageDraw.Draw(self.image)
        self._half = pixels / 2

    def _to_pixels(self, points):
        return [(self._half * (1 + 0.94 * x), self._half * (1 + 0.94 * y)) for x, y in points]

    def shape(self, points, fill=None, outline=None, line=None):
        """A filled polygon with a round-cornered outline; fill False leaves it empty."""
        points = self._to_pixels(points)
        if fill is not False:
            self._draw.polygon(points, fill=fill or self.base)
        width = self.line if line is None else line
        if width:
            self._stroke(points + points[:2], outline or self.dark, width)

    def blob(self, points, fill=None, outline=None, line=None):
        self.shape(smooth(points), fill, outline, line)

    def ellipse(self, x, y, rx, ry=None, fill=None, outline=None, line=None):
        self.shape(arc(x, y, rx, rx if ry is None else ry, 0, 360, 48), fill, outline, line)

    def box(self, left, top, right, bottom, fill=None, outline=None, line=None, corner=0.08):
        points = []
        for x, y, start in ((right, bottom, 0), (left, bottom, 90), (left, top, 180), (right, top, 270)):
            cx = x - corner if x == right else x + corner
            cy = y - corner if y == bottom else y + corner
            points += arc(cx, cy, corner, corner, start, start + 90, 6)
        self.shape(points, fill, outline, line)

    def stroke(self, points, colour=None, width=None):
        self._stroke(self._to_pixels(points), colour or self.dark, width or self.line)

    def _stroke(self, points, colour, width):
        pixels = max(1, round(width * self._half))
        self._draw.line(points, fill=colour, width=pixels, joint="curve")
        radius = pixels / 2
        for x, y in (points[0], points[-1]):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
