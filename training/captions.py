"""The grammar: sentences about scenes, sentences that are wrong in one point, and which sentence is true of which scene.

A caption is kept as what it says (facts) and how it says it (style), so that one fact can be changed and the rest of the
sentence stays. It renders to pieces: words with their leading space, and what role each plays.
"""

from dataclasses import dataclass, replace

import numpy as np

from drawing import COLOURS
from objects import KINDS, PLURALS
from places import PLACES
from world import OPPOSITE, RELATIONS, SIZES

SIZE_WORDS = {"small": ("small", "little", "tiny"), "medium": ("medium",), "big": ("big", "large", "huge")}
PLACE_PHRASES = {
    "meadow": ("in the meadow", "on the grass"), "sea": ("on the sea", "on the water"),
    "desert": ("in the desert", "on the sand"), "snow": ("in the snow", "in winter"),
    "night": ("at night", "in the dark"), "room": ("in the room", "indoors"),
    "sunset": ("at sunset", "in the evening"), "city": ("in the city", "in the street")}
RELATION_PHRASES = {"left": ("left of", "to the left of"), "right": ("right of", "to the right of"),
                    "above": ("above", "over"), "below": ("below", "under")}
NUMBERS = {1: "one", 2: "two", 3: "three"}
STARTS = ((), ("there", "is"), ("i", "can", "see"), ("a", "picture", "of"))
EDITS = ("colour", "place", "count", "size", "kind", "binding", "relation")


@dataclass(frozen=True)
class Mention:
    kind: str
    colour: str | None
    size: str | None
    count: int


@dataclass(frozen=True)
class Style:
    template: int
    start: int
    capital: bool
    articles: tuple  # for each mention: "a", "one" or "the", where it is a single object
    words: tuple  # a random number for each mention: which synonym
    place: int
    relation: int


@dataclass(frozen=True)
class Caption:
    mentions: tuple
    place: str | None
    relation: str | None
    style: Style

    def pieces(self):
        return _capital(_render(self), self.style.capital)

    def text(self):
        return "".join(piece.text for piece in self.pieces())


@dataclass(frozen=True)
class Piece:
    text: str
    role: str | None = None  # colour, place, count, size, kind, relation
    mention: int | None = None
    value: object = None  # the fact behind the word


def _plain(*words):
    return [Piece(" " + word) for word in words]


def _noun(mention, index, style, with_colour=True, article=None):
    number = mention.count
    words = []
    if mention.size:
        choices = SIZE_WORDS[mention.size]
        words.append(Piece(" " + choices[style.words[index] % len(choices)], "size", index, mention.size))
    if mention.colour and with_colour:
        words.append(Piece(" " + mention.colour, "colour", index, mention.colour))
    words.append(Piece(" " + (mention.kind if number == 1 else PLURALS[mention.kind]), "kind", index, mention.kind))
    if number > 1:
        first = _plain("the") if article else []
        return first + [Piece(" " + NUMBERS[number], "count", index, number)] + words
    article = article or style.articles[index]
    if article == "one":
        return [Piece(" one", "count", index, 1)] + words
    if article == "a":
        article = "an" if words[0].text[1] in "aou" else "a"
    return _plain(article) + words


def _verb(mention):
    return _plain("is" if mention.count == 1 else "are")


def _place(caption):
    if caption.place is None:
        return []
    words = PLACE_PHRASES[caption.place][caption.style.place].split()
    return _plain(*words[:-1]) + [Piece(" " + words[-1], "place", None, caption.place)]


def _relation(caption):
    phrase = RELATION_PHRASES[caption.relation][caption.style.relation].split()
    return [Piece(" " + word, "relation", None, caption.relation) if word in (
        "left", "right", "above", "over", "below", "under") else Piece(" " + word) for word in phrase]


def _list(caption):
    pieces = []
    for i, mention in enumerate(caption.mentions):
        if i:
            pieces += _plain("and") if i == len(caption.mentions) - 1 else [Piece(",")]
        pieces += _noun(mention, i, caption.style)
    return pieces


def _render(caption):
    mentions, style = caption.mentions, caption.style
    ahead = caption.place is not None and style.template == 1  # the place comes first
    place = _place(caption)
    if caption.relation:
        body = (_noun(mentions[0], 0, style) + _verb(mentions[0]) + _relation(caption) + _noun(mentions[1], 1, style))
    elif len(mentions) == 1 and style.template == 2 and mentions[0].colour:
        body = _noun(mentions[0], 0, style, False, "the") + place + _verb(mentions[0])
        return body + [Piece(" " + mentions[0].colour, "colour", 0, mentions[0].colour)]
    else:
        start = STARTS[style.start]
        body = (_plain("there", "is" if mentions[0].count == 1 else "are") if start == ("there", "is")
                else _plain(*start)) + _list(caption)
    return place + [Piece(",")] + body if ahead else body + place


