"""A BridgeTower of about 400,000 parameters with a tokenizer of its own: configuration, weights, tokenizer."""

import json
import math
import zlib

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (BridgeTowerConfig, BridgeTowerForContrastiveLearning,
                          BridgeTowerForImageAndTextRetrieval, BridgeTowerForMaskedLM)

HEADS = (BridgeTowerForMaskedLM, BridgeTowerForImageAndTextRetrieval, BridgeTowerForContrastiveLearning)

SENTENCES = [
    "a cat is looking out of the window",
    "two dogs are running in the snow",
    "the red car stands in front of a house",
    "a child holds a small white cup",
    "three birds sit on a branch above the lake",
    "it's raining, and nobody has an umbrella",
    "the man who doesn't like 12 apples eats 34 pears",
    "a blue boat lies left of a big green tree",
    "is there a picture of the sea behind the chair?",
    "night falls on the city; all the lamps are lit!",
]


def tiny_config(text=(), vision=(), **top):
    """The arguments override single keys."""
    hidden = top.get("hidden_size", 64)
    return BridgeTowerConfig(**{
        "hidden_size": hidden, "num_hidden_layers": 2, "contrastive_hidden_size": 16,
        "logit_scale_init_value": 2.6592, **top,
        "text_config": {"vocab_size": 320, "hidden_size": hidden, "num_hidden_layers": 2, "num_attention_heads": 4,
                        "intermediate_size": 48, "max_position_embeddings": 40, **dict(text)},
        "vision_config": {"hidden_size": 64, "num_hidden_layers": 2, "patch_size": 16, "image_size": 48,
                          **dict(vision)},
    })


def weight_shapes(config):
    """Names and shapes of all heads together."""
    shapes = {}
    with torch.device("meta"):
        for head in HEADS:
            shapes.update({name: tuple(t.shape) for name, t in head(config).state_dict().items()})
    if config.tie_word_embeddings:
        del shapes["mlm_score.decoder.weight"]
    return shapes


def random_weight(name, shape, seed):
    """Reproducible from the name. Large enough that attention is sharp and no layer is nearly linear."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
    noise = torch.randn(shape, generator=generator)
    if not shape:
        return 0.5 + 0.2 * noise
    if len(shape) == 1:
        scale = name.endswith("weight")
        return 1 + 0.2 * noise if scale else 0.3 * noise
    if "embedding" in name and "patch" not in name:
        return 0.6 * noise
    gain = 1.6 if any(part in name for part in ("query", "key", "in_proj")) else 1.0
    return gain * noise / math.sqrt(math.prod(shape[1:]))


def make_weights(config, seed):
    return {name: random_weight(name, shape, seed) for name, shape in weight_shapes(config).items()}


def train_tokenizer(vocab_size=320):
    """Byte-level BPE on SENTENCES, its ids laid out as RoBERTa's: specials first, <mask> last."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trained.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=vocab_size - 5, initial_alphabet=alphabet, show_progress=False))
    state = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in state["merges"]]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(state["vocab"], key=state["vocab"].get), "<mask>"]
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, normalized=False)])
    return tokenizer, vocab, merges
