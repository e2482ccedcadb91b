"""Trains the demo model: python train.py --pool POOL --out RUN --minutes 80 [--processes 2] [--batch 64]

RUN gets tokenizer.json, log.txt (the learning curve) and state.pt, which is written every few minutes; the same command continues
from it and stops when the minutes, counted from the first start, are over.
"""

import argparse
import copy
import math
import os
import random
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from tokenizers import Tokenizer
from torch.nn import functional as F

from batches import BETWEEN, IGNORED, BatchMaker, patch_facts
from evaluate import HeldOut, evaluate, summary
from muon import Muon
from network import GRID, Forward, Heads, Helpers, Packing, make_config, normalised
from words import Words, train_tokenizer
from world import OPPOSITE, RELATIONS

LEARNING_RATE = 2e-3
WARM_UP = 100  # steps
DECAY_FROM = 0.85  # share of the time
PAIRS_FROM = 0.05  # before it: contrast and helpers only
AVERAGE = 0.996
SAVE_EVERY = 240  # seconds
EVALUATE_EVERY = 0.12  # share of the time


_TURNED = torch.tensor([RELATIONS.index(OPPOSITE[relation]) for relation in RELATIONS])


def is_matrix(name, p):
    return p.ndim == 2 and "embedding" not in name and not name.startswith(("mlm_score.decoder", "itm", "itc", "logit"))