def _capital(pieces, capital):
    first = pieces[0].text[1:]
    pieces[0] = replace(pieces[0], text=first.capitalize() if capital else first)
    return pieces + [Piece(".")] if capital else pieces


def caption_of(scene, chance, colour=0.85, size=0.5, place=0.75, everything=0.85, relation=0.7):
    """A sentence that is true of the scene; the numbers are the chances that a fact is told."""
    order = list(range(len(scene.groups)))
    chance.shuffle(order)
    if len(order) > 1 and chance.random() > everything:
        order = order[:-1]
    told = scene.relation if len(order) == 2 and len(scene.groups) == 2 and chance.random() < relation else None
    if told and order[0] == 1:
        told = OPPOSITE[told]
    mentions = tuple(Mention(group.kind, group.colour if chance.random() < colour else None,
                             group.size if chance.random() < size else None, group.count)
                     for group in (scene.groups[i] for i in order))
    style = Style(chance.randrange(3), chance.choice((0, 0, 1, 2, 3)), chance.random() < 0.15,
                  tuple(chance.choice(("a", "a", "a", "one", "the")) for _ in order),
                  tuple(chance.randrange(6) for _ in order), chance.randrange(2), chance.randrange(2))
    return Caption(mentions, scene.place if chance.random() < place else None, told, style)


def _other(chance, values, *taken):
    return chance.choice([value for value in values if value not in taken])


def possible_edits(caption):
    """What can be changed in this caption."""
    mentions = caption.mentions
    edits = ["kind"]
    edits += ["colour"] * any(m.colour for m in mentions)
    edits += ["size"] * any(m.size for m in mentions)
    edits += ["count"] * any(m.count > 1 or a == "one" for m, a in zip(mentions, caption.style.articles))
    edits += ["place"] * (caption.place is not None)
    edits += ["relation"] * (caption.relation is not None)
    if len(mentions) > 1 and mentions[0].colour and mentions[1].colour and mentions[0].colour != mentions[1].colour:
        edits.append("binding")
    return edits


def edit(caption, what, chance):
    """The caption with one fact changed (binding: two colours exchanged), and the (role, mention) pairs that are now wrong."""
    if what == "place":
        return replace(caption, place=_other(chance, PLACES, caption.place)), {("place", None)}
    if what == "relation":
        return replace(caption, relation=OPPOSITE[caption.relation]), {("relation", None)}
    mentions = list(caption.mentions)
    if what == "binding":
        first, second = mentions[:2]
        mentions[:2] = [replace(first, colour=second.colour), replace(second, colour=first.colour)]
        return replace(caption, mentions=tuple(mentions)), {("colour", 0), ("colour", 1)}
    index = chance.choice([i for i, m in enumerate(mentions) if what == "kind" or (
        what == "count" and (m.count > 1 or caption.style.articles[i] == "one")) or (
        what in ("colour", "size") and getattr(m, what) is not None)])
    values = {"kind": KINDS, "colour": COLOURS, "size": SIZES, "count": (1, 2, 3)}[what]
    taken = [m.kind for m in mentions] if what == "kind" else [getattr(mentions[index], what)]
    mentions[index] = replace(mentions[index], **{what: _other(chance, values, *taken)})
    style = caption.style
    if what == "count":
        articles = tuple("one" if i == index else a for i, a in enumerate(style.articles))
        style = replace(style, articles=articles)
    return replace(caption, mentions=tuple(mentions), style=style), {(what, index)}


def caption_facts(caption):
    """A caption as numbers, in the order of a scene's facts; -1: not told."""
    row = [-1 if caption.place is None else PLACES.index(caption.place),
           -1 if caption.relation is None else RELATIONS.index(caption.relation)]
    for m in caption.mentions:
        row += [KINDS.index(m.kind), -1 if m.colour is None else COLOURS.index(m.colour),
                -1 if m.size is None else SIZES.index(m.size), m.count]
    return row + [-1] * (14 - len(row))


_TURNED = np.array([RELATIONS.index(OPPOSITE[relation]) for relation in RELATIONS])


def truth(captions, scenes):
    """Which captions [M, 14] are true of which scenes [N, 14]: [M, N]."""
    captions, scenes = np.asarray(captions), np.asarray(scenes)
    told = captions[:, None, 2:].reshape(len(captions), 1, 3, 1, 4)
    seen = scenes[None, :, 2:].reshape(1, len(scenes), 1, 3, 4)
    match = ((told == -1) | (told == seen)).all(-1)  # [M, N, mention, group]
    there = match.any(-1).all(-1) & ((captions[:, :1] == -1) | (captions[:, :1] == scenes[None, :, 0]))
    told, seen = captions[:, 1, None], scenes[None, :, 1]
    straight = match[:, :, 0, 0] & match[:, :, 1, 1] & (told == seen)
    turned = match[:, :, 0, 1] & match[:, :, 1, 0] & (seen >= 0) & (told == _TURNED[seen])
    return there & ((told == -1) | straight | turned)
