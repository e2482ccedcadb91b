"""Writes tests/data/golden: what Hugging Face's classes compute in float64 on small random weights.

    pip install -r requirements.txt
    python make_goldens.py

One .safetensors a case: `weights.*` under Hugging Face's names, `inputs.*`, `outputs.*` (float64 results rounded
to float32; losses as float64). Metadata: kind (which part), config (its JSON), atol and rtol for a float32
implementation, and the versions. A layer's weights are those of the layer alone. A model's are float16, all of it,
in `model-<name>`; its cases lie beside them in `model-<name>-<head>[-<variation>]`. What words attend to in the picture,
which no class returns, is in `cross_attentions-<name>`, and of the demo model in `cross_attentions-demo`.
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file
from PIL import Image
from transformers import (BridgeTowerForContrastiveLearning, BridgeTowerForImageAndTextRetrieval,
                          BridgeTowerForMaskedLM, BridgeTowerModel, BridgeTowerProcessor)
from transformers.activations import ACT2FN
from transformers.models.bridgetower import modeling_bridgetower as hf

from tiny_model import make_weights, random_weight, tiny_config

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests/data/golden"
ATOL = RTOL = 2e-5
HEADS = {"base": BridgeTowerModel, "itm": BridgeTowerForImageAndTextRetrieval, "mlm": BridgeTowerForMaskedLM,
         "itc": BridgeTowerForContrastiveLearning}
MASKED = torch.finfo(torch.float64).min


def without_path(config):
    """The configuration as JSON, without the place that it was read from."""
    return json.dumps({**json.loads(config.to_json_string(use_diff=False)), "_name_or_path": ""}, indent=2, sort_keys=True)


def noise(name, *shape, scale=1.0):
    """Inputs that float32 holds exactly."""
    return scale * random_weight(f"input/{name}", shape, 2) if shape else None


def save(name, kind, config, weights, inputs, outputs, dtype=torch.float32, facts=()):
    tensors = {f"weights.{key}": value.to(dtype).contiguous() for key, value in weights.items()}
    tensors |= {f"inputs.{key}": value.contiguous() for key, value in inputs.items()}
    for key, value in outputs.items():
        tensors[f"outputs.{key}"] = value.to(torch.float64 if value.ndim == 0 else torch.float32).contiguous()
    save_file({key: value.clone() for key, value in tensors.items()}, OUT / f"{name}.safetensors", {
        "kind": kind, "config": without_path(config), "atol": str(ATOL), "rtol": str(RTOL),
        "transformers": version("transformers"), "torch": torch.__version__, **dict(facts)})
    (OUT / f"{name}.safetensors").chmod(0o644)


def with_weights(module, name):
    """The module in float64 with reproducible weights, and those weights."""
    weights = {key: random_weight(f"{name}/{key}", tuple(value.shape), 3) for key, value in module.state_dict().items()
               if value.is_floating_point()}
    module.load_state_dict(weights, strict=False)
    return module.double().eval(), weights


def layer_goldens():
    config = tiny_config()
    text, vision = config.text_config, config.vision_config
    config._attn_implementation = text._attn_implementation = vision._attn_implementation = "eager"
    states, other = noise("states", 1, 6, 64), noise("other", 1, 10, 64)
    mask = torch.tensor([1, 1, 0, 1, 1, 0])
    additive = ((1 - mask.double()) * MASKED)[None, None, None]

    module, weights = with_weights(hf.BridgeTowerTextEmbeddings(text), "text_embeddings")
    ids = torch.tensor([[0, 7, 1, 9, 300, 1, 2]])
    save("text_embeddings", "text_embeddings", config, weights, {"input_ids": ids}, {"states": module(ids)})

    module, weights = with_weights(hf.BridgeTowerTextLayer(text), "text_layer")
    for name, value in (("all", None), ("masked", additive)):
        result = module(states.double(), value)
        save(f"text_layer_{name}", "text_layer", config, weights,
             {"states": states, **({} if value is None else {"mask": mask})},
             {"states": result[0] if isinstance(result, tuple) else result})

    module, weights = with_weights(hf.BridgeTowerBertCrossLayer(text), "cross_layer")
    result = module(other.double(), states.double(), None, additive)
    save("cross_layer", "cross_layer", config, weights, {"states": other, "other": states, "mask": mask},
         {"states": result[0]})

    module, weights = with_weights(hf.BridgeTowerVisionEmbeddings(vision), "vision_embeddings")
    for name, height, width in (("same", 48, 48), ("tall", 80, 35), ("small", 16, 16)):
        pixels = noise(f"pixels-{name}", 1, 3, height, width)
        save(f"vision_embeddings_{name}", "vision_embeddings", config, weights, {"pixel_values": pixels},
             {"states": module(pixels.double(), interpolate_pos_encoding=name != "same")})

    module, weights = with_weights(hf.BridgeTowerResidualAttention(vision), "vision_block")
    save("vision_block", "vision_block", config, weights, {"states": other},
         {"states": module(other.double().permute(1, 0, 2)).permute(1, 0, 2)})

    for kind in ("add", "scaled_add", "interpolate"):
        linked = tiny_config(link_tower_type=kind)
        module, weights = with_weights(hf.BridgeTowerLinkTower(linked), f"link_{kind}")
        save(f"link_tower_{kind}", "link_tower", linked, weights, {"states": states, "other": noise("o", 1, 6, 64)},
             {"states": module(states.double(), noise("o", 1, 6, 64).double(), None)})

    module, weights = with_weights(hf.BridgeTowerPooler(config), "pooler")
    save("pooler", "pooler", config, weights, {"states": states}, {"states": module(states.double())})

    for act in ("gelu", "gelu_new", "tanh"):
        named = tiny_config(hidden_act=act, text={"vocab_size": 50})
        module, weights = with_weights(hf.BridgeTowerMLMHead(named), f"mlm_{act}")
        save(f"mlm_head_{act}", "mlm_head", named, weights, {"states": states}, {"states": module(states.double())})


def activation_golden():
    """Every name of ACT2FN that is supported, over a range of values."""
    values = torch.linspace(-9, 9, 721)
    names = ["gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "silu", "swish", "tanh",
             "sigmoid", "linear"]
    save("activations", "activations", tiny_config(), {}, {"values": values},
         {name: ACT2FN[name](values.double()) for name in names})


SMALL = {"text": {"vocab_size": 60}, "vision": {"patch_size": 16, "image_size": 32}}
MODELS = {
    "plain": {},
    "scaled-add-eps-tied": {
        "link_tower_type": "scaled_add", "layer_norm_eps": 0.2, "tie_word_embeddings": True, "hidden_act": "quick_gelu",
        "text": {"layer_norm_eps": 0.05, "hidden_act": "relu"}, "vision": {"layer_norm_eps": 0.1}},
    "interpolate-unshared-k0": {"link_tower_type": "interpolate", "share_cross_modal_transformer_layers": False,
                                "num_hidden_layers": 3},
    "n1": {"num_hidden_layers": 1, "vision": {"remove_last_layer": True}},
    "odd": {"hidden_size": 36, "text": {"num_attention_heads": 3, "vocab_size": 41, "pad_token_id": 0,
                                        "bos_token_id": 1, "type_vocab_size": 2},
            "vision": {"hidden_size": 96, "num_channels": 1, "image_size": 37}},
}


def model_config(options):
    merged = {**options, **{key: {**SMALL[key], **options.get(key, {})} for key in SMALL}}
    return tiny_config(**merged)


def model_inputs(config):
    pad, size = config.text_config.pad_token_id, config.vision_config.image_size
    ids = torch.tensor([[0, 8, 9, 10, 11, 2], [0, 12, 13, 2, pad, pad]])
    pixels = noise("pixels", 2, config.vision_config.num_channels, size, size)
    return {"input_ids": ids, "attention_mask": torch.tensor([[1] * 6, [1] * 4 + [0] * 2]), "pixel_values": pixels}


def head_options(head):
    labels = torch.tensor([1, 0]) if head == "itm" else torch.tensor([[-100, 5, -100, 7, 9, -100]] * 2)
    return {"base": {}, "itm": {"labels": labels}, "mlm": {"labels": labels}, "itc": {"return_loss": torch.tensor(1)}}[head]


def base_variations(config):
    """What the plain case leaves out of forward's arguments; those that HF ignores come together."""
    usual, size = model_inputs(config), config.vision_config.image_size
    shape = tuple(usual["input_ids"].shape)
    yield "masked", {**usual, "attention_mask": torch.tensor([[1, 0, 1, 1, 0, 1], [0] * 6])}
    yield "interpolated", {
        **usual, "pixel_values": noise("other-pixels", 2, config.vision_config.num_channels, size + 19, size - 3),
        "interpolate_pos_encoding": torch.tensor(1), "image_token_type_idx": torch.tensor(0),
        "token_type_ids": torch.ones(shape, dtype=torch.long), "labels": torch.tensor([1, 0]),
        "pixel_mask": torch.zeros((2, size + 19, size - 3), dtype=torch.long),
        "inputs_embeds": noise("embeds", *shape, config.text_config.hidden_size)}
    del usual["pixel_values"]
    yield "embeds", {**usual, "image_embeds": noise("image-embeds", 2, 7, config.vision_config.hidden_size)}


