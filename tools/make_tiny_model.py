"""Writes tests/data/tiny_model: a model directory as Hugging Face saves it, all heads, random weights.

    pip install -r requirements.txt
    python make_tiny_model.py
"""

import json
from pathlib import Path

from safetensors.torch import save_file
from transformers import BridgeTowerImageProcessorPil

from tiny_model import make_weights, tiny_config, train_tokenizer

OUT = Path(__file__).resolve().parent.parent / "tests/data/tiny_model"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    config = tiny_config()
    config.architectures = ["BridgeTowerForContrastiveLearning"]
    config.save_pretrained(OUT)
    save_file(make_weights(config, seed=1), OUT / "model.safetensors", {"format": "pt"})
    BridgeTowerImageProcessorPil(size={"shortest_edge": 48}, crop_size={"shortest_edge": 48},
                                 size_divisor=16).save_pretrained(OUT)
    tokenizer, vocab, merges = train_tokenizer()
    tokenizer.save(str(OUT / "tokenizer.json"))
    (OUT / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    (OUT / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    (OUT / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 38, "tokenizer_class": "RobertaTokenizer"}) + "\n")
    for file in OUT.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    main()
