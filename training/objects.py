"""The thirty kinds of objects: one function each that draws it with a Pen."""

import math

from drawing import GOLD, INK, LEAF, PAPER, SKIN, WOOD, arc, mirrored, smooth

WINDOW = (196, 226, 246)


def apple(pen):
    pen.stroke([(0.02, -0.45), (0.08, -0.9)], WOOD, 0.12)
    pen.blob([(0.1, -0.72), (0.4, -0.98), (0.72, -0.9), (0.45, -0.62)], LEAF, (24, 84, 36))
    pen.blob(mirrored([(0, -0.42), (0.42, -0.58), (0.85, -0.2), (0.72, 0.5), (0.36, 0.9), (0.0, 0.82)]))
    pen.blob([(-0.6, -0.2), (-0.42, -0.36), (-0.36, -0.18), (-0.56, 0.1)], pen.light, line=0)


def ball(pen):
    pen.ellipse(0, 0, 0.92)
    pen.ellipse(0, 0, 0.5, 0.92, PAPER, line=0.05)
    pen.ellipse(0, 0, 0.2, 0.92, line=0.05)
    pen.ellipse(0, 0, 0.92, fill=False)
    pen.ellipse(-0.64, -0.36, 0.1, 0.16, pen.light, line=0)


def balloon(pen):
    pen.stroke([(0, 0.5), (0.08, 0.66), (-0.06, 0.8), (0.04, 0.98)], (90, 90, 96), 0.05)
    pen.blob(mirrored([(0, -0.98), (0.5, -0.8), (0.68, -0.32), (0.42, 0.2), (0.06, 0.46)]))
    pen.shape([(-0.13, 0.6), (0, 0.42), (0.13, 0.6)])
    pen.blob([(-0.42, -0.5), (-0.26, -0.76), (-0.14, -0.7), (-0.3, -0.36)], pen.light, line=0)


def bell(pen):
    pen.ellipse(0, -0.82, 0.15, fill=GOLD, outline=(140, 100, 10))
    pen.ellipse(0, 0.74, 0.2, fill=GOLD, outline=(140, 100, 10))
    pen.blob(mirrored([(0, -0.74), (0.34, -0.6), (0.5, -0.1), (0.62, 0.3), (0.88, 0.6), (0.4, 0.66), (0, 0.66)]))
    pen.stroke([(-0.6, 0.36), (0.6, 0.36)], pen.light, 0.08)
    pen.blob([(-0.34, -0.1), (-0.24, -0.46), (-0.12, -0.44), (-0.2, 0.05)], pen.light, line=0)


def bird(pen):
    pen.stroke([(-0.1, 0.5), (-0.14, 0.9)], (200, 120, 30), 0.07)
    pen.stroke([(0.16, 0.5), (0.18, 0.9)], (200, 120, 30), 0.07)
    pen.shape([(-0.5, 0.1), (-0.98, -0.22), (-0.92, 0.3)], pen.dark)
    pen.blob([(-0.62, 0.12), (-0.2, -0.22), (0.12, -0.6), (0.46, -0.78), (0.76, -0.52), (0.66, -0.1), (0.46, 0.42),
              (0.02, 0.6), (-0.42, 0.48)])
    pen.shape([(0.72, -0.6), (0.99, -0.46), (0.74, -0.34)], (250, 170, 40), (150, 90, 10), 0.04)
    pen.blob([(-0.5, 0.1), (0.0, -0.12), (0.26, 0.06), (0.0, 0.34), (-0.3, 0.3)], pen.light, line=0.04)
    pen.ellipse(0.5, -0.5, 0.1, fill=PAPER, line=0)
    pen.ellipse(0.53, -0.5, 0.06, fill=INK, line=0)


