"""What bfloat16 and int8 cost in quality, next to float32 of the same program.

    pip install -r requirements.txt
    python quality.py --program ../../build/release/bin/bridgetower                 # the demo model on held-out scenes
    python quality.py --program ../../build/release/bin/bridgetower --model DIR     # any checkpoint on made-up input

All precisions get the same tensors through `bridgetower run`. For the demo model the inputs are scenes that training
never saw, and its answers are right or wrong; for another checkpoint they are random pictures and words, and only the
distance from float32 is known. Printed are Markdown tables.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
DTYPES = ("float32", "bfloat16", "int8")


class Program:
    def __init__(self, program, model, dtype, threads):
        self.command = [program, "run", "--model", str(model), "--dtype", dtype, "--threads", str(threads)]

    def run(self, head, inputs, batch):
        """Outputs of a head, a part of the inputs at a time."""
        parts = []
        for i in range(0, len(inputs["input_ids"]), batch):
            with tempfile.TemporaryDirectory() as folder:
                files = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
                save_file({f"inputs.{key}": value[i:i + batch].contiguous() for key, value in inputs.items()}, files[0])
                subprocess.run([*self.command, "--head", head, "--inputs", files[0], "--outputs", files[1]], check=True)
                parts.append(load_file(files[1]))
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0] if parts[0][key].dim() > 0}


def with_mask(ids, pad, pixels):
    return {"input_ids": ids, "attention_mask": (ids != pad).long(), "pixel_values": pixels}


class Demo:
    """Scenes that training never saw; each answer is right or wrong."""

    pad, batch = 1, 500

    def __init__(self, model, scenes):
        sys.path.insert(0, str(ROOT / "training"))
        import evaluate
        from batches import padded
        from network import normalised
        from tokenizers import Tokenizer
        from words import Words
        words = Words(Tokenizer.from_file(str(model / "tokenizer.json")))
        held_out = evaluate.HeldOut(scenes)
        pixels = normalised(held_out.pixels)
        rows = [words.ids(caption.pieces()) for caption in held_out.captions]
        wrong = [(i, words.ids(caption.pieces())) for what in evaluate.EDITS for i, caption in held_out.wrong_captions(what)]
        masked = [case for role in evaluate.ROLES for case in held_out.masked(role, words)]
        owners = list(range(scenes)) + [i for i, _ in wrong]
        self.scenes, self.places, self.right = scenes, [case[2] for case in masked], [case[3] for case in masked]
        self.plain = with_mask(padded(rows), self.pad, pixels)
        self.pairs = with_mask(padded(rows + [ids for _, ids in wrong]), self.pad, pixels[owners])
        self.masked = with_mask(padded([case[1] for case in masked]), self.pad, pixels[[case[0] for case in masked]])

    def score(self, vectors, probability, best):
        texts, images = vectors
        found = (texts @ images.T).argmax(1) == torch.arange(self.scenes)
        said = probability > 0.5
        balanced = (said[:self.scenes].mean() + 1 - said[self.scenes:].mean()) / 2
        filled = np.mean([token in right for token, right in zip(best.tolist(), self.right)])
        return {"R@1": 100 * float(found.float().mean()), "matching": 100 * float(balanced), "masked words": 100 * float(filled)}


class MadeUp:
    """Random pictures and words: there is no right answer."""

    def __init__(self, model, pairs, tokens=12):
        config = json.loads((model / "config.json").read_text())
        text, vision = config["text_config"], config["vision_config"]
        self.pad, self.batch = text.get("pad_token_id", 1), 16
        chance = random.Random(0)
        ids = [[0] + [chance.randrange(3, text["vocab_size"]) for _ in range(tokens - 2)] + [2] for _ in range(pairs)]
        size = vision["image_size"]
        pixels = torch.randn(pairs, 3, size, size, generator=torch.Generator().manual_seed(0))
        self.plain = self.pairs = self.masked = with_mask(torch.tensor(ids), self.pad, pixels)
        self.places = [chance.randrange(1, tokens - 1) for _ in ids]

    def score(self, vectors, probability, best):
        return {}


def answers(program, data):
    itc = program.run("itc", data.plain, data.batch)
    logits = program.run("itm", data.pairs, data.batch)["logits"]
    words = program.run("mlm", data.masked, data.batch)["logits"]
    best = words[torch.arange(len(words)), torch.tensor(data.places)].argmax(-1)
    return (itc["text_embeds"], itc["image_embeds"]), logits.double().softmax(-1)[:, 1].numpy(), best


def distance(ours, reference):
    cosines = torch.cat([torch.nn.functional.cosine_similarity(a.double(), b.double())
                         for a, b in zip(ours[0], reference[0])])
    change = np.abs(ours[1] - reference[1])
    return {"cosine, least": f"{float(cosines.min()):.6f}",
            "change of probability: median": f"{np.median(change):.5f}", "p99": f"{np.quantile(change, 0.99):.5f}",
            "most": f"{change.max():.5f}", "same best word": f"{100 * float((ours[2] == reference[2]).float().mean()):.1f} %"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", type=Path, help="default: the demo model")
    parser.add_argument("--number", type=int, default=500, help="scenes, or made-up pairs")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    model = options.model or ROOT / "models/demo"
    data = MadeUp(model, options.number) if options.model else Demo(model, options.number)
    print(f"{len(data.plain['input_ids'])} pictures, {len(data.pairs['input_ids'])} pairs, {len(data.places)} masked words\n")
    reference = None
    for dtype in DTYPES:
        result = answers(Program(options.program, model, dtype, options.threads), data)
        reference = reference or result
        row = {"precision": dtype, **distance(result, reference),
               **{name: f"{value:.1f}" for name, value in data.score(*result).items()}}
        if dtype == DTYPES[0]:
            print("| " + " | ".join(row) + " |\n|" + "---|" * len(row))
        print("| " + " | ".join(row.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
