"""The model, and a forward for training: Hugging Face's modules, each picture and each sentence encoded once.

Hugging Face's forward encodes picture and text anew for every pair. Both towers are independent of each other, so here the states of
the towers are computed once and shared by all pairs of a step. Text is kept packed: [T, D], the tokens of all
sentences without padding; only attention sees rows of equal length.
"""

import torch
from torch import nn
from torch.nn import functional as F
from transformers import (BridgeTowerConfig, BridgeTowerForContrastiveLearning, BridgeTowerForImageAndTextRetrieval,
                          BridgeTowerForMaskedLM)

from drawing import COLOURS
from objects import KINDS
from pictures import PATCH, SEEN
from places import PLACES
from world import RELATIONS, SIZES
from words import PAD

WIDTH = 128
GRID = SEEN // PATCH
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def make_config(vocabulary):
    return BridgeTowerConfig(
        hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=4, intermediate_size=2 * WIDTH,
        contrastive_hidden_size=WIDTH, logit_scale_init_value=2.6592,
        text_config={"vocab_size": vocabulary, "hidden_size": WIDTH, "num_hidden_layers": 4, "num_attention_heads": 4,
                     "intermediate_size": 2 * WIDTH, "max_position_embeddings": 42, "hidden_dropout_prob": 0.0,
                     "attention_probs_dropout_prob": 0.0},
        vision_config={"hidden_size": WIDTH, "num_hidden_layers": 4, "patch_size": PATCH, "image_size": SEEN})


class Heads(nn.Module):
    """One model with the heads of all three classes; the state dict has Hugging Face's names."""

    def __init__(self, config):
        super().__init__()
        masked = BridgeTowerForMaskedLM(config)
        self.bridgetower = masked.bridgetower
        self.mlm_score = masked.mlm_score
        self.itm_score = BridgeTowerForImageAndTextRetrieval(config).itm_score
        contrastive = BridgeTowerForContrastiveLearning(config)
        for name in ("itc_text_head", "itc_image_head", "itc_cross_modal_head", "logit_scale"):
            setattr(self, name, getattr(contrastive, name))


class Helpers(nn.Module):
    """Heads that only help training and are thrown away with it."""

    SIZES = {"kind": len(KINDS) + 1, "colour": len(COLOURS) + 1, "size": len(SIZES) + 1, "count": 4}

    def __init__(self):
        super().__init__()
        self.patch = nn.ModuleList([nn.Linear(WIDTH, sum(self.SIZES.values())) for _ in range(2)])
        self.place = nn.Linear(WIDTH, len(PLACES))
        self.pairs = nn.Linear(WIDTH, len(KINDS) * len(COLOURS))
        self.word = nn.Linear(WIDTH, 2)
        self.relation = nn.ModuleList([nn.Linear(WIDTH, len(RELATIONS)) for _ in range(2)])
        self.both = nn.Linear(WIDTH, 4)
        self.where = nn.ModuleList([nn.Linear(WIDTH, 2 * GRID) for _ in range(2)])


class Packing:
    """Where the tokens of sentences of different lengths lie in a padded rectangle."""

    def __init__(self, ids):
        """ids [B, L], padded with PAD."""
        valid = ids != PAD
        self.shape = tuple(ids.shape)
        self.ids = ids[valid]
        self.positions = (valid.cumsum(1) + PAD)[valid]
        self.rows = valid.flatten().nonzero().flatten()  # packed -> padded
        self._packed = torch.zeros(valid.numel(), dtype=torch.long)  # padded -> packed; padding shows token 0
        self._packed[self.rows] = torch.arange(len(self.rows))
        self.starts = self._packed.view(self.shape)[:, 0]
        self.mask = torch.zeros(self.shape).masked_fill(~valid, -1e9)[:, None, None]

    def pad(self, packed):
        return _Pad.apply(packed, self._packed, self.rows).view(*self.shape, -1)

    def pack(self, padded):
        return _Pack.apply(padded.reshape(-1, padded.shape[-1]), self.rows)


class _Pad(torch.autograd.Function):
    """What padding holds is never used, so no gradient comes from it."""

    @staticmethod
    def forward(context, packed, source, rows):
        context.save_for_backward(rows)
        return packed.index_select(0, source)

    @staticmethod
    def backward(context, gradient):
        return gradient.index_select(0, context.saved_tensors[0]), None, None


class _Pack(torch.autograd.Function):

    @staticmethod
    def forward(context, padded, rows):
        context.save_for_backward(rows)
        context.number = len(padded)
        return padded.index_select(0, rows)

    @staticmethod
    def backward(context, gradient):
        padded = gradient.new_zeros(context.number, gradient.shape[1])
        return padded.index_copy_(0, context.saved_tensors[0], gradient), None


def attend(query, key, value, heads, mask=None, seen=None):
    """[B, N, D] each; attention of several heads before the output projection. The list `seen` gets the probabilities."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    scores = torch.matmul(q, k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + mask
    probabilities = scores.softmax(-1)
    if seen is not None:
        seen.append(probabilities)
    return torch.matmul(probabilities, v).transpose(1, 2).flatten(2)


def project(module, x, names):
    """The chosen ones of query, key and value in one product."""
    layers = [getattr(module, name) for name in names]
    weight, bias = torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])
    return F.linear(x, weight, bias).chunk(len(names), -1)


def finish(block, context, states):
    """The attention's output projection, residual and norm."""
    return block.output.LayerNorm(block.output.dense(context) + states)


def feed_forward(layer, states):
    inner = F.gelu(layer.intermediate.dense(states))
    return layer.output.LayerNorm(layer.output.dense(inner) + states)


def text_self_attention(block, states, packing, heads):
    q, k, v = (packing.pad(x) for x in project(block.self, states, ("query", "key", "value")))
    return finish(block, packing.pack(attend(q, k, v, heads, packing.mask)), states)