def boat(pen):
    pen.stroke([(0.0, 0.4), (0.0, -0.94)], WOOD, 0.09)
    pen.shape([(0.08, -0.86), (0.08, 0.24), (0.78, 0.24)], PAPER, (128, 132, 146), 0.05)
    pen.shape([(-0.08, -0.66), (-0.08, 0.24), (-0.66, 0.24)], pen.light, line=0.05)
    pen.shape([(-0.96, 0.38), (0.96, 0.38), (0.62, 0.84), (-0.6, 0.84)])
    pen.stroke([(-0.8, 0.52), (0.78, 0.52)], pen.light, 0.07)


def book(pen):
    pen.shape([(-0.96, -0.5), (0, -0.36), (0.96, -0.5), (0.96, 0.62), (0, 0.78), (-0.96, 0.62)])
    for side in (-1, 1):
        pen.shape([(0, -0.34), (side * 0.3, -0.56), (side * 0.82, -0.58), (side * 0.82, 0.46), (side * 0.3, 0.48),
                   (0, 0.66)], PAPER, (120, 116, 110), 0.04)
        for row in range(3):
            y = -0.3 + 0.24 * row
            pen.stroke([(side * 0.2, y), (side * 0.68, y - 0.04)], (150, 150, 160), 0.05)


def butterfly(pen):
    for side in (-1, 1):
        pen.blob([(side * x, y) for x, y in ((0.06, -0.1), (0.4, -0.8), (0.86, -0.82), (0.92, -0.3), (0.5, 0.08))])
        pen.blob([(side * x, y) for x, y in ((0.06, 0.05), (0.56, 0.1), (0.76, 0.5), (0.46, 0.86), (0.16, 0.5))])
        pen.ellipse(side * 0.6, -0.48, 0.15, fill=pen.light, line=0)
        pen.ellipse(side * 0.46, 0.46, 0.12, fill=pen.light, line=0)
        pen.stroke([(0, -0.5), (side * 0.1, -0.78), (side * 0.24, -0.92)], INK, 0.045)
    pen.ellipse(0, 0.02, 0.1, 0.56, INK, INK)


def cake(pen):
    pen.ellipse(0, 0.8, 0.98, 0.14, (226, 228, 236), (120, 124, 136), 0.04)
    pen.box(-0.8, 0.0, 0.8, 0.8)
    pen.blob([(-0.84, -0.16), (-0.4, -0.26), (0, -0.28), (0.4, -0.26), (0.84, -0.16), (0.82, 0.14), (0.66, 0.3),
              (0.5, 0.1), (0.28, 0.34), (0.06, 0.1), (-0.16, 0.36), (-0.4, 0.1), (-0.62, 0.32), (-0.8, 0.14)], PAPER,
             (150, 140, 140), 0.05)
    for x in (-0.4, 0, 0.4):
        pen.box(x - 0.06, -0.66, x + 0.06, -0.22, pen.light, line=0.035, corner=0.03)
        pen.blob([(x, -0.98), (x + 0.1, -0.78), (x, -0.68), (x - 0.1, -0.78)], (255, 186, 40), (220, 110, 10), 0.03)
    pen.stroke([(-0.76, 0.56), (0.76, 0.56)], pen.light, 0.08)


def car(pen):
    pen.blob([(-0.62, 0.0), (-0.44, -0.46), (-0.2, -0.56), (0.24, -0.56), (0.44, -0.4), (0.64, 0.0), (0.0, 0.1)])
    pen.shape([(-0.46, -0.02), (-0.34, -0.38), (-0.05, -0.42), (-0.05, -0.02)], WINDOW, line=0.045)
    pen.shape([(0.07, -0.02), (0.07, -0.42), (0.3, -0.38), (0.48, -0.02)], WINDOW, line=0.045)
    pen.blob([(-0.95, 0.3), (-0.9, 0.04), (-0.5, -0.06), (0.5, -0.06), (0.9, 0.06), (0.97, 0.34), (0.8, 0.48),
              (-0.8, 0.48)])
    pen.ellipse(0.86, 0.16, 0.08, 0.09, (255, 240, 150), line=0.03)
    for x in (-0.5, 0.52):
        pen.ellipse(x, 0.46, 0.26, fill=INK, outline=INK)
        pen.ellipse(x, 0.46, 0.12, fill=(214, 216, 222), line=0)


