"""Times one image-text pair here and in the engines that users could pick instead, in turns, in one run, all float32.

    pip install -r requirements.txt
    python compare.py --program ../../build/release/bin/bridgetower --model DIR --threads 2

All get the same weights, pixels and token ids. Each round runs one engine after the other. Every peer runs with one
thread and with `--threads`, and its better median counts. Printed are medians over all rounds, their ratio to this
program's, and the largest difference of the logits from transformers in float64; the share of the machine's peak that this
program measures meanwhile; its peak memory beside the size of the weights. The matrices are timed by this program and
are, for the peers, as many calls as there are pairs.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import BridgeTowerForImageAndTextRetrieval
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()

INPUTS = ("input_ids", "attention_mask", "pixel_values")


def cpu_name():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def make_inputs(config, tokens):
    size, pad = config.vision_config.image_size, config.text_config.pad_token_id
    generator = torch.Generator().manual_seed(0)
    return {"input_ids": torch.arange(pad + 1, pad + 1 + tokens)[None],
            "attention_mask": torch.ones(1, tokens, dtype=torch.long),
            "pixel_values": torch.randn(1, config.vision_config.num_channels, size, size, generator=generator)}


class Program:
    def __init__(self, args):
        self.args = args

    def logits(self, inputs):
        with tempfile.TemporaryDirectory() as folder:
            files = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
            save_file({f"inputs.{key}": value for key, value in inputs.items()}, files[0])
            subprocess.run([self.args.program, "run", "--model", self.args.model, "--head", "itm", "--inputs", files[0],
                            "--outputs", files[1], "--threads", str(self.args.threads)], check=True)
            return load_file(files[1])["logits"]

    def bench(self, task, repeat, *options):
        command = [self.args.program, "bench", "--model", self.args.model, "--task", task, "--threads",
                   str(self.args.threads), "--tokens", str(self.args.tokens), "--repeat", str(repeat),
                   "--format", "jsonl", *options]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Transformers:
    def __init__(self, model, compiled=False):
        self.model = torch.compile(model) if compiled else model

    def use(self, threads):
        torch.set_num_threads(threads)

    def logits(self, inputs):
        with torch.inference_mode():
            return self.model(**inputs).logits


class OnnxRuntime:
    def __init__(self, graph):
        self.graph = graph

    def use(self, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])

    def logits(self, inputs):
        feed = {value.name: inputs[value.name].numpy() for value in self.session.get_inputs()}
        return torch.from_numpy(self.session.run(None, feed)[0])


class OpenVino:
    def __init__(self, graph):
        import openvino
        self.core = openvino.Core()
        self.model = self.core.read_model(graph)

    def use(self, threads):
        self.compiled = self.core.compile_model(self.model, "CPU", {"INFERENCE_NUM_THREADS": threads,
                                                                    "INFERENCE_PRECISION_HINT": "f32"})

    def logits(self, inputs):
        feed = {value.any_name: inputs[value.any_name].numpy() for value in self.compiled.inputs}
        return torch.from_numpy(self.compiled(feed)[0])


class LogitsOnly(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, pixel_values):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, pixel_values=pixel_values).logits


def export(model, inputs, folder):
    graph = os.path.join(folder, "model.onnx")
    if not os.path.exists(graph):
        torch.onnx.export(LogitsOnly(model), tuple(inputs[name] for name in INPUTS), graph, input_names=list(INPUTS),
                          output_names=["logits"], dynamo=True, external_data=True)
    return graph


def time_calls(engine, inputs, repeat):
    times = []
    for _ in range(repeat + 1):  # the first warms up
        start = time.perf_counter()
        engine.logits(inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return times[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3, help="pairs an engine and round")
    parser.add_argument("--peers", nargs="*", default=["eager", "compiled", "onnxruntime", "openvino"])
    parser.add_argument("--graphs", default="graphs", help="folder that keeps the exported graph")
    args = parser.parse_args()

    model = BridgeTowerForImageAndTextRetrieval.from_pretrained(args.model, dtype=torch.float32).eval()
    inputs = make_inputs(model.config, args.tokens)
    weights = sum(parameter.numel() * 4 for parameter in model.parameters())
    program = Program(args)
    with torch.inference_mode():
        exact = model.double()(**{**inputs, "pixel_values": inputs["pixel_values"].double()}).logits
    model.float()

    os.makedirs(args.graphs, exist_ok=True)
    peers = {}
    for name in args.peers:
        if name in ("eager", "compiled"):
            peers[name] = Transformers(model, compiled=name == "compiled")
        else:
            graph = export(model, inputs, args.graphs)
            peers[name] = OnnxRuntime(graph) if name == "onnxruntime" else OpenVino(graph)

    error = {"this program": (program.logits(inputs) - exact).abs().max().item()}
    records, times = [], {}
    for _ in range(args.rounds):
        records.append(program.bench("match", args.repeat))
        for name, peer in peers.items():
            for threads in sorted({1, args.threads}):
                peer.use(threads)
                times.setdefault((name, threads), []).extend(time_calls(peer, inputs, args.repeat))
                error[name] = (peer.logits(inputs) - exact).abs().max().item()
    matrices = {task: program.bench("matrix", 2, "--images", str(n), "--texts", str(m))
                for task, n, m in (("1 x 32", 1, 32), ("8 x 8", 8, 8))}

    pair = statistics.median(record["median_ms"] for record in records)
    best = {name: min((statistics.median(times[name, t]), t) for t in {1, args.threads}) for name in peers}
    share = statistics.median(record["share_of_peak"] for record in records)
    peak_rate = statistics.median(record["peak_gflops"] for record in records)
    print(f"{cpu_name()}, {records[0]['kernels']}, {args.threads} threads, {args.rounds} rounds of {args.repeat} pairs, "
          f"{args.tokens} tokens\n")
    print("| engine | threads | pair, ms | ratio | 1 x 32 | 8 x 8 | largest error of the logits |")
    print("|---|---|---|---|---|---|---|")
    print(f"| this program | {args.threads} | {pair:.0f} | 1 | {matrices['1 x 32']['median_ms'] / pair:.1f} pairs | "
          f"{matrices['8 x 8']['median_ms'] / pair:.1f} pairs | {error['this program']:.1e} |")
    for name, (milliseconds, threads) in best.items():
        ratios = [calls * milliseconds / matrices[task]["median_ms"] for task, calls in (("1 x 32", 32), ("8 x 8", 64))]
        print(f"| {name} | {threads} | {milliseconds:.0f} | {milliseconds / pair:.2f} | {ratios[0]:.2f} | {ratios[1]:.2f} | "
              f"{error[name]:.1e} |")
    print(f"\nThis program: {100 * share:.0f} % of the {peak_rate:.0f} GFLOP/s measured meanwhile; peak memory "
          f"{max(record['peak_rss_bytes'] for record in records) / weights:.3f} of the float32 weights")


if __name__ == "__main__":
    main()