def flat_outputs(result, states):
    flat = {key: value for key, value in result.items() if torch.is_tensor(value)}
    if states:
        text, image, cross = result.hidden_states
        flat |= {f"hidden_states.text.{i}": value for i, value in enumerate(text)}
        flat |= {f"hidden_states.image.{i}": value for i, value in enumerate(image)}
        for i, pair in enumerate(cross):
            flat |= {f"hidden_states.cross.{i}.text": pair[0], f"hidden_states.cross.{i}.image": pair[1]}
        for i, pair in enumerate(result.attentions):
            flat |= {f"attentions.{i}.text": pair[0], f"attentions.{i}.image": pair[1]}
    return flat


def with_checkpoint(model, weights, head):
    own = {key.removeprefix("bridgetower.") if head == "base" else key: value for key, value in weights.items()}
    missing = model.load_state_dict(own, strict=False).missing_keys
    assert not [key for key in missing if "decoder" not in key], missing
    model.tie_weights()
    return model.double().eval()


def run(model, inputs):
    arguments = {key: value.item() if value.ndim == 0 else value.double() if value.is_floating_point() else value
                 for key, value in inputs.items()}
    with torch.inference_mode():
        return model(**arguments, output_hidden_states=True, output_attentions=True)


def model_goldens():
    """All weights, float16, once a model; each head's inputs and outputs in a file beside it."""
    for name, options in MODELS.items():
        config = model_config(options)
        weights = {key: value.half().float() for key, value in make_weights(config, seed=4).items()}
        save(f"model-{name}", "weights", config, weights, {}, {}, torch.float16)
        for head, cls in HEADS.items():
            if head == "itc" and name in ("interpolate-unshared-k0", "odd"):
                continue  # Hugging Face cannot run these
            model = with_checkpoint(cls(config), weights, head)
            cases = [("", {**model_inputs(config), **head_options(head)})]
            if name == "plain" and head == "base":
                cases += [(f"-{variation}", inputs) for variation, inputs in base_variations(config)]
            for suffix, inputs in cases:
                save(f"model-{name}-{head}{suffix}", head, config, {}, inputs,
                     flat_outputs(run(model, inputs), head == "base"))