def cat(pen):
    for side in (-1, 1):
        pen.shape([(side * 0.78, -0.18), (side * 0.72, -0.94), (side * 0.2, -0.54)])
        pen.shape([(side * 0.64, -0.4), (side * 0.64, -0.74), (side * 0.38, -0.54)], (250, 176, 186), line=0)
    pen.blob(mirrored([(0, -0.6), (0.44, -0.54), (0.84, -0.1), (0.78, 0.4), (0.4, 0.78), (0, 0.84)]))
    for side in (-1, 1):
        pen.ellipse(side * 0.34, -0.04, 0.17, 0.2, PAPER, INK, 0.03)
        pen.ellipse(side * 0.32, -0.02, 0.09, 0.15, INK, line=0)
        for y in (0.3, 0.44):
            pen.stroke([(side * 0.34, y), (side * 0.98, y - 0.08 + (y - 0.3))], pen.dark, 0.035)
    pen.shape([(-0.12, 0.22), (0.12, 0.22), (0, 0.36)], (240, 120, 140), INK, 0.03)
    pen.stroke(arc(-0.13, 0.4, 0.13, 0.14, 0, 150) , INK, 0.045)
    pen.stroke(arc(0.13, 0.4, 0.13, 0.14, 180, 30), INK, 0.045)


def clock(pen):
    for side in (-1, 1):
        pen.stroke([(side * 0.4, 0.6), (side * 0.62, 0.94)], pen.dark, 0.14)
        pen.ellipse(side * 0.56, -0.7, 0.26, 0.22)
    pen.stroke([(0, -0.7), (0, -0.92)], pen.dark, 0.14)
    pen.ellipse(0, 0.06, 0.78)
    pen.ellipse(0, 0.06, 0.56, fill=PAPER, line=0.05)
    for hour in range(0, 12, 3):
        a = math.radians(30 * hour)
        pen.ellipse(0.44 * math.sin(a), 0.06 - 0.44 * math.cos(a), 0.045, fill=INK, line=0)
    pen.stroke([(0, 0.06), (0, -0.3)], INK, 0.08)
    pen.stroke([(0, 0.06), (0.26, 0.18)], INK, 0.08)


def cloud(pen):
    puffs = ((-0.58, 0.14, 0.36), (-0.2, -0.22, 0.44), (0.3, -0.14, 0.36), (0.62, 0.18, 0.32), (0.0, 0.2, 0.4))
    for x, y, radius in puffs:
        pen.ellipse(x, y, radius)
    for x, y, radius in puffs:
        pen.ellipse(x, y, radius - 0.02, line=0)
    pen.ellipse(-0.34, -0.36, 0.14, 0.1, pen.light, line=0)


def crown(pen):
    pen.shape([(-0.78, 0.4), (-0.94, -0.5), (-0.44, -0.06), (0, -0.74), (0.44, -0.06), (0.94, -0.5), (0.78, 0.4)])
    pen.box(-0.8, 0.36, 0.8, 0.74, pen.light)
    for x, y in ((-0.92, -0.56), (0, -0.8), (0.92, -0.56)):
        pen.ellipse(x * 0.97, y, 0.12, fill=pen.light, line=0.05)
    for x, jewel in ((-0.44, (60, 190, 220)), (0, (230, 60, 90)), (0.44, (90, 200, 90))):
        pen.ellipse(x, 0.55, 0.1, fill=jewel, line=0.03)


