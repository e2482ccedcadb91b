"""Training batches: pictures, sentences, and pairs whose sentence may be wrong in one point and may have masked words."""

from dataclasses import dataclass

import numpy as np
import torch

from captions import caption_facts, caption_of, edit, possible_edits, truth
from objects import KINDS
from pictures import NOBODY
from places import PLACES
from pool import scene_of
from words import PAD

IGNORED = -100
BETWEEN = 10  # a word between two groups: BETWEEN + the first one's number
EDIT_WEIGHTS = {"colour": 0.9, "place": 0.3, "count": 2.0, "size": 1.6, "kind": 1.8, "binding": 1.6, "relation": 3.0}
MASK_CHANCES = {"colour": 0.2, "place": 0.1, "count": 0.4, "size": 0.35, "kind": 0.4, "relation": 0.8}
MASKED = 0.55  # share of the sentences with masked words
LOOK_ALIKE = 0.1  # chance that a sentence is a look-alike's
CLUSTER = 4


def padded(rows):
    width = max(map(len, rows))
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


@dataclass
class Pairs:
    """Sentence i goes with picture i modulo the number of pictures; the first half of the sentences is true."""

    ids: torch.Tensor  # [2 B, L]
    hidden: torch.Tensor  # masked words: their tokens, packed as ids are [T]; IGNORED elsewhere
    honest: torch.Tensor  # words of a fact: 1 true, 0 wrong, packed; IGNORED elsewhere
    about: torch.Tensor  # words about an object: its group, or BETWEEN two, packed; IGNORED elsewhere
    match: torch.Tensor  # [2 B]


@dataclass
class Batch:
    pixels: np.ndarray
    owners: torch.Tensor
    facts: np.ndarray
    ids: torch.Tensor  # one true sentence a picture
    also_true: torch.Tensor  # [text, picture]: true, and not the sentence's own picture
    pairs: Pairs | None


class BatchMaker:
    """`blocks` are (first, last) ranges of the pool that this process uses."""

    def __init__(self, pool, words, chance):
        self._pixels, self._owners, self._facts = (np.load(f"{pool}/{name}.npy", mmap_mode="r")
                                                   for name in ("pixels", "owners", "facts"))
        self._facts = np.array(self._facts)
        self._words, self._chance = words, chance
        self._alike = {(k, p): np.flatnonzero((self._facts[:, 2::4] == k).any(1) & (self._facts[:, 0] == p))
                       for k in range(len(KINDS)) for p in range(len(PLACES))}

    def make(self, number, clustered, paired):
        """`clustered` pictures come in fours that share a kind and the place: they are hard to tell apart."""
        rows = self._rows(number, clustered)
        scenes = [scene_of(self._facts[row]) for row in rows]
        captions = [caption_of(scene, self._chance, relation=0.85) for scene in scenes]
        facts = self._facts[rows]
        also_true = truth([caption_facts(caption) for caption in captions], facts)
        np.fill_diagonal(also_true, False)
        return Batch(self._pixels[rows], torch.from_numpy(self._owners[rows].astype(np.int64)), facts,
                     padded([self._words.ids(caption.pieces()) for caption in captions]),
                     torch.from_numpy(also_true), self._pairs(captions, also_true, facts, clustered) if paired else None)

    def _rows(self, number, clustered):
        rows = []
        while len(rows) < clustered:
            alike = self._alike[self._chance.randrange(len(KINDS)), self._chance.randrange(len(PLACES))]
            if len(alike) >= CLUSTER:
                rows += [int(alike[i]) for i in self._chance.sample(range(len(alike)), CLUSTER)]
        return rows + [self._chance.randrange(len(self._facts)) for _ in range(number - len(rows))]

    def _pairs(self, captions, also_true, facts, clustered):
        groups = [self._groups(caption, row) for caption, row in zip(captions, facts)]
        rows = [self._row(caption, set(), self._mask_chances(), groups[i]) for i, caption in enumerate(captions)]
        for i, caption in enumerate(captions):
            mate = i ^ 1
            if i < clustered and self._chance.random() < LOOK_ALIKE and not also_true[mate, i]:
                ids = self._words.ids(captions[mate].pieces())
                rows.append((ids, *([IGNORED] * len(ids) for _ in range(3))))
            else:
                rows.append(self._wrong(caption, facts[i], groups[i]))
        hidden, honest, about = (torch.tensor([value for row in rows for value in row[k]]) for k in (1, 2, 3))
        return Pairs(padded([row[0] for row in rows]), hidden, honest, about,
                     torch.arange(2 * len(captions)).lt(len(captions)).long())

    def _groups(self, caption, facts):
        """Which group of the scene each mention means."""
        kinds = list(facts[2::4])
        return [kinds.index(KINDS.index(mention.kind)) for mention in caption.mentions]

    def _mask_chances(self):
        return MASK_CHANCES if self._chance.random() < MASKED else {}

    def _wrong(self, caption, facts, groups):
        while True:
            edits = possible_edits(caption)
            what = self._chance.choices(edits, [EDIT_WEIGHTS[e] for e in edits])[0]
            changed, wrong = edit(caption, what, self._chance)
            if not truth([caption_facts(changed)], facts[None])[0, 0]:
                chances = self._mask_chances()
                if what in ("binding", "relation"):
                    chances = {role: chances[role] for role in chances if role == "place"}
                return self._row(changed, wrong, chances, groups)

    def _row(self, caption, wrong, chances, groups):
        """Token ids and, for each of them, what Pairs calls hidden, honest and about."""
        pieces = caption.pieces()
        ids = self._words.ids(pieces)
        hidden, honest, about = ([IGNORED] * len(ids) for _ in range(3))
        options = [i for i, p in enumerate(pieces) if p.role in chances and (p.role, p.mention) not in wrong]
        chosen = [i for i in options if self._chance.random() < chances[pieces[i].role]]
        if options and not chosen:
            chosen = self._chance.choices(options, [chances[pieces[i].role] for i in options])
        for i, piece in enumerate(pieces, 1):
            if piece.mention is not None:
                about[i] = groups[piece.mention]
            elif piece.role == "relation":
                about[i] = BETWEEN + groups[0]
            if i - 1 in chosen:
                hidden[i], ids[i] = ids[i], self._words.mask
            elif piece.role and not (piece.role == "kind" and ("count", piece.mention) in wrong):
                honest[i] = int((piece.role, piece.mention) not in wrong)
        return ids, hidden, honest, about


def patch_facts(batch):
    """For each patch the kind, colour, size and count of what covers it; one past the last (count: 0) for nothing."""
    groups = torch.from_numpy(batch.facts[:, 2:].reshape(-1, 3, 4).astype(np.int64))
    nobody = batch.owners == NOBODY
    rows = torch.arange(len(groups))[:, None]
    found = groups[rows, batch.owners.masked_fill(nobody, 0)]
    return found, nobody
