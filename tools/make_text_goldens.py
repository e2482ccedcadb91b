"""Writes tests/data/text/tiny_model.jsonl: what Hugging Face's engine makes of texts with tiny_model's tokenizer.

    pip install tokenizers==0.22.2    # 0.23 loses what truncation cuts off (huggingface/tokenizers, issue 2091)
    python make_text_goldens.py

A row is one batch: {"flags", "options", "texts": [[text, pair or null], …], "encodings" or "error"}, or
{"ids", "decoded", "decoded_skip_special"}.
"""

import itertools
import json
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer

DATA = Path(__file__).resolve().parent.parent / "tests/data"

SINGLE = [
    # white space
    "", " ", "   ", "a", " a", "a ", "a cat", "a  cat", "a   cat", "   a cat   ", "a\tb", "a \tb", "a\t b", "a\n b", "a \nb", "a\r\nb",
    "a\n\n", "\n\na", "a\x0b\x0cb", "a\u00a0b", "a\u00a0\u00a0b", "a \u00a0b", "a\u0085b", "a\u2028b\u2029c", "10\u202f000", "你\u3000好",
    "a \u180eb", "a\u200bb", "a\u200c\u200db", "\ufeffa", "co\u00adop", "a\x1c\x1d\x1e\x1fb", "a\0b", "\x01\x02\x7f\x80\x9f",
    # contractions, numbers, signs
    "it's raining, and nobody has an umbrella", "I'm you're he's we've they'll I'd don't", "I'M YOU'RE HE'S", "'s 's' ''s", "x 's", "don\u2019t",
    "12 apples, 3.14 % of 34", "²½Ⅷ①", "a_b-c/d\\e", "C:\\dir\\n \"\\u0120\"", "!!! ??", "foo@bar.com",
    # scripts
    "Straße naïve café", "cafe\u0301", "Кошка смотрит в окно", "η γάτα", "القطة تنظر", "חתול", "बिल्ली", "แมว", "猫が窓の外を見る", "고양이", "각",
    "𝒜𝔅 𐐀 𞤀", "😀", "👨‍👩‍👧 🇩🇪", "a😀b", "\U0010ffff\ue000", "\u1c89 \ua7cb \U00010d4a \U00010d40",
    # added tokens
    "a <mask> looking out of the window", "a<mask>b", "a \t\n<mask> b", "\u3000\u00a0<mask>", "a\u200b <mask>", "<mask> <mask>  <mask>",
    "<s>", "a <s> b", "x  </s>", "<pad><unk>", "<mask", "< mask>", "<MASK>", "<s><mask> </s> a", "<<mask>>", "a <mask><s>",
    # long
    "looking " * 10, "abcdefghij" * 10, " " * 40, "a" + " " * 20 + "b", "😀" * 10, "\n" * 20 + "x",
]
WORDS = "a the cat is in"
LONG = "the dogs of the sea are in the snow"
PAIRS = [("a cat", "two dogs"), ("", ""), ("a cat", ""), ("", "a"), ("a <mask>", " <mask> b"), (" a", " b")]
IDS = [[], [0, 2], [319], [0, 68, 319, 268, 2], [162, 252, 255], [172], [1, 1, 0], [320, 5000, 68], [3, 68, 3], [224, 224], [2, 319, 0, 69]]


def tokenizer_with(flags):
    state = json.loads((DATA / "tiny_model/tokenizer.json").read_text(encoding="utf-8"))
    state["pre_tokenizer"]["add_prefix_space"] = flags.get("add_prefix_space", False)
    state["post_processor"]["add_prefix_space"] = flags.get("add_prefix_space", False)
    state["post_processor"]["trim_offsets"] = flags.get("trim_offsets", True)
    return Tokenizer.from_str(json.dumps(state))


def fields(encoding, names):
    values = {"ids": encoding.ids, "tokens": encoding.tokens, "offsets": encoding.offsets, "mask": encoding.attention_mask,
              "special": encoding.special_tokens_mask, "words": encoding.word_ids, "sequences": encoding.sequence_ids}
    return {name: values[name] for name in names}


