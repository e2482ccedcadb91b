"""Loads a checkpoint and what `bridgetower convert` made of it with transformers, and compares every tensor.

    bridgetower convert SRC DST [--dtype float16]
    python check_convert.py SRC DST [--dtype float16]
"""

import argparse

import torch
from transformers import (BridgeTowerForContrastiveLearning, BridgeTowerForImageAndTextRetrieval,
                          BridgeTowerForMaskedLM)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("destination")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], help="what the conversion was asked for")
    args = parser.parse_args()
    for head in (BridgeTowerForMaskedLM, BridgeTowerForImageAndTextRetrieval, BridgeTowerForContrastiveLearning):
        expected = head.from_pretrained(args.source).state_dict()
        model, loading = head.from_pretrained(args.destination, output_loading_info=True)
        got = model.state_dict()
        assert got.keys() == expected.keys() and not loading["missing_keys"], loading
        for name, tensor in expected.items():
            if args.dtype and tensor.is_floating_point():
                tensor = tensor.to(getattr(torch, args.dtype))
            assert got[name].dtype == tensor.dtype and torch.equal(got[name], tensor), name
        print(f"{head.__name__}: {len(got)} equal tensors")


if __name__ == "__main__":
    main()
