"""Writes tests/data/images: one file for every kind of picture a decoder meets, and what Pillow and Hugging
Face's image processor make of each.

    pip install -r requirements.txt
    python make_images.py

images.safetensors holds `pixels.<file>` [height, width, 3], the upright RGB picture, and
`processed.<case>` [B, 3, height, width] and `mask.<case>` with the case's files and settings in the metadata.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file
from transformers import BridgeTowerImageProcessorPil
from transformers.image_transforms import convert_to_rgb

OUT = Path(__file__).resolve().parent.parent / "tests/data/images"
SMALL = {"size": {"shortest_edge": 32}, "crop_size": {"shortest_edge": 32}, "size_divisor": 4}


def picture(height, width, channels, seed=0):
    """Smooth waves with a bright disc and some noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = [127 + 90 * np.sin(7 * x + 3 * c) * np.cos(5 * y - c) for c in range(channels)]
    image = np.stack(planes, -1) + random.normal(0, 12, (height, width, channels))
    image[(x - 0.4) ** 2 + (y - 0.4) ** 2 < 0.04] += 70
    return np.clip(image, 0, 255).astype(np.uint8)


def write_png(path, values, depth, color, extra=(), interlace=0):
    """A PNG that Pillow cannot write: rows of ready-packed bytes, any chunks besides."""
    height, width = values.shape[:2]
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    if depth == 16:
        rows = [b"\0" + row.astype(">u2").tobytes() for row in values]
    elif depth == 8:
        rows = [b"\0" + row.astype(np.uint8).tobytes() for row in values]
    else:
        bits = [np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth:].ravel() for row in values]
        rows = [b"\0" + np.packbits(row).tobytes() for row in bits]
    assert channels == (values.shape[2] if values.ndim == 3 else 1)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(k, d) for k, d in extra)
                     + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))


def write_files():
    rgb = Image.fromarray(picture(40, 56, 3))
    rgb.save(OUT / "rgb.png")
    Image.fromarray(picture(90, 20, 3, 1)).save(OUT / "tall.png")
    Image.fromarray(picture(12, 60, 3, 2)).save(OUT / "wide.png")
    rgba = picture(24, 30, 4, 3)
    rgba[:8, :, 3], rgba[8:12, :, 3] = 0, 255
    Image.fromarray(rgba).save(OUT / "rgba.png")
    Image.fromarray(picture(20, 26, 2, 4), "LA").save(OUT / "grey-alpha.png")
    Image.fromarray(picture(20, 26, 1, 5)[..., 0]).save(OUT / "grey.png")
    rgb.quantize(17).save(OUT / "palette.png")
    rgb.quantize(6).save(OUT / "palette-transparent.png", transparency=2)
    random = np.random.default_rng(6)
    write_png(OUT / "grey-1bit.png", random.integers(0, 2, (9, 13)), 1, 0)
    write_png(OUT / "grey-2bit.png", random.integers(0, 4, (9, 13)), 2, 0)
    write_png(OUT / "grey-4bit.png", random.integers(0, 16, (9, 13)), 4, 0)
    write_png(OUT / "grey-16bit.png", random.integers(0, 700, (14, 15)), 16, 0)
    write_png(OUT / "rgb-16bit.png", random.integers(0, 65536, (14, 15, 3)), 16, 2)
    write_png(OUT / "rgba-16bit.png", random.integers(0, 65536, (14, 15, 4)), 16, 6)
    grey = picture(9, 13, 1, 7)[..., 0] // 64
    write_png(OUT / "grey-transparent.png", grey, 8, 0, [(b"tRNS", struct.pack(">H", 1))])
    colors = picture(9, 13, 3, 8) // 128
    write_png(OUT / "rgb-transparent.png", colors, 8, 2, [(b"tRNS", struct.pack(">HHH", 0, 1, 1))])
    rgb.save(OUT / "rgb.jpg", quality=85)
    rgb.save(OUT / "rgb-progressive-444.jpg", quality=90, progressive=True, subsampling=0)
    Image.fromarray(picture(20, 26, 1, 5)[..., 0]).save(OUT / "grey.jpg", quality=90)
    rgb.convert("CMYK").save(OUT / "cmyk.jpg", quality=90)
    # The last byte of Adobe's marker says how the colours are stored: 2 is YCCK, which Pillow cannot write.
    cmyk = bytearray((OUT / "cmyk.jpg").read_bytes())
    cmyk[cmyk.index(b"Adobe") + 11] = 2
    (OUT / "ycck.jpg").write_bytes(cmyk)
    odd = Image.fromarray(picture(37, 51, 3, 10))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        odd.save(OUT / f"odd-{subsampling.replace(':', '')}.jpg", quality=75, subsampling=subsampling)
    odd.save(OUT / "odd-progressive.jpg", quality=60, progressive=True, restart_marker_blocks=2)
    odd.save(OUT / "rgb-stored.jpg", quality=90, keep_rgb=True)
    Image.fromarray(picture(1, 1, 3, 11)).save(OUT / "one-pixel.jpg")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(picture(10, 16, 3, 9)).save(OUT / f"exif-{orientation}.png", exif=exif)
        if orientation in (3, 6):
            rgb.save(OUT / f"exif-{orientation}.jpg", quality=90, exif=exif)


def cases():
    yield "small", ["rgb.png"], SMALL
    yield "tall", ["tall.png"], SMALL
    for code in range(6):
        yield f"filter-{code}", ["rgb.png"], {**SMALL, "resample": code}
        yield f"filter-{code}-tall", ["tall.png"], {**SMALL, "resample": code, "size_divisor": 1}
    yield "batch", ["rgb.png", "tall.png", "rgba.png"], {**SMALL, "do_center_crop": False}
    yield "crop-larger", ["rgb.png"], {**SMALL, "crop_size": {"shortest_edge": 45}}
    yield "crop-smaller", ["rgb.png"], {**SMALL, "crop_size": {"shortest_edge": 21}}
    yield "no-resize", ["rgb.png"], {**SMALL, "do_resize": False}
    yield "no-rescale", ["rgb.png"], {**SMALL, "do_rescale": False}
    yield "no-normalize", ["rgb.png"], {**SMALL, "do_normalize": False}
    yield "bytes", ["rgb.png"], {**SMALL, "do_rescale": False, "do_normalize": False}
    yield "mean-std", ["rgb.png"], {**SMALL, "image_mean": [0.1, 0.5, 0.9], "image_std": 0.25}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_files()
    tensors, metadata = {}, {}
    for path in sorted([*OUT.glob("*.png"), *OUT.glob("*.jpg")]):
        upright = ImageOps.exif_transpose(Image.open(path))
        tensors[f"pixels.{path.name}"] = np.ascontiguousarray(np.asarray(convert_to_rgb(upright)))
    for name, files, settings in cases():
        images = [Image.open(OUT / file) for file in files]
        result = BridgeTowerImageProcessorPil(**settings)(images, do_convert_rgb=True, return_tensors="np")
        tensors[f"processed.{name}"] = np.ascontiguousarray(result["pixel_values"])
        tensors[f"mask.{name}"] = np.ascontiguousarray(result["pixel_mask"]).astype(np.uint8)
        metadata[name] = json.dumps({"files": files, "settings": settings})
    save_file(tensors, OUT / "images.safetensors", metadata)
    for file in OUT.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    main()
