"""How well a model does on held-out scenes: retrieval, matching, masked words; each beside a blank picture.

    python evaluate.py --model ../models/demo [--scenes 500]
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BridgeTowerForImageAndTextRetrieval

from batches import padded
from captions import (EDITS, PLACE_PHRASES, RELATION_PHRASES, SIZE_WORDS, caption_facts, caption_of, edit,
                      possible_edits, truth)
from network import Forward, Heads, Packing, make_config, normalised
from pictures import any_variant, draw_scene, seen
from pool import facts
from words import PAD, Words
from world import sample

ROLES = ("colour", "place", "kind", "count", "size", "relation")
BATCH = 128
TOP = 20


class HeldOut:
    """Scenes with combinations that training never saw; each sentence is true of one picture only."""

    def __init__(self, number, seed="held out"):
        chance = random.Random(seed)
        self.scenes, self.captions, self.pictures, rows, told = [], [], [], [], []
        while len(self.scenes) < number:
            scene = sample(chance, held_out=True)
            caption = caption_of(scene, chance, colour=1, size=0.6, place=1, everything=1, relation=0.8)
            row, fact = facts(scene), caption_facts(caption)
            if rows and (truth([fact], rows).any() or truth(told, [row]).any()):
                continue
            rows.append(row)
            told.append(fact)
            self.scenes.append(scene)
            self.captions.append(caption)
            self.pictures.append(draw_scene(scene, any_variant(chance))[0])
        self.facts = np.array(rows)
        self.pixels = np.stack([np.asarray(seen(picture)) for picture in self.pictures])

    def wrong_captions(self, what, seed="edits"):
        """(scene's index, sentence that is wrong in this point) wherever the sentence tells it."""
        chance = random.Random(f"{seed} {what}")
        found = []
        for i, caption in enumerate(self.captions):
            if what in possible_edits(caption):
                for _ in range(20):
                    changed, _ = edit(caption, what, chance)
                    if not truth([caption_facts(changed)], self.facts[i:i + 1])[0, 0]:
                        found.append((i, changed))
                        break
        return found

    def masked(self, role, words, seed="masks"):
        """(scene's index, ids with one masked word of this role, its place, tokens that are right)."""
        chance = random.Random(f"{seed} {role}")
        found = []
        for i, caption in enumerate(self.captions):
            pieces = caption.pieces()
            places = [k for k, piece in enumerate(pieces) if piece.role == role]
            if places:
                k = chance.choice(places)
                ids = words.ids(pieces)
                right = {ids[k + 1], *(words.id(" " + word) for word in synonyms(pieces[k]))}
                ids[k + 1] = words.mask
                found.append((i, ids, k + 1, right))
        return found


def synonyms(piece):
    """Other words for the same fact."""
    if piece.role == "size":
        return SIZE_WORDS[piece.value]
    if piece.role == "place":
        return [phrase.split()[-1] for phrase in PLACE_PHRASES[piece.value]]
    if piece.role == "relation":
        return [word for phrase in RELATION_PHRASES[piece.value] for word in phrase.split()
                if word in ("left", "right", "above", "over", "below", "under")]
    return []


class Judge:
    """A model's answers for many pairs; pictures are encoded once."""

    def __init__(self, model, pixels):
        self.forward, self.model = Forward(model), model
        self.images = self._encode(pixels)

    def _encode(self, pixels):
        parts = [self.forward.image_tower(normalised(pixels[i:i + BATCH])) for i in range(0, len(pixels), BATCH)]
        return [torch.cat(states) for states in zip(*parts)]

    def vectors(self, rows):
        """Contrastive vectors of texts and pictures."""
        texts = []
        for i in range(0, len(rows), BATCH):
            packing = Packing(padded(rows[i:i + BATCH]))
            texts.append(self.forward.contrast(self.forward.text_tower(packing), packing, self.images)[0])
        packing = Packing(padded(rows[:1]))
        return torch.cat(texts), self.forward.contrast(self.forward.text_tower(packing), packing, self.images)[1]

    def _cross(self, rows, pictures):
        for i in range(0, len(rows), BATCH):
            packing = Packing(padded(rows[i:i + BATCH]))
            used = torch.tensor(pictures[i:i + BATCH])
            images = [states[used] for states in self.images]
            yield packing, *self.forward.cross(self.forward.text_tower(packing), packing, images)

    def match(self, rows, pictures):
        """Logit of a match less that of none."""
        logits = torch.cat([self.model.itm_score(pooled) for _, _, pooled in self._cross(rows, pictures)])
        return (logits[:, 1] - logits[:, 0]).numpy()

    def fill(self, rows, pictures, places):
        """The best token at one place of each sentence."""
        best = []
        for (packing, text, _), start in zip(self._cross(rows, pictures), range(0, len(rows), BATCH)):
            where = torch.tensor(places[start:start + BATCH])
            best.append(self.model.mlm_score(text[packing.starts + where]).argmax(-1))
        return torch.cat(best).tolist()


def retrieval(judge, rows, rerank):
    texts, images = judge.vectors(rows)
    similarity = (texts @ images.T).numpy()
    number = len(rows)
    result = {}
    for name, table in (("text to image", similarity), ("image to text", similarity.T)):
        order = np.argsort(-table, axis=1)
        rank = (order == np.arange(number)[:, None]).argmax(1)
        result[name] = {"R@1": 100 * float((rank < 1).mean()), "R@5": 100 * float((rank < 5).mean())}
        if rerank:
            best = order[:, :TOP]
            queries, found = np.repeat(np.arange(number), best.shape[1]), best.flatten()
            pairs = (queries, found) if name == "text to image" else (found, queries)
            scores = judge.match([rows[i] for i in pairs[0]], [int(i) for i in pairs[1]]).reshape(best.shape)
            first = best[np.arange(number), scores.argmax(1)]
            result[name]["reranked R@1"] = 100 * float((first == np.arange(number)).mean())
    return result


def matching(judge, held_out, words, rows):
    """Share of true sentences accepted, of wrong ones refused, and of wrong ones that score less than the true one."""
    true = judge.match(rows, list(range(len(rows))))
    result, refused = {}, []
    for what in EDITS:
        wrong = held_out.wrong_captions(what)
        scores = judge.match([words.ids(caption.pieces()) for _, caption in wrong], [i for i, _ in wrong])
        better = true[[i for i, _ in wrong]] > scores
        refused.append(100 * float((scores < 0).mean()))
        result[what] = {"refused": refused[-1], "true scores higher": 100 * float(better.mean()), "number": len(wrong)}
    accepted = 100 * float((true > 0).mean())
    return {"accepted": accepted, "balanced accuracy": (accepted + float(np.mean(refused))) / 2, **result}


def filling(judge, blank, held_out, words):
    result = {}
    for role in ROLES:
        cases = held_out.masked(role, words)
        rows, places = [case[1] for case in cases], [case[2] for case in cases]
        answers = [judge.fill(rows, [case[0] for case in cases], places), blank.fill(rows, [0] * len(rows), places)]
        result[role] = {name: 100 * float(np.mean([token in case[3] for token, case in zip(tokens, cases)]))
                        for name, tokens in zip(("with picture", "blank picture"), answers)}
        result[role]["number"] = len(cases)
    return result


@torch.no_grad()
def evaluate(model, words, held_out, rerank=True):
    judge, blank = Judge(model, held_out.pixels), Judge(model, np.full_like(held_out.pixels[:1], 128))
    rows = [words.ids(caption.pieces()) for caption in held_out.captions]
    return {"retrieval": retrieval(judge, rows, rerank), "matching": matching(judge, held_out, words, rows),
            "filling": filling(judge, blank, held_out, words)}


def summary(result):
    """One line for a learning curve."""
    r, m, f = result["retrieval"], result["matching"], result["filling"]
    return (f"itc {r['text to image']['R@1']:.1f}/{r['image to text']['R@1']:.1f} | itm {m['balanced accuracy']:.1f} (true "
            f"{m['accepted']:.0f}, " + ", ".join(f"{what} {m[what]['refused']:.0f}" for what in EDITS) + ") | mlm "
            + ", ".join(f"{role} {f[role]['with picture']:.0f}" for role in ROLES))


def load(directory):
    """The stored weights in float32, with the tokenizer."""
    words = Words(Tokenizer.from_file(str(directory / "tokenizer.json")))
    model = Heads(make_config(words.tokenizer.get_vocab_size()))
    model.load_state_dict({name: value.float() for name, value in load_file(directory / "model.safetensors").items()})
    return model.eval(), words


@torch.no_grad()
def check_forward(directory, judge, rows, pixels):
    """The quick forward against Hugging Face's; the largest difference of a matching logit."""
    reference = BridgeTowerForImageAndTextRetrieval.from_pretrained(directory, dtype=torch.float32).eval()
    ids = padded(rows[:32])
    logits = reference(input_ids=ids, attention_mask=(ids != PAD).long(), pixel_values=normalised(pixels[:32])).logits
    return float(np.abs(judge.match(rows[:32], list(range(32))) - (logits[:, 1] - logits[:, 0]).numpy()).max())


def tables(result, blank):
    """The figures in Markdown."""
    yield "| retrieval | R@1 | R@5 | R@1 after matching the best 20 | blank pictures: R@1 |\n|---|---|---|---|---|"
    for name, row in result["retrieval"].items():
        yield (f"| {name} | {row['R@1']:.1f} | {row['R@5']:.1f} | {row['reranked R@1']:.1f} "
               f"| {blank['retrieval'][name]['R@1']:.1f} |")
    m, b = result["matching"], blank["matching"]
    yield ("\n| wrong in | sentences | refused | true sentence scores higher | blank picture: refused, higher |\n"
           "|---|---|---|---|---|")
    for what in EDITS:
        yield (f"| {what} | {m[what]['number']} | {m[what]['refused']:.1f} | {m[what]['true scores higher']:.1f} "
               f"| {b[what]['refused']:.1f}, {b[what]['true scores higher']:.1f} |")
    yield f"\nTrue sentences accepted: {m['accepted']:.1f} (blank picture: {b['accepted']:.1f})"
    yield f"Balanced accuracy: {m['balanced accuracy']:.1f} (blank picture: {b['balanced accuracy']:.1f})"
    yield "\n| masked word | cases | with the picture | blank picture |\n|---|---|---|---|"
    for role, row in result["filling"].items():
        yield f"| {role} | {row['number']} | {row['with picture']:.1f} | {row['blank picture']:.1f} |"


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=Path(__file__).resolve().parent.parent / "models/demo")
    parser.add_argument("--scenes", type=int, default=500)
    options = parser.parse_args()
    model, words = load(options.model)
    held_out = HeldOut(options.scenes)
    rows = [words.ids(caption.pieces()) for caption in held_out.captions]
    grey = np.full_like(held_out.pixels, 128)
    difference = check_forward(options.model, Judge(model, held_out.pixels[:32]), rows, held_out.pixels)
    print(f"{options.scenes} scenes; forward within {difference:.1e} of Hugging Face's\n")
    blank = {"retrieval": retrieval(Judge(model, grey), rows, rerank=False),
             "matching": matching(Judge(model, grey), held_out, words, rows)}
    print("\n".join(tables(evaluate(model, words, held_out), blank)))


if __name__ == "__main__":
    main()
