"""Writes ../tests/data/demo: python make_test_data.py   (needs ../models/demo and ../examples/pictures)

held_out/*.png and held_out.json: scenes with combinations that training never saw, as the model sees them, each with its sentence,
sentences that are wrong in one point, and sentences with one masked word. answers.json: what Hugging Face's classes compute in
float64 for the example pictures. photo.jpg: colours and noise as in a photograph.
"""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from tokenizers import Tokenizer

from captions import EDITS
from evaluate import ROLES, HeldOut
from export import ROOT, load_class, load_processor
from words import Words

MODEL, OUT, EXAMPLES = ROOT / "models/demo", ROOT / "tests/data/demo", ROOT / "examples/pictures"
SCENES = 60
STRANGE = ("", "a zebra plays the saxophone", "drei Äpfel \U0001f34e auf dem Tisch!", "RED red   boat", "7 x 8 = 56")
TOP = 5


def write_held_out():
    held_out = HeldOut(SCENES, "test data")
    words = Words(Tokenizer.from_file(str(MODEL / "tokenizer.json")))
    folder = OUT / "held_out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    records = []
    for i, caption in enumerate(held_out.captions):
        Image.fromarray(held_out.pixels[i]).save(folder / f"{i:02}.png", optimize=True)
        records.append({"picture": f"{i:02}.png", "text": caption.text(), "wrong": {}, "masked": {}})
    for what in EDITS:
        for i, caption in held_out.wrong_captions(what):
            records[i]["wrong"][what] = caption.text()
    for role in ROLES:
        for i, ids, place, right in held_out.masked(role, words):
            pieces = [piece.text for piece in held_out.captions[i].pieces()]
            pieces[place - 1] = " <mask>" if place > 1 else "<mask>"
            text = "".join(pieces)
            assert words.tokenizer.encode(text).ids == ids, text
            records[i]["masked"][role] = {"text": text, "right": [words.tokenizer.decode([token]) for token in
                                                                 sorted(right)]}
    (OUT / "held_out.json").write_text(json.dumps(records, indent=1) + "\n")


def write_photo():
    """Soft light, a horizon, grain, and detail of every size."""
    noise = np.random.default_rng(7)
    height, width = 240, 320
    picture = np.zeros((height, width, 3))
    for octave in range(1, 8):
        cells = noise.uniform(-1, 1, (2 ** octave, 2 ** octave, 3)) * 0.6 ** octave
        layers = [Image.fromarray(cells[..., k].astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
                  for k in range(3)]
        picture += np.stack([np.asarray(layer) for layer in layers], -1)
    sky = np.linspace(1, 0, height)[:, None, None] * np.array([0.2, 0.35, 0.6])
    picture = 0.35 + 0.25 * picture + sky + noise.normal(0, 0.02, picture.shape)
    image = Image.fromarray((255 * picture.clip(0, 1)).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))
    image.save(OUT / "photo.jpg", quality=85)


class Reference:
    """Hugging Face's classes in float64."""

    def __init__(self):
        self._processor = load_processor(MODEL)
        self._matching, self._filling, self._contrast = (load_class(head, MODEL) for head in ("itm", "mlm", "itc"))

    def _inputs(self, file, text):
        inputs = self._processor(Image.open(file).convert("RGB"), text, return_tensors="pt")
        inputs["pixel_values"] = inputs["pixel_values"].double()
        return inputs

    @torch.no_grad()
    def pair(self, file, text):
        inputs = self._inputs(file, text)
        vectors = self._contrast(**inputs)
        return {"image": file.relative_to(ROOT).as_posix(), "text": text,
                "logits": self._matching(**inputs).logits[0].tolist(),
                "similarity": float(vectors.text_embeds[0] @ vectors.image_embeds[0])}

    @torch.no_grad()
    def masked(self, file, text):
        inputs = self._inputs(file, text)
        mask = self._processor.tokenizer.mask_token_id
        (position,) = (inputs["input_ids"][0] == mask).nonzero().flatten().tolist()
        best = self._filling(**inputs).logits[0, position].softmax(-1).topk(TOP)
        return {"image": file.relative_to(ROOT).as_posix(), "text": text, "position": position,
                "token_ids": best.indices.tolist(), "scores": best.values.tolist()}


def write_answers():
    reference, chance = Reference(), random.Random("answers")
    lines = [line.split("\t") for line in (EXAMPLES / "captions.txt").read_text().splitlines()]
    pairs, masks = [], []
    for i, (name, text) in enumerate(lines):
        other = lines[(i + 1) % len(lines)][1]
        pairs += [reference.pair(EXAMPLES / name, sentence) for sentence in (text, other)]
        words = text.split()
        words[chance.randrange(1, len(words))] = "<mask>"
        masks.append(reference.masked(EXAMPLES / name, " ".join(words)))
    strange = [reference.pair(EXAMPLES / lines[0][0], text) for text in STRANGE]
    photo = [reference.pair(OUT / "photo.jpg", text) for text in ("a red boat on the sea", "a dog in the garden")]
    (OUT / "answers.json").write_text(json.dumps(
        {"pairs": pairs, "masks": masks, "strange": strange, "photo": photo}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_held_out()
    write_photo()
    write_answers()


if __name__ == "__main__":
    main()