def cup(pen):
    pen.stroke(arc(0.5, 0.2, 0.36, 0.3, -100, 100), pen.dark, 0.26)
    pen.stroke(arc(0.5, 0.2, 0.36, 0.3, -100, 100), pen.base, 0.13)
    for x in (-0.34, 0.0):
        pen.stroke([(x, -0.52), (x + 0.08, -0.66), (x - 0.04, -0.8), (x + 0.06, -0.94)], (210, 210, 218), 0.07)
    pen.shape([(-0.74, -0.3), (0.54, -0.3), (0.42, 0.84), (-0.62, 0.84)])
    pen.ellipse(-0.1, -0.3, 0.64, 0.16, (96, 58, 34))
    pen.stroke([(-0.54, 0.02), (-0.46, 0.6)], pen.light, 0.12)


def fish(pen):
    pen.shape([(-0.4, 0.02), (-0.95, -0.48), (-0.84, 0.02), (-0.95, 0.52)], pen.light)
    pen.shape([(-0.2, -0.36), (0.16, -0.76), (0.36, -0.36)], pen.light)
    pen.blob([(-0.56, 0.02), (-0.1, -0.42), (0.44, -0.46), (0.9, -0.08), (0.92, 0.1), (0.46, 0.5), (-0.1, 0.46)])
    pen.stroke(arc(0.24, 0.0, 0.16, 0.38, -70, 70), pen.dark, 0.05)
    pen.shape([(-0.06, 0.06), (0.2, 0.06), (0.0, 0.3)], pen.light, line=0.04)
    pen.ellipse(0.62, -0.1, 0.12, fill=PAPER, line=0.03)
    pen.ellipse(0.65, -0.1, 0.06, fill=INK, line=0)


def flower(pen):
    pen.stroke([(0, 0.1), (0.03, 0.98)], LEAF, 0.12)
    pen.blob([(0.04, 0.8), (0.26, 0.5), (0.6, 0.46), (0.4, 0.76)], LEAF, (24, 84, 36), 0.05)
    for i in range(6):
        a = math.radians(60 * i + 30)
        pen.ellipse(0.42 * math.cos(a), -0.36 + 0.42 * math.sin(a), 0.25)
    centre = (120, 70, 30) if pen.base[0] > 240 and pen.base[2] < 80 else (252, 206, 40)
    pen.ellipse(0, -0.36, 0.24, fill=centre, outline=(130, 80, 10), line=0.05)


def gift(pen):
    ribbon = (220, 50, 60) if pen.base[0] - pen.base[2] < 90 else PAPER
    edge = (130, 20, 30) if ribbon != PAPER else (150, 150, 156)
    for side in (-1, 1):
        pen.blob([(0, -0.46), (side * 0.2, -0.86), (side * 0.54, -0.9), (side * 0.5, -0.56)], ribbon, edge, 0.05)
    pen.box(-0.74, -0.1, 0.74, 0.9, corner=0.04)
    pen.box(-0.88, -0.44, 0.88, -0.04, pen.base, corner=0.05)
    pen.box(-0.15, -0.42, 0.15, 0.88, ribbon, edge, 0.04, 0.01)


def hat(pen):
    pen.ellipse(0, 0.56, 0.96, 0.24)
    pen.shape([(-0.5, 0.5), (-0.56, -0.72), (0.56, -0.72), (0.5, 0.5)] + arc(0, 0.5, 0.5, 0.12, 0, 180))
    pen.ellipse(0, -0.72, 0.56, 0.14, pen.light)
    band = GOLD if pen.base[2] > 60 or pen.base[0] < 200 else (70, 50, 110)
    pen.shape([(-0.52, 0.18), (0.52, 0.18), (0.5, 0.46)] + arc(0, 0.44, 0.5, 0.12, 0, 180), band, line=0.04)


def heart(pen):
    pen.blob(mirrored([(0, -0.5), (0.3, -0.84), (0.74, -0.78), (0.94, -0.34), (0.72, 0.16), (0.34, 0.58),
                       (0.03, 0.92)]))
    pen.blob([(-0.7, -0.3), (-0.6, -0.58), (-0.4, -0.62), (-0.52, -0.36)], pen.light, line=0)