def cross_attentions(model, inputs):
    """[B, H, L, P] of every cross-modal text layer, taken from its module: the model returns self-attentions only."""
    taken = []
    layers = model.cross_modal_text_layers
    hooks = [layer.crossattention.register_forward_hook(lambda module, args, result: taken.append(result[1]))
             for layer in layers]
    run(model, inputs)
    for hook in hooks:
        hook.remove()
    assert len(taken) == len(layers)
    return {f"cross_attentions.{i}": value for i, value in enumerate(taken)}


def cross_attention_goldens():
    for name in ("plain", "interpolate-unshared-k0", "n1"):
        config = model_config(MODELS[name])
        config._attn_implementation = "eager"
        weights = {key: value.half().float() for key, value in make_weights(config, seed=4).items()}
        model = with_checkpoint(BridgeTowerModel(config), weights, "base")
        inputs = model_inputs(config)
        save(f"cross_attentions-{name}", "cross_attentions", config, {}, inputs, cross_attentions(model, inputs))

    demo, picture = ROOT / "models/demo", "red-car-right-of-house.png"
    text = "the red car is right of a <mask>, and it's  big"
    processor = BridgeTowerProcessor.from_pretrained(demo, backend="pil")
    model = BridgeTowerModel.from_pretrained(demo, attn_implementation="eager", dtype=torch.float64).eval()
    encoded = processor(Image.open(ROOT / "examples/pictures" / picture), text, return_tensors="pt")
    encoded = {key: encoded[key] for key in ("input_ids", "attention_mask", "pixel_values")}
    save("cross_attentions-demo", "cross_attentions", model.config, {}, {"input_ids": encoded["input_ids"]},
         cross_attentions(model, encoded), facts={"picture": picture, "text": text})


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.safetensors"):
        old.unlink()
    with torch.inference_mode():
        layer_goldens()
        activation_golden()
    model_goldens()
    cross_attention_goldens()


if __name__ == "__main__":
    main()