class Forward:
    """The computations of one model; `heads` of text and cross-modal layers."""

    def __init__(self, model):
        self.model = model
        self.base = model.bridgetower
        self.visual = self.base.vision_model.visual
        config = self.base.config
        self.heads = config.text_config.num_attention_heads
        self.layers = config.num_hidden_layers
        self.first = config.text_config.num_hidden_layers - self.layers + 1

    def text_tower(self, packing):
        """States [T, D] after the embeddings and after each layer."""
        embeddings = self.base.text_model.embeddings
        states = (embeddings.word_embeddings(packing.ids) + embeddings.token_type_embeddings.weight[0]
                  + embeddings.position_embeddings(packing.positions))
        collected = [embeddings.LayerNorm(states)]
        for layer in self.base.text_model.encoder.layer:
            collected.append(feed_forward(layer, text_self_attention(layer.attention, collected[-1], packing,
                                                                     self.heads)))
        return collected

    def image_tower(self, pixels):
        """ln_post of the states [B, P, D] after each block."""
        embeddings = self.visual.embeddings
        grid = pixels.shape[-1] // PATCH
        patches = pixels.view(-1, 3, grid, PATCH, grid, PATCH).permute(0, 2, 4, 1, 3, 5).reshape(
            len(pixels), grid * grid, -1)
        states = F.linear(patches, embeddings.patch_embedding.weight.flatten(1))
        states = torch.cat([embeddings.class_embedding.expand(len(pixels), 1, -1), states], 1)
        states = self.visual.ln_pre(states + embeddings.position_embedding.weight)
        collected = []
        for block in self.visual.transformer.resblocks:
            inner = block.ln_1(states)
            q, k, v = F.linear(inner, block.attn.in_proj_weight, block.attn.in_proj_bias).chunk(3, -1)
            states = states + block.attn.out_proj(attend(q, k, v, block.attn.num_heads))
            inner = block.mlp.c_fc(block.ln_2(states))
            states = states + block.mlp.c_proj(inner * torch.sigmoid(1.702 * inner))
            collected.append(self.visual.ln_post(states))
        return collected

    def contrast(self, text_states, packing, image_states):
        """Normalised vectors of texts and pictures [B, E]."""
        image = self.base.cross_modal_image_transform(image_states[-1][:, 0]) + self.base.token_type_embeddings.weight[1]
        return (F.normalize(self.model.itc_text_head(text_states[-1][packing.starts]), dim=-1),
                F.normalize(self.model.itc_image_head(image), dim=-1))

    def cross(self, text_states, packing, image_states, times=1, seen=None, between=None):
        """Pairs: sentence i with picture i, where the pictures are gone through so many times. Returns text features
        [T, D] and pooled [B, 2 D]. The list `seen` gets where the words look in each layer: [B, H, L, P];
        `between` gets the text states after each layer.

        In the last image layer only the class token is computed: nothing else of it is used.
        """
        base = self.base
        types = base.token_type_embeddings.weight
        image = base.cross_modal_image_layernorm(
            base.cross_modal_image_transform(image_states[self.first - 1]) + types[1])
        text = base.cross_modal_text_layernorm(base.cross_modal_text_transform(text_states[self.first]) + types[0])
        for j in range(self.layers):
            if j:
                k = self.first + j
                link = base.cross_modal_text_link_tower[j - 1]
                new_text = link.LayerNorm(base.cross_modal_text_transform(text_states[k]) + types[0] + text)
                link = base.cross_modal_image_link_tower[j - 1]
                own = base.cross_modal_image_transform(image_states[k - 1]) + types[1]
                image = link.LayerNorm(own.repeat(times, 1, 1) + image)
                text = new_text
            text, image = (self._text_layer(j, text, packing, image, times if j == 0 else 1, seen),
                           self._image_layer(j, image, text, packing, times if j == 0 else 1))
            if between is not None:
                between.append(text)
        pooled = torch.cat([base.cross_modal_text_pooler.dense(text[packing.starts]).tanh(),
                            base.cross_modal_image_pooler.dense(image[:, 0]).tanh()], -1)
        return text, pooled

    def _text_layer(self, j, text, packing, image, times, seen):
        layer = self.base.cross_modal_text_layers[j]
        states = text_self_attention(layer.attention, text, packing, self.heads)
        block = layer.crossattention
        (q,) = project(block.self, states, ("query",))
        k, v = project(block.self, image, ("key", "value"))
        if times > 1:
            k, v = k.repeat(times, 1, 1), v.repeat(times, 1, 1)
        states = finish(block, packing.pack(attend(packing.pad(q), k, v, self.heads, seen=seen)), states)
        return feed_forward(layer, states)

    def _image_layer(self, j, image, text, packing, times):
        """While all pairs of a picture share its states, they are repeated only after the self-attention."""
        layer = self.base.cross_modal_image_layers[j]
        block = layer.attention
        q, k, v = project(block.self, image, ("query", "key", "value"))
        if j == self.layers - 1:
            q, image = q[:, :1], image[:, :1]
        states = finish(block, attend(q, k, v, self.heads), image)
        block = layer.crossattention
        (q,) = project(block.self, states, ("query",))
        if times > 1:
            q, states = q.repeat(times, 1, 1), states.repeat(times, 1, 1)
        k, v = (packing.pad(x) for x in project(block.self, text, ("key", "value")))
        states = finish(block, attend(q, k, v, self.heads, packing.mask), states)
        return feed_forward(layer, states)


_MEAN, _STD = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))




def normalised(pixels):
    """Bytes [B, H, W, 3] as the image processor's pixel_values [B, 3, H, W]."""
    return (torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255 - _MEAN) / _STD
