"""The byte-level BPE tokenizer, trained on captions, and a quick way from a caption's pieces to token ids."""

import json
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from captions import caption_of
from world import sample

START, PAD, END, UNKNOWN = range(4)
CAPTIONS = 20000
VOCABULARY = 700  # an upper bound: training stops when every word is one token


def train_tokenizer():
    """Ids are laid out as RoBERTa's: specials first, <mask> last."""
    chance = random.Random("tokenizer")
    sentences = [caption_of(sample(chance, held_out=False), chance).text() for _ in range(CAPTIONS)]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.train_from_iterator(sentences, trainers.BpeTrainer(
        vocab_size=VOCABULARY - 5, min_frequency=1, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False))
    state = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in state["merges"]]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(state["vocab"], key=state["vocab"].get), "<mask>"]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", END), ("<s>", START), add_prefix_space=False)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, normalized=False)])
    return tokenizer


class Words:
    """Token ids of pieces; every piece of the grammar is one token."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self._ids = {}
        self.mask = tokenizer.token_to_id("<mask>")

    def id(self, text):
        if text not in self._ids:
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
            if len(ids) != 1:
                raise ValueError(f"{text!r} is {len(ids)} tokens")
            self._ids[text] = ids[0]
        return self._ids[text]

    def ids(self, pieces):
        return [START, *(self.id(piece.text) for piece in pieces), END]