def house(pen):
    pen.box(0.36, -0.86, 0.6, -0.3, (150, 88, 70), (80, 40, 30), 0.05, 0.02)
    pen.box(-0.72, -0.12, 0.72, 0.9, pen.light, corner=0.02)
    pen.shape([(-0.98, -0.06), (0, -0.92), (0.98, -0.06)])
    pen.box(-0.16, 0.3, 0.2, 0.9, pen.dark, line=0.03, corner=0.03)
    for x in (-0.46, 0.46):
        pen.box(x - 0.15, 0.14, x + 0.15, 0.46, (255, 240, 170), pen.dark, 0.05, 0.02)


def key(pen):
    pen.stroke([(-0.2, 0), (0.84, 0)], pen.dark, 0.34)
    pen.stroke([(0.4, 0.1), (0.4, 0.42)], pen.dark, 0.3)
    pen.stroke([(0.78, 0.1), (0.78, 0.42)], pen.dark, 0.3)
    pen.ellipse(-0.52, 0, 0.44)
    pen.stroke([(-0.16, 0), (0.84, 0)], pen.base, 0.2)
    pen.stroke([(0.4, 0.1), (0.4, 0.42)], pen.base, 0.16)
    pen.stroke([(0.78, 0.1), (0.78, 0.42)], pen.base, 0.16)
    pen.ellipse(-0.52, 0, 0.18, fill=PAPER, line=0.06)


def kite(pen):
    pen.stroke([(0.0, 0.42), (-0.16, 0.62), (0.1, 0.76), (-0.06, 0.98)], (110, 100, 100), 0.05)
    for x, y in ((-0.12, 0.62), (0.06, 0.8)):
        pen.shape([(x - 0.14, y - 0.07), (x + 0.14, y + 0.07), (x + 0.14, y - 0.07), (x - 0.14, y + 0.07)], pen.light,
                  line=0.03)
    pen.shape([(0, -0.96), (0.66, -0.3), (0, 0.46), (-0.66, -0.3)])
    pen.shape([(0, -0.9), (0.6, -0.3), (0, -0.3)], pen.light, line=0)
    pen.shape([(0, 0.4), (-0.6, -0.3), (0, -0.3)], pen.light, line=0)
    pen.stroke([(0, -0.9), (0, 0.42)], pen.dark, 0.045)
    pen.stroke([(-0.62, -0.3), (0.62, -0.3)], pen.dark, 0.045)


def lamp(pen):
    pen.blob(mirrored([(0, 0.66), (0.3, 0.7), (0.5, 0.88), (0, 0.92)]), (120, 120, 130), (60, 60, 70))
    pen.stroke([(0, 0.0), (0, 0.74)], (90, 90, 100), 0.13)
    pen.ellipse(0, 0.12, 0.26, 0.2, (255, 244, 170), (200, 160, 40), 0.04)
    pen.shape([(-0.4, -0.9), (0.4, -0.9), (0.84, 0.1), (-0.84, 0.1)])
    pen.shape([(-0.3, -0.78), (-0.12, -0.78), (-0.34, -0.02), (-0.64, -0.02)], pen.light, line=0)


def leaf(pen):
    pen.stroke([(-0.5, 0.56), (-0.86, 0.92)], pen.dark, 0.12)
    pen.blob([(-0.62, 0.66), (-0.66, 0.0), (-0.26, -0.56), (0.36, -0.82), (0.92, -0.92), (0.84, -0.3), (0.5, 0.32),
              (0.0, 0.68)])
    pen.stroke([(-0.56, 0.6), (0.0, 0.02), (0.68, -0.68)], pen.light, 0.07)
    for t in (0.25, 0.5, 0.75):
        x, y = -0.56 + 1.2 * t, 0.6 - 1.24 * t
        pen.stroke([(x, y), (x - 0.06, y - 0.36)], pen.light, 0.05)
        pen.stroke([(x, y), (x + 0.36, y + 0.06)], pen.light, 0.05)


