"""Writes tests/data/config_defaults.json: the defaults of Hugging Face's configuration classes.

    pip install -r requirements.txt
    python make_config_defaults.py

Only the fields that a class itself declares; what all configurations share is left out.
"""

import dataclasses
import json
from pathlib import Path

from transformers import BridgeTowerImageProcessor, PreTrainedConfig
from transformers.models.bridgetower.configuration_bridgetower import (
    BridgeTowerConfig, BridgeTowerTextConfig, BridgeTowerVisionConfig)

OUT = Path(__file__).resolve().parent.parent / "tests/data/config_defaults.json"
CLASSES = {"config": BridgeTowerConfig, "text_config": BridgeTowerTextConfig, "vision_config": BridgeTowerVisionConfig}
IMAGE_KEYS = ("do_resize", "size", "size_divisor", "resample", "do_center_crop", "crop_size", "do_rescale",
              "rescale_factor", "do_normalize", "image_mean", "image_std", "do_pad")


def own_defaults(config_class):
    shared = {field.name for field in dataclasses.fields(PreTrainedConfig)}
    return {field.name: field.default for field in dataclasses.fields(config_class) if field.name not in shared}


defaults = {name: own_defaults(config_class) for name, config_class in CLASSES.items()}
saved = json.loads(BridgeTowerImageProcessor().to_json_string())
defaults["image_processor"] = {key: saved[key] for key in IMAGE_KEYS}
OUT.write_text(json.dumps(defaults, indent=2) + "\n")
