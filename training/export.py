"""Writes the model directory from a training run: python export.py --run RUN [--out ../models/demo]

The averaged weights in float16, the configurations, the tokenizer, and one golden a head: what Hugging Face's classes compute in
float64 from the stored weights for two of the example pictures.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import (BridgeTowerForContrastiveLearning, BridgeTowerForImageAndTextRetrieval,
                          BridgeTowerForMaskedLM, BridgeTowerImageProcessorPil, BridgeTowerModel, BridgeTowerProcessor,
                          RobertaTokenizer)

from network import make_config
from pictures import SEEN

ROOT = Path(__file__).resolve().parent.parent
CLASSES = {"base": BridgeTowerModel, "itm": BridgeTowerForImageAndTextRetrieval, "mlm": BridgeTowerForMaskedLM,
           "itc": BridgeTowerForContrastiveLearning}
GOLDEN_PICTURES = ("red-boat-sea.png", "two-yellow-stars-night.png")
GOLDEN_TEXTS = ("a red boat on the water", "two small yellow <mask> are in the dark")
ATOL = RTOL = 2e-5


def write_weights(state, out):
    weights = {}
    for name, value in state.items():
        if "text_model.pooler" in name:  # part of the class, used by nothing
            value = torch.zeros_like(value)
        weights[name] = value.to(torch.float16).contiguous()
    save_file(weights, out / "model.safetensors", {"format": "pt"})


def write_configuration(tokenizer, out):
    config = make_config(tokenizer.get_vocab_size())
    config.architectures = ["BridgeTowerForContrastiveLearning"]
    config.dtype = "float16"
    config.save_pretrained(out)
    BridgeTowerImageProcessorPil(size={"shortest_edge": SEEN}, crop_size={"shortest_edge": SEEN},
                                 size_divisor=32).save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps(
        {"model_max_length": config.text_config.max_position_embeddings - 2, "tokenizer_class": "RobertaTokenizer"},
        indent=2) + "\n")


def load_processor(model):
    """Hugging Face's processor with the image processor that works in Pillow."""
    return BridgeTowerProcessor(BridgeTowerImageProcessorPil.from_pretrained(model),
                                RobertaTokenizer.from_pretrained(model))


def load_class(head, model):
    """The class in float64 with the stored weights."""
    return CLASSES[head].from_pretrained(model, dtype=torch.float64).eval()


def read_pictures(names):
    return [Image.open(ROOT / "examples/pictures" / name).convert("RGB") for name in names]


@torch.no_grad()
def write_golden(head, model):
    inputs = dict(load_processor(model)(read_pictures(GOLDEN_PICTURES), list(GOLDEN_TEXTS), padding=True,
                                        return_tensors="pt"))
    inputs.pop("pixel_mask", None)
    if head == "itm":
        inputs["labels"] = torch.tensor([1, 0])
    if head == "mlm":
        inputs["labels"] = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    arguments = {key: value.double() if value.is_floating_point() else value for key, value in inputs.items()}
    if head == "itc":
        inputs["return_loss"] = torch.tensor(1)
        arguments["return_loss"] = True
    result = load_class(head, model)(**arguments)
    names = {"base": ("text_features", "image_features", "pooler_output"), "itm": ("logits", "loss"),
             "mlm": ("logits", "loss"), "itc": ("logits", "text_embeds", "image_embeds", "cross_embeds", "loss")}[head]
    tensors = {f"inputs.{key}": value.contiguous() for key, value in inputs.items()}
    for name in names:
        value = result[name]
        tensors[f"outputs.{name}"] = value if value.ndim == 0 else value.float().contiguous()
    save_file({key: value.clone() for key, value in tensors.items()}, model / f"golden-{head}.safetensors", {
        "class": CLASSES[head].__name__, "head": head, "model": "demo", "options": "", "atol": str(ATOL),
        "rtol": str(RTOL), "kwargs": json.dumps({"return_loss": 1} if head == "itc" else {}),
        "transformers": version("transformers"), "torch": torch.__version__})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "models/demo")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write_weights(torch.load(options.run / "state.pt")["average"], options.out)
    write_configuration(Tokenizer.from_file(str(options.run / "tokenizer.json")), options.out)
    for head in CLASSES:
        write_golden(head, options.out)
    for file in options.out.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    main()
