"""The graphs that a user of another engine would make of the model: whole, and cut where its two sides meet."""

import torch
from torch.nn import Module
from torch.nn.functional import normalize


class Part(Module):
    """`inputs` and `outputs` name what goes in and comes out; example() makes inputs of a batch."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.core = model.bridgetower
        text, vision = self.core.text_model.encoder.layer, self.core.vision_model.visual.transformer.resblocks
        self.layers = self.core.config.num_hidden_layers
        self.first = len(text) - self.layers + 1  # text and vision layers below the fusion
        self.text_layers, self.vision_layers = text, vision

    def image_states(self, pixel_values):
        """What each cross-modal layer reads of the image."""
        visual = self.core.vision_model.visual
        hidden, states = visual.forward_pre(pixel_values), []
        kind = self.core.token_type_embeddings(torch.ones(1, dtype=torch.long))
        for i, block in enumerate(self.vision_layers, 1):
            hidden = block(hidden)
            if i >= self.first:
                states.append(self.core._apply_image_transform(visual.forward_post(hidden), i - self.first) + kind)
        return torch.stack(states)

    def text_hidden(self, input_ids):
        hidden, all_hidden = self.core.text_model.embeddings(input_ids=input_ids), []
        for i, layer in enumerate(self.text_layers, 1):
            hidden = layer(hidden, None)
            if i >= self.first:
                all_hidden.append(hidden)
        return all_hidden

    def text_states(self, input_ids):
        kind = self.core.token_type_embeddings(torch.zeros(1, dtype=torch.long))
        return torch.stack([self.core._apply_text_transform(hidden, i) + kind
                            for i, hidden in enumerate(self.text_hidden(input_ids))])

    def fuse(self, image_states, text_states):
        core = self.core
        text, image = core.cross_modal_text_layernorm(text_states[0]), core.cross_modal_image_layernorm(image_states[0])
        for i in range(self.layers):
            if i > 0:
                text = core.cross_modal_text_link_tower[i - 1](text_states[i], text, None)
                image = core.cross_modal_image_link_tower[i - 1](image_states[i], image, None)
            text, image = (core.cross_modal_text_layers[i](text, image, attention_mask=None)[0],
                           core.cross_modal_image_layers[i](image, text, encoder_attention_mask=None)[0])
        return core.get_cls_features(text, image)


class Pair(Part):
    inputs, outputs = ("input_ids", "pixel_values"), ("logits",)

    def forward(self, input_ids, pixel_values):
        return self.model(input_ids=input_ids, pixel_values=pixel_values).logits


class Mask(Pair):
    """Logits of every word, of which the masked one's are looked at."""


class ImageTower(Part):
    inputs, outputs = ("pixel_values",), ("image_states",)

    def forward(self, pixel_values):
        return self.image_states(pixel_values)


class TextTower(Part):
    inputs, outputs = ("input_ids",), ("text_states",)

    def forward(self, input_ids):
        return self.text_states(input_ids)


class Fusion(Part):
    inputs, outputs = ("image_states", "text_states"), ("logits",)

    def forward(self, image_states, text_states):
        return self.model.itm_score(self.fuse(image_states, text_states))


class ImageVector(Part):
    inputs, outputs = ("pixel_values",), ("image_embeds",)

    def forward(self, pixel_values):
        visual = self.core.vision_model.visual
        hidden = visual.forward_pre(pixel_values)
        for block in self.vision_layers:
            hidden = block(hidden)
        cls = visual.forward_post(hidden)[:, 0]
        kind = self.core.token_type_embeddings(torch.ones(1, dtype=torch.long))
        return normalize(self.model.itc_image_head(self.core.cross_modal_image_transform(cls) + kind), dim=-1)


class TextVector(Part):
    inputs, outputs = ("input_ids",), ("text_embeds",)

    def forward(self, input_ids):
        return normalize(self.model.itc_text_head(self.text_hidden(input_ids)[-1][:, 0]), dim=-1)
