"""Writes tests/data/torch: files of torch.save in the layouts that checkpoints have, and what is in them.

    pip install -r requirements.txt
    python make_torch_checkpoints.py

layouts.bin, plain.bin   one dictionary in the zip layout and in that before torch 1.6; layouts.safetensors: its tensors
module.bin               the state_dict of a module, with its _metadata; module.safetensors
sharded/                 module.bin in two shards with an index
tiny_float16.bin         the weights of tests/data/tiny_model, in float16
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

DATA = Path(__file__).resolve().parent.parent / "tests/data"
OUT = DATA / "torch"


def layouts():
    """All five types, views of every kind, shared storages, parameters, a scalar, no elements."""
    torch.manual_seed(1)
    shared = torch.randn(24)
    table = torch.randn(6, 5, dtype=torch.float64)
    return OrderedDict([
        ("float32", torch.randn(3, 4)),
        ("float16", torch.randn(5).half()),
        ("bfloat16", torch.randn(2, 3).bfloat16()),
        ("float64", torch.randn(4, dtype=torch.float64)),
        ("int64", torch.tensor([[0, -1, 2**62], [7, -(2**63), 2**63 - 1]])),
        ("scalar", torch.tensor(2.5)),
        ("empty", torch.zeros(0, 3)),
        ("shared", shared),
        ("shared.head", shared[:8].view(2, 4)),
        ("shared.tail", shared[20:]),
        ("shared.every_third", shared[1::3]),
        ("transposed", table.t()),
        ("block", table[1:4, 2:4]),
        ("permuted", torch.randn(2, 3, 4).permute(2, 0, 1)),
        ("expanded", torch.tensor([[1.0], [2.0]]).expand(2, 3)),
        ("parameter", torch.nn.Parameter(torch.randn(2, 2))),
        ("frozen", torch.nn.Parameter(torch.randn(3), requires_grad=False)),
        ("naïve 名前", torch.ones(1)),
    ])


def save_values(tensors, path):
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, path)


def main():
    (OUT / "sharded").mkdir(parents=True, exist_ok=True)
    tensors = layouts()
    torch.save(tensors, OUT / "layouts.bin")
    torch.save(tensors, OUT / "plain.bin", _use_new_zipfile_serialization=False)
    save_values(tensors, OUT / "layouts.safetensors")

    torch.manual_seed(2)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
    state = module.state_dict()
    torch.save(state, OUT / "module.bin")
    save_values(state, OUT / "module.safetensors")
    names, weight_map = list(state), {}
    for number, part in enumerate((names[:3], names[3:]), start=1):
        file = f"pytorch_model-{number:05d}-of-00002.bin"
        torch.save({name: state[name] for name in part}, OUT / "sharded" / file)
        weight_map.update(dict.fromkeys(part, file))
    (OUT / "sharded/pytorch_model.bin.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map}, indent=2) + "\n")

    tiny = load_file(DATA / "tiny_model/model.safetensors")
    torch.save({name: tensor.half() for name, tensor in tiny.items()}, OUT / "tiny_float16.bin")
    for file in OUT.rglob("*.*"):
        file.chmod(0o644)


if __name__ == "__main__":
    main()
