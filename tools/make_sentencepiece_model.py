"""Writes tests/data/sentencepiece: a small SentencePiece model in the XLM-RoBERTa layout, and goldens.

    apt-get install sentencepiece
    pip install -r requirements.txt
    python make_sentencepiece_model.py

The goldens come from Hugging Face's XLMRobertaTokenizer; where SentencePiece's own program segments a text
in another way, its ids stand beside them as "model_file_ids".
"""

import json
import struct
import subprocess
import tempfile
from pathlib import Path

from tokenizers import AddedToken
from transformers import XLMRobertaTokenizer

OUT = Path(__file__).resolve().parent.parent / "tests/data/sentencepiece"

SENTENCES = [
    "a cat is looking out of the window", "two dogs are running in the snow", "the red car stands in front of a house",
    "A child holds a small white cup.", "three birds sit on a branch above the lake", "it's raining, and nobody waits",
    "the man who doesn't like 12 apples eats 34 pears", "a blue boat lies left of a big green tree",
    "is there a picture of the sea behind the chair?", "all the lamps in the city are lit!",
    "eine Katze sitzt am Fenster und sieht hinaus", "zwei Hunde laufen über die große Straße",
    "un chat regarde par la fenêtre", "la crème brûlée est prête, le café aussi",
    "кошка смотрит в окно", "две собаки бегут по снегу", "η γάτα κοιτάζει έξω από το παράθυρο",
    "猫が窓の外を見ています。", "犬が雪の中を走る", "ガラスのカップ", "一只猫看着窗外", "红色的汽车停在房子前面", "고양이가 창밖을 본다",
    "القطة تنظر من النافذة", "बिल्ली खिड़की से बाहर देख रही है", "con mèo nhìn ra ngoài cửa sổ",
]

# What the normalizer replaces: white space, zero-width characters, compatibility forms, a few accents.
RULES = {
    "\t": " ", "\n": " ", "\r": " ", "\u00a0": " ", "\u2009": " ", "\u3000": " ", "\u2581": " ", "\u200b": " ",
    "\ufeff": " ", "\u0001": "", "\u00ad": "", "½": "1⁄2", "①": "1", "ﬁ": "fi", "…": "...", "™": "TM", "´": " \u0301",
    "e\u0301": "é", "e\u0302": "ê", "e\u0302\u0301": "ế", "u\u0308": "ü", "ｶ": "カ", "ｶﾞ": "ガ",
    **{chr(0xFF01 + i): chr(0x21 + i) for i in range(94)},
}

TEXTS = [
    "", " ", "   ", "a", " a", "a ", "  A   cat  ", "a cat is looking out of the window", "the the  the",
    "a <mask> looking out of the window", "a<mask>b", "a \t <mask>  b", " <mask>", "<mask><mask>", "<mask> <mask> ",
    "<s> hi </s>", "hello<unk>world", "<pad>", "<MASK>", "< mask>", "tab\tand\nline\r\nend", "no\u00a0break\u3000wide\u2009thin",
    "zero\u200bwidth", "\ufeffmark", "a\u0000b\u0001c", "soft\u00adhyphen", "½ ① ﬁ ＡＢＣ ™", "a½b", "wait…", "´x", "ê é ü",
    "cre\u0302me bru\u0302le\u0301e", "u\u0308ber die Straße", "e\u0302\u0301", "ｶ ｶﾞ", "猫が窓の外を見ています。", "一只猫", "고양이가", "القطة",
    "बिल्ली", "кошка смотрит", "η γάτα", "nhìn ra ngoài cửa sổ", "🦄", "🦄🦄🦄", "a🦄b", "a 🦄 b", "👨‍👩‍👧", "▁already▁", "a ▁b", "▁", "1,000.50%",
    "........", "don't “quote”", "x\u0301y", "\U0010ffff\ue000", "UPPER lower", "looking" * 20, " " * 50 + "a" + " " * 50,
]