class Trainer:
    def __init__(self, options, rank):
        torch.manual_seed(0)
        self.rank, self.options = rank, options
        self.words = Words(Tokenizer.from_file(str(options.out / "tokenizer.json")))
        self.model = Heads(make_config(self.words.tokenizer.get_vocab_size()))
        self.helpers = Helpers()
        self.forward = Forward(self.model)
        named = list(self.model.named_parameters())
        matrices = [p for name, p in named if is_matrix(name, p)]
        rest = [p for name, p in named if not is_matrix(name, p)] + list(self.helpers.parameters())
        self.parameters = matrices + rest
        self.optimizers = [Muon(matrices, LEARNING_RATE), torch.optim.AdamW(rest, LEARNING_RATE, (0.9, 0.98),
                                                                            weight_decay=0.01)]
        self.average = copy.deepcopy(self.model)
        self.step, self.started, self.evaluated = 0, time.time(), 0.0
        self._resume()
        self.batches = BatchMaker(options.pool, self.words, random.Random(f"train {rank} {self.step}"))
        self.saved = time.time()
        self.held_out = HeldOut(100, "on the way") if rank == 0 else None

    def _resume(self):
        file = self.options.out / "state.pt"
        if not file.exists():
            return
        state = torch.load(file)
        for name in ("model", "helpers", "average"):
            getattr(self, name).load_state_dict(state[name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step, self.started, self.evaluated = state["step"], state["started"], state["evaluated"]

    def save(self):
        state = {"model": self.model.state_dict(), "helpers": self.helpers.state_dict(),
                 "average": self.average.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers],
                 "step": self.step, "started": self.started, "evaluated": self.evaluated}
        torch.save(state, self.options.out / "state.new")
        os.replace(self.options.out / "state.new", self.options.out / "state.pt")
        self.saved = time.time()

    def log(self, line):
        if self.rank == 0:
            with open(self.options.out / "log.txt", "a", encoding="utf-8") as file:
                print(line, file=file)

    def share(self):
        """The share of the time that is over; all processes agree on it."""
        share = torch.tensor([(time.time() - self.started) / (60 * self.options.minutes)])
        if dist.is_initialized():
            dist.broadcast(share, 0)
        return float(share)

    def run(self):
        while (share := self.share()) < 1:
            begun = time.time()
            losses = self.one_step(share)
            if self.step % 50 == 0:
                self.log(f"step {self.step} share {share:.3f} {time.time() - begun:.2f} s " + " ".join(
                    f"{name} {value:.3f}" for name, value in losses.items()))
            if self.rank == 0 and time.time() - self.saved > SAVE_EVERY:
                self.save()
            if share - self.evaluated >= EVALUATE_EVERY:
                self.evaluated = share
                self.report(share)
        self.report(1.0)
        if self.rank == 0:
            self.save()

    def report(self, share):
        if self.rank == 0:
            line = summary(evaluate(self.average, self.words, self.held_out, rerank=False))
            self.log(f"== step {self.step} minute {share * self.options.minutes:.1f}: {line}")

    def one_step(self, share):
        self.step += 1
        rate = LEARNING_RATE * min(1, self.step / WARM_UP) * min(1, max(0.01, (1 - share) / (1 - DECAY_FROM)))
        paired = share > PAIRS_FROM
        number = self.options.batch
        batch = self.batches.make(number, number // 2 if paired else 0, paired)
        with torch.autocast("cpu", torch.bfloat16):
            losses = self.losses(batch)
        weights = {"helpers": 0.6, "cross": 0.1, "itm": 2.0, "words": 1.5, "mlm": 1.0, "look": 0.5}
        total = sum(weights.get(name, 1.0) * loss for name, loss in losses.items() if name not in ("hit", "itm hit"))
        for p in self.parameters:
            p.grad = None
        total.backward()
        self.reduce_gradients()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=math.log(60))
            keep = min(AVERAGE, 1 - 1 / (1 + self.step / 5))
            for mean, p in zip(self.average.parameters(), self.model.parameters()):
                mean.lerp_(p, 1 - keep)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def reduce_gradients(self):
        if dist.is_initialized():
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
            flat = torch.cat([grad.flatten() for grad in grads])
            dist.all_reduce(flat)
            flat /= dist.get_world_size()
            for p, part in zip(self.parameters, flat.split([p.numel() for p in self.parameters])):
                p.grad = part.view_as(p)
        else:
            for p in self.parameters:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad

    def losses(self, batch):
        images = self.forward.image_tower(normalised(batch.pixels))
        losses = {"helpers": self.helper_loss(batch, images)}
        packing = Packing(batch.ids)
        texts = self.forward.text_tower(packing)
        text, image = self.forward.contrast(texts, packing, images)
        losses["itc"], losses["hit"] = self.contrast(text, image, batch.also_true)
        if batch.pairs is None:
            return losses
        pairs, number = batch.pairs, len(batch.ids)
        packing = Packing(pairs.ids)
        seen, between = [], []
        features, pooled = self.forward.cross(self.forward.text_tower(packing), packing, images, times=2, seen=seen,
                                              between=between)
        losses["look"] = sum(self.look_loss(batch, packing, probabilities) for probabilities in seen[:2])
        scores = self.model.itm_score(pooled).float()
        losses["relation"] = self.relation_loss(batch, packing, between)
        losses["itm"] = F.cross_entropy(scores, pairs.match)
        losses["itm hit"] = (scores.argmax(-1) == pairs.match).float().mean()
        losses["words"] = F.cross_entropy(self.helpers.word(features[pairs.honest != IGNORED]).float(),
                                          pairs.honest[pairs.honest != IGNORED], torch.tensor([3.0, 1.0]))
        masked = pairs.hidden != IGNORED
        losses["mlm"] = F.cross_entropy(self.model.mlm_score(features[masked]).float(), pairs.hidden[masked])
        both = F.normalize(self.model.itc_cross_modal_head(pooled[:number]).float(), dim=-1)
        losses["cross"] = (self.contrast(text.detach(), both, batch.also_true)[0]
                           + self.contrast(image.detach(), both, batch.also_true)[0]) / 2
        return losses

    def contrast(self, left, right, also_true):
        logits = self.model.logit_scale.exp() * (left.float() @ right.float().T)
        logits = logits.masked_fill(also_true, -1e4)
        labels = torch.arange(len(logits))
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
        return loss, (logits.argmax(1) == labels).float().mean()

    def look_loss(self, batch, packing, probabilities):
        """Two heads look for each word about an object at the patches that its group covers; for a relation, one head at
        each of the two groups."""
        about = batch.pairs.about
        told = (about != IGNORED).nonzero().flatten()
        rows = packing.rows[told]  # in the padded rectangle
        owners = batch.owners[(rows // packing.shape[1]) % len(batch.owners)]
        between, about = about[told] >= BETWEEN, about[told]
        loss = 0
        for head in (0, 1):
            chance = probabilities[:, head].flatten(0, 1)[rows, 1:].float()
            first = about - BETWEEN
            target = torch.where(between, first if head == 0 else 1 - first, about)
            covered = owners == target[:, None]
            mass = (chance * covered).sum(-1)[covered.any(-1)]
            loss = loss - (mass + 1e-3).log().mean() / 2
        return loss

    def relation_loss(self, batch, packing, states):
        """What a relation's word has to know, whichever word it is: the true relation and where both groups are."""
        about = batch.pairs.about
        told = (about >= BETWEEN).nonzero().flatten()
        row = (packing.rows[told] // packing.shape[1]) % len(batch.owners)
        first = about[told] - BETWEEN
        relation = torch.from_numpy(batch.facts[:, 1].astype("int64"))[row]
        relation = torch.where(first == 0, relation, _TURNED[relation])
        loss = sum(F.cross_entropy(head(states[j][told]).float(), relation)
                   for head, j in zip(self.helpers.relation, (1, 2)))
        number = torch.arange(GRID * GRID)
        spots = torch.stack([number % GRID, number // GRID], -1).float() / GRID - 0.5
        middles = []
        for group in (first, 1 - first):
            covered = (batch.owners[row] == group[:, None]).float()
            middles.append(covered @ spots / covered.sum(-1, keepdim=True).clamp(min=1))
        return loss + 10 * F.mse_loss(self.helpers.both(states[1][told]).float(), torch.cat(middles, -1))

    def where_loss(self, scores):
        """Column and row of each patch: what relations are made of. [B, patches, columns + rows]"""
        number = torch.arange(scores.shape[1]).expand(len(scores), -1).flatten()
        columns, rows = scores.flatten(0, 1).split(GRID, -1)
        return 0.5 * (F.cross_entropy(columns, number % GRID) + F.cross_entropy(rows, number // GRID))

    def helper_loss(self, batch, images):
        found, nobody = patch_facts(batch)
        nothing = torch.tensor([Helpers.SIZES["kind"] - 1, Helpers.SIZES["colour"] - 1, Helpers.SIZES["size"] - 1, 0])
        labels = torch.where(nobody[..., None], nothing, found)
        weight = torch.where(nobody, 0.1, 1.0)
        loss = 0
        for head, where, states in zip(self.helpers.patch, self.helpers.where, (images[1], images[-1])):
            loss = loss + self.where_loss(where(states[:, 1:]).float())
            parts = head(states[:, 1:]).float().split(list(Helpers.SIZES.values()), -1)
            for k, (part, importance) in enumerate(zip(parts, (1.0, 0.4, 0.4, 0.6))):
                each = F.cross_entropy(part.flatten(0, 1), labels[..., k].flatten(), reduction="none")
                loss = loss + importance * (each * weight.flatten()).sum() / weight.sum()
        first = images[-1][:, 0]
        facts = torch.from_numpy(batch.facts.astype("int64"))
        loss = loss + F.cross_entropy(self.helpers.place(first).float(), facts[:, 0])
        there = torch.zeros(len(facts), self.helpers.pairs.out_features)
        for g in range(3):
            kind, colour = facts[:, 2 + 4 * g], facts[:, 3 + 4 * g]
            rows = (kind >= 0).nonzero().flatten()
            there[rows, kind[rows] * 10 + colour[rows]] = 1
        return loss + 20 * F.binary_cross_entropy_with_logits(self.helpers.pairs(first).float(), there)


def work(rank, options):
    torch.set_num_threads(1)
    if options.processes > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", str(options.port))
        dist.init_process_group("gloo", rank=rank, world_size=options.processes)
    Trainer(options, rank).run()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pool", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--minutes", required=True, type=float)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch", type=int, default=40, help="pictures a process and step")
    parser.add_argument("--port", type=int, default=29511)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not (options.out / "tokenizer.json").exists():
        train_tokenizer().save(str(options.out / "tokenizer.json"))
    if options.processes > 1:
        mp.spawn(work, (options,), options.processes)
    else:
        work(0, options)


if __name__ == "__main__":
    main()