def with_overflow(encoding, names):
    """The engine lists the parts once more inside of each part; nobody reads these."""
    parts = [fields(part, names) for part in encoding.overflowing]
    return {**fields(encoding, names), **({"overflowing": parts} if parts else {})}


def encoded(texts, options=(), flags=(), names=("ids", "offsets")):
    """texts: strings or pairs."""
    options, flags = dict(options), dict(flags)
    texts = [(text, None) if isinstance(text, str) else text for text in texts]
    tokenizer = tokenizer_with(flags)
    tokenizer.encode_special_tokens = options.get("split_special_tokens", False)
    row = {"flags": flags, "options": options, "texts": texts}
    try:
        if "truncation" in options:
            tokenizer.enable_truncation(options["max_length"], stride=options.get("stride", 0),
                                        strategy=options["truncation"], direction=options.get("truncation_side", "right"))
        if "padding" in options:
            tokenizer.enable_padding(direction=options.get("padding_side", "right"), pad_id=1, pad_token="<pad>",
                                     pad_to_multiple_of=options.get("pad_to_multiple_of"),
                                     length=options["max_length"] if options["padding"] == "max_length" else None)
        batch = tokenizer.encode_batch([a if b is None else (a, b) for a, b in texts],
                                       add_special_tokens=options.get("add_special_tokens", True))
    except BaseException as error:  # the engine's panics are no Exception
        return {**row, "error": str(error)}
    return {**row, "encodings": [with_overflow(encoding, names) for encoding in batch]}


def rows():
    everything = ("ids", "tokens", "offsets", "mask", "special", "words", "sequences")
    yield encoded(SINGLE, names=("ids", "tokens", "offsets", "special", "words"))
    yield encoded(SINGLE, flags={"trim_offsets": False})
    yield encoded(SINGLE, flags={"add_prefix_space": True})
    yield encoded(SINGLE, {"add_special_tokens": False}, {"add_prefix_space": True, "trim_offsets": False})
    yield encoded(SINGLE[-28:], {"split_special_tokens": True})
    yield encoded(PAIRS, names=everything)
    yield encoded(PAIRS, {"add_special_tokens": False})
    yield encoded(PAIRS, flags={"add_prefix_space": True})
    for strategy, side, stride in itertools.product(["longest_first", "only_first", "only_second"], ["right", "left"], [0, 2]):
        for texts in [[LONG], [(WORDS, LONG)], [(LONG, WORDS)], [(LONG, LONG)], [("a", LONG)], [("", LONG)]]:
            yield encoded(texts, {"truncation": strategy, "truncation_side": side, "stride": stride, "max_length": 15})
    for length in (2, 3, 4, 5, 9, 60):
        yield encoded([WORDS], {"truncation": "longest_first", "max_length": length})
        yield encoded(["a <mask> b"], {"truncation": "longest_first", "max_length": length, "add_special_tokens": False})
    batch = ["a cat", "", "two dogs are running in the snow", "<mask>"]
    for side, multiple in itertools.product(["right", "left"], [None, 8]):
        yield encoded(batch, {"padding": "longest", "padding_side": side, "pad_to_multiple_of": multiple}, names=everything)
        yield encoded(batch, {"padding": "max_length", "max_length": 12, "padding_side": side, "pad_to_multiple_of": multiple})
    yield encoded([WORDS, "a"], {"padding": "longest", "truncation": "longest_first", "max_length": 8, "stride": 1}, names=everything)
    tokenizer = tokenizer_with({})
    for ids in IDS + [tokenizer.encode(text).ids for text in SINGLE]:
        yield {"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
               "decoded_skip_special": tokenizer.decode(ids, skip_special_tokens=True)}


def main():
    assert tokenizers.__version__ == "0.22.2", "truncation's overflow needs 0.22.2"
    (DATA / "text").mkdir(exist_ok=True)
    with open(DATA / "text/tiny_model.jsonl", "w", encoding="utf-8") as out:
        for row in rows():
            out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