def mushroom(pen):
    pen.blob(mirrored([(0, 0.0), (0.26, 0.06), (0.26, 0.5), (0.36, 0.86), (0, 0.92)]), SKIN, (130, 100, 70))
    pen.shape(arc(0, 0.12, 0.92, 0.98, 180, 360) + smooth([(0.92, 0.12), (0, 0.26), (-0.92, 0.12), (0, 0.2)])[:20])
    spot = pen.light if pen.base[2] > 240 else PAPER
    for x, y, r in ((-0.46, -0.22, 0.17), (0.06, -0.5, 0.19), (0.5, -0.14, 0.16)):
        pen.ellipse(x, y, r, r * 0.9, spot, line=0.03)


def rocket(pen):
    pen.blob([(-0.16, 0.6), (0, 0.99), (0.16, 0.6)], (255, 150, 30), (220, 70, 10), 0.05)
    for side in (-1, 1):
        pen.shape([(side * 0.24, 0.12), (side * 0.66, 0.5), (side * 0.62, 0.78), (side * 0.22, 0.56)], pen.dark)
    pen.blob(mirrored([(0, -0.98), (0.26, -0.56), (0.34, 0.0), (0.24, 0.62), (0, 0.66)]))
    pen.stroke([(-0.28, -0.5), (0.28, -0.5)], pen.light, 0.07)
    pen.ellipse(0, -0.16, 0.17, fill=WINDOW, line=0.06)
    pen.stroke([(-0.26, 0.4), (0.26, 0.4)], pen.light, 0.08)


def star(pen):
    points = []
    for i in range(10):
        r, a = (0.96 if i % 2 == 0 else 0.44), math.radians(36 * i - 90)
        points.append((r * math.cos(a), 0.06 + r * math.sin(a)))
    pen.shape(points)
    for side in (-1, 1):
        pen.ellipse(side * 0.16, -0.04, 0.07, 0.1, pen.dark, line=0)
    pen.stroke(arc(0, 0.12, 0.2, 0.16, 20, 160), pen.dark, 0.06)


def tree(pen):
    pen.shape([(-0.14, 0.96), (-0.1, 0.2), (0.1, 0.2), (0.14, 0.96)], WOOD, (80, 48, 20))
    pen.blob([(-0.72, 0.24), (-0.82, -0.14), (-0.58, -0.44), (-0.38, -0.82), (0.06, -0.96), (0.46, -0.76), (0.6, -0.42),
              (0.84, -0.1), (0.7, 0.28), (0.3, 0.44), (-0.3, 0.44)])
    for x, y in ((-0.36, -0.4), (0.16, -0.6), (0.4, -0.06), (-0.24, 0.12)):
        pen.ellipse(x, y, 0.15, 0.11, pen.light, line=0)


def umbrella(pen):
    pen.stroke([(0, -0.2), (0, 0.74)] + arc(0.17, 0.74, 0.17, 0.2, 180, 20, 16), WOOD, 0.1)
    pen.stroke([(0, -0.8), (0, -0.96)], WOOD, 0.1)
    edge = [(0.96, 0.08)]
    for x in (0.64, 0, -0.64):
        edge += arc(x, 0.08, 0.32, 0.18, 0, -180, 12)
    pen.shape(arc(0, 0.08, 0.96, 0.9, 180, 360) + edge)
    for x in (-0.32, 0.32):
        pen.stroke([(x, 0.06), (x * 0.7, -0.5), (0, -0.82)], pen.light, 0.05)


DRAW = {function.__name__: function for function in (
    apple, ball, balloon, bell, bird, boat, book, butterfly, cake, car, cat, clock, cloud, crown, cup, fish, flower,
    gift, hat, heart, house, key, kite, lamp, leaf, mushroom, rocket, star, tree, umbrella)}
KINDS = tuple(DRAW)
PLURALS = {kind: {"butterfly": "butterflies", "leaf": "leaves", "fish": "fishes"}.get(kind, kind + "s")
           for kind in KINDS}
