"""Times one image-text pair here and in Hugging Face's transformers (eager, float32), in turns, in one run.

    pip install -r requirements.txt
    python compare.py --program ../../build/release/bin/bridgetower --model DIR --threads 2

Both get the same weights, pixels and token ids. Each round runs one engine after the other; medians over all
rounds, their ratio, and the largest difference of the logits are printed, and this program's peak memory
beside the size of the weights it loads.
"""

import argparse
import json
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


def cpu_name():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def make_inputs(config, tokens):
    size, pad = config.vision_config.image_size, config.text_config.pad_token_id
    generator = torch.Generator().manual_seed(0)
    return {"input_ids": torch.arange(pad + 1, pad + 1 + tokens)[None],
            "attention_mask": torch.ones(1, tokens, dtype=torch.long),
            "pixel_values": torch.randn(1, config.vision_config.num_channels, size, size, generator=generator)}


def program_logits(args, inputs):
    with tempfile.TemporaryDirectory() as folder:
        files = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
        save_file({f"inputs.{key}": value for key, value in inputs.items()}, files[0])
        subprocess.run([args.program, "run", "--model", args.model, "--head", "itm", "--inputs", files[0],
                        "--outputs", files[1], "--threads", str(args.threads)], check=True)
        return load_file(files[1])["logits"]


def time_program(args):
    """Milliseconds (median of the round) and peak bytes."""
    result = subprocess.run(
        [args.program, "bench", "--model", args.model, "--task", "match", "--threads", str(args.threads),
         "--tokens", str(args.tokens), "--repeat", str(args.repeat), "--format", "jsonl"],
        check=True, capture_output=True, text=True)
    record = json.loads(result.stdout)
    return record["median_ms"], record["peak_rss_bytes"]


def time_reference(model, inputs, repeat):
    times = []
    for _ in range(repeat + 1):  # the first warms up
        start = time.perf_counter()
        model(**inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3, help="pairs an engine and round")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    model = BridgeTowerForImageAndTextRetrieval.from_pretrained(args.model, dtype=torch.float32).eval()
    inputs = make_inputs(model.config, args.tokens)
    weights = sum(parameter.numel() * 4 for parameter in model.parameters())
    ours, theirs, peak = [], [], 0
    with torch.inference_mode():
        error = (program_logits(args, inputs) - model(**inputs).logits).abs().max().item()
        for _ in range(args.rounds):
            milliseconds, bytes_used = time_program(args)
            ours.append(milliseconds)
            peak = max(peak, bytes_used)
            theirs.append(time_reference(model, inputs, args.repeat))
    print(f"{cpu_name()}, {args.threads} threads, {args.rounds} rounds of {args.repeat} pairs, {args.tokens} tokens")
    print(f"this program   {statistics.median(ours):9.1f} ms")
    print(f"transformers   {statistics.median(theirs):9.1f} ms   ratio {statistics.median(theirs) / statistics.median(ours):.2f}")
    print(f"largest difference of the logits {error:.1e}")
    print(f"peak memory of this program {peak / 1e6:.0f} MB, {peak / weights:.3f} of its float32 weights")


if __name__ == "__main__":
    main()