PAIRS = [("a cat", "two dogs"), ("", ""), ("a <mask>", " b"), ("猫", "🦄")]


def fields(message):
    """(number, value) of each field of a protocol buffer message."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = varint() if key & 7 == 2 else 4
        yield key >> 3, message[position:position + size]
        position += size


def train(folder):
    (folder / "text").write_text("\n".join(SENTENCES * 4) + "\n", encoding="utf-8")
    code_points = lambda text: " ".join(f"{ord(c):X}" for c in text)
    (folder / "rules").write_text("".join(f"{code_points(a)}\t{code_points(b)}\n" for a, b in RULES.items()))
    subprocess.run(["spm_train", f"--input={folder / 'text'}", f"--model_prefix={folder / 'model'}", "--vocab_size=400",
                    "--model_type=unigram", "--character_coverage=1.0", "--hard_vocab_limit=false", "--num_threads=1",
                    f"--normalization_rule_tsv={folder / 'rules'}"], check=True, capture_output=True)
    model = (folder / "model.model").read_bytes()
    # Without the trainer's record of its command line and the name of the file of rules: they name files of
    # the machine, and nothing reads them.
    parts = list(fields(model))
    pieces = b"".join(tag(1, value) for number, value in parts if number == 1)
    replacements = dict(fields(dict(parts)[3]))[2]
    return pieces + tag(2, b"\x18\x01") + tag(3, tag(2, replacements))


def tag(number, value):
    size = len(value)
    length = b""
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + value


def reference(model):
    pieces = []
    replacements = b""
    for number, value in fields(model):
        if number == 1:
            piece = dict(fields(value))
            pieces.append((piece[1].decode(), struct.unpack("<f", piece[2])[0]))
        elif number == 3:
            replacements = dict(fields(value))[2]
    special = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]
    return XLMRobertaTokenizer(vocab=special + pieces[3:] + [("<mask>", 0.0)], _spm_precompiled_charsmap=replacements,
                               mask_token=AddedToken("<mask>", lstrip=True, special=True))


def model_file_ids(file, texts):
    """SentencePiece's own segmentation, its ids moved to fairseq's."""
    out = subprocess.run(["spm_encode", f"--model={file}", "--output_format=id"], input="\n".join(texts) + "\n",
                         capture_output=True, check=True, encoding="utf-8").stdout
    rows = out.removesuffix("\n").split("\n")
    assert len(rows) == len(texts)
    return [[0, *(3 if i == "0" else int(i) + 1 for i in row.split()), 2] for row in rows]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / "sentencepiece.bpe.model"
    with tempfile.TemporaryDirectory() as folder:
        file.write_bytes(train(Path(folder)))
    (OUT / "tokenizer_config.json").write_text('{"model_max_length": 512, "tokenizer_class": "XLMRobertaTokenizer"}\n')
    tokenizer = reference(file.read_bytes())
    plain = [text for text in TEXTS if not set(text) & set("\r\n\0") and "<" not in text]
    other_ids = dict(zip(plain, model_file_ids(file, plain)))
    with open(OUT / "golden.jsonl", "w", encoding="utf-8") as out:
        for text, pair in [(text, None) for text in TEXTS] + PAIRS:
            encoding = tokenizer._tokenizer.encode(text, pair)
            row = {"text": text, "pair": pair, "ids": encoding.ids, "tokens": encoding.tokens,
                   "offsets": encoding.offsets, "special_tokens_mask": encoding.special_tokens_mask,
                   "word_ids": encoding.word_ids, "sequence_ids": encoding.sequence_ids,
                   "decoded": tokenizer.decode(encoding.ids),
                   "decoded_skip_special": tokenizer.decode(encoding.ids, skip_special_tokens=True)}
            if pair is None and other_ids.get(text, encoding.ids) != encoding.ids:
                row["model_file_ids"] = other_ids[text]
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
