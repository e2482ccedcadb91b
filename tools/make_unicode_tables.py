"""Writes src/preprocessing/text/unicode_ranges.inc: letters, numbers and white space of Unicode 16.0.

    pip install unicodedata2==16.0.0
    python tools/make_unicode_tables.py
"""

from pathlib import Path

import unicodedata2

OUT = Path(__file__).resolve().parent.parent / "src/preprocessing/text/unicode_ranges.inc"
CLASSES = {"L": "kLetter", "N": "kNumber"}
CONTROL_SPACE = {*range(0x09, 0x0E), 0x85}  # White_Space beside the separators Zs, Zl, Zp


def char_class(code_point):
    category = unicodedata2.category(chr(code_point))
    if category.startswith("Z") or code_point in CONTROL_SPACE:
        return "kSpace"
    return CLASSES.get(category[0])


def main():
    assert unicodedata2.unidata_version == "16.0.0"
    ranges = []
    for code_point in range(0x110000):
        kind = char_class(code_point)
        if kind is None:
            continue
        if ranges and ranges[-1][2] == kind and ranges[-1][1] == code_point - 1:
            ranges[-1][1] = code_point
        else:
            ranges.append([code_point, code_point, kind])
    lines = ["// Made by tools/make_unicode_tables.py from Unicode 16.0: first, last, class.", "// clang-format off"]
    lines += [f"{{0x{first:04X}, 0x{last:04X}, CharClass::{kind}}}," for first, last, kind in ranges]
    OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
