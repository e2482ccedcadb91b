"""Times this program and the engines that users could pick instead, in turns, in one run.

    pip install -r requirements.txt
    python compare.py --program ../../build/release/bin/bridgetower --model DIR --threads 2

All are float32, but for the program where `--dtype` says otherwise, and for peers that have a precision in their name.
All get the same weights, pixels and token ids. Every peer runs with one thread and with `--threads`, and its better median
counts; a round runs one engine after the other, and medians are over all rounds. Tasks:

pair    logits of one picture and one text: a call of the whole model
mask    a masked word of one text beside one picture: a call of the whole model
image   the vector of one picture, by the vision tower alone
texts   vectors of 32 texts, by the text tower alone
parts   the towers and the fusion by themselves, from which the split matrices are counted

Of matrices this program runs one call. Of a peer two figures are given: the loop, a call of the whole model a pair, and the
split, each tower once a side and the fusion once a pair.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

import torch
from transformers import BridgeTowerForContrastiveLearning, BridgeTowerForImageAndTextRetrieval, BridgeTowerForMaskedLM
from transformers.utils import logging

import parts
from engines import PEERS, Program

logging.set_verbosity_error()
logging.disable_progress_bar()

RETRIEVAL, MASKED, CONTRASTIVE = (
    BridgeTowerForImageAndTextRetrieval, BridgeTowerForMaskedLM, BridgeTowerForContrastiveLearning)
#        part, class, texts, this program's bench
TASKS = {"pair": (parts.Pair, RETRIEVAL, 1, ("match", {})),
         "mask": (parts.Mask, MASKED, 1, ("mask", {})),
         "image": (parts.ImageVector, CONTRASTIVE, 1, ("image", {})),
         "texts": (parts.TextVector, CONTRASTIVE, 32, ("text", {"texts": 32})),
         "image tower": (parts.ImageTower, RETRIEVAL, 1, None),
         "text tower": (parts.TextTower, RETRIEVAL, 1, None),
         "fusion": (parts.Fusion, RETRIEVAL, 1, None)}
MATRICES = {"1 x 32": (1, 32), "8 x 8": (8, 8)}


def cpu_name():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def make_inputs(config, tokens, texts):
    size, pad = config.vision_config.image_size, config.text_config.pad_token_id
    generator = torch.Generator().manual_seed(0)
    ids = torch.arange(pad + 1, pad + 1 + tokens)[None] + torch.arange(texts)[:, None]
    return {"input_ids": ids,
            "pixel_values": torch.randn(1, config.vision_config.num_channels, size, size, generator=generator)}


def time_calls(call, repeat):
    times = []
    for _ in range(repeat + 1):  # the first warms up
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return times[1:]


class Comparison:
    def __init__(self, args):
        self.args = args
        self.program = Program(args.program, args.model, args.threads, args.tokens, args.dtype)
        self.error, self.records = {}, []

    def task(self, name):
        """Milliseconds of this program and of each peer, the peer with its better number of threads."""
        kind, of, texts, bench = TASKS[name]
        model = of.from_pretrained(self.args.model, dtype=torch.float32).eval()
        inputs = make_inputs(model.config, self.args.tokens, texts)
        part = kind(model).eval()
        with torch.inference_mode():
            if name == "pair":
                exact = model.double()(input_ids=inputs["input_ids"], pixel_values=inputs["pixel_values"].double()).logits
                model.float()
                self.error["this program"] = (self.program.logits(inputs, self.args.threads) - exact).abs().max().item()
            if kind is parts.Fusion:
                inputs = {"image_states": part.image_states(inputs["pixel_values"]),
                          "text_states": part.text_states(inputs["input_ids"])}
        example = [inputs[key] for key in part.inputs]
        calls = {}
        for peer in self.args.peers:
            for threads in sorted({1, self.args.threads}):
                calls[peer, threads] = PEERS[peer]().load(part, example, threads, self.args.graphs)
        ours, times = [], {key: [] for key in calls}
        for _ in range(self.args.rounds):
            if bench:
                record = self.program.bench(bench[0], self.args.repeat, **bench[1])
                ours.append(record["median_ms"])
                if name == "pair":
                    self.records.append(record)
            for key, call in calls.items():
                times[key].extend(time_calls(call, self.args.repeat))
        if name == "pair":
            for (peer, _), call in calls.items():
                self.error[peer] = (call() - exact).abs().max().item()
        medians = {key: statistics.median(values) for key, values in times.items()}
        best = {peer: min(medians[peer, threads] for threads in {1, self.args.threads}) for peer in self.args.peers}
        return (statistics.median(ours) if ours else None), best

    def matrix(self, images, texts):
        return self.program.bench("matrix", 3, images=images, texts=texts)["median_ms"]


def table(header, rows):
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def print_matrices(comparison, done, peers):
    pair = done["pair"][0]
    measured = {name: comparison.matrix(*size) for name, size in MATRICES.items()}
    rows = [["this program"] + [f"{ms:.0f} ms, {ms / pair:.1f} pairs" for ms in measured.values()]]
    for peer in peers:
        loops = [f"{n * m * done['pair'][1][peer] / measured[name]:.2f}" for name, (n, m) in MATRICES.items()]
        rows.append([f"{peer}, a call a pair"] + loops)
        if "fusion" in done:
            image, text, fusion = (done[part][1][peer] for part in ("image tower", "text tower", "fusion"))
            split = [f"{(n * image + m * text + n * m * fusion) / measured[name]:.2f}" for name, (n, m) in MATRICES.items()]
            rows.append([f"{peer}, split at the towers"] + split)
    table(["times as long as this program", *MATRICES], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3, help="calls an engine and round")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "int8"], help="of this program")
    parser.add_argument("--tasks", nargs="*", default=["pair", "mask", "image", "texts", "parts"])
    parser.add_argument("--peers", nargs="*", default=["eager", "onnxruntime", "openvino"], choices=list(PEERS))
    parser.add_argument("--graphs", default="graphs", help="folder that keeps the exported graphs")
    args = parser.parse_args()
    os.makedirs(args.graphs, exist_ok=True)

    comparison, done = Comparison(args), {}
    tasks = [name for task in args.tasks for name in (["image tower", "text tower", "fusion"] if task == "parts" else [task])]
    for task in tasks:
        done[task] = comparison.task(task)
    print(f"{cpu_name()}, {args.dtype}, {args.threads} threads, {args.rounds} rounds of {args.repeat} calls, {args.tokens} tokens\n")
    rows = []
    for task, (ours, best) in done.items():
        cells = [f"{ms:.1f} ms" + (f", {ms / ours:.2f}" if ours else "") for ms in best.values()]
        rows.append([task, f"{ours:.1f} ms" if ours else "", *cells])
    table(["task", "this program", *(f"{peer}, ratio" for peer in args.peers)], rows)
    if "pair" in done:
        print_matrices(comparison, done, args.peers)
        table(["largest error of the logits", *comparison.error], [[""] + [f"{e:.1e}" for e in comparison.error.values()]])
        records = comparison.records
        share, peak = (statistics.median(record[key] for record in records) for key in ("share_of_peak", "peak_gflops"))
        weights = sum(p.numel() * 4 for p in RETRIEVAL.from_pretrained(args.model).parameters())
        print(f"This program, {records[0]['kernels']}: {100 * share:.0f} % of the {peak:.0f} GFLOP/s measured meanwhile; peak "
              f"memory {max(record['peak_rss_bytes'] for record in records) / weights:.3f} of the float32 weights")


if __name__ == "__main__":
    main()
