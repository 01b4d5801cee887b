"""Tokens, places and attention."""
import torch
from torch import nn
from torch.nn import functional as F

from golden import dense, draw, net, product


def sinusoids(time, units):
    """model.md's formula, written as it stands there."""
    table = torch.zeros(time, units)
    for position in range(time):
        for i in range((units + 1) // 2):
            angle = torch.tensor(position / 10000 ** (2 * i / units))
            table[position, 2 * i] = torch.sin(angle)
            if 2 * i + 1 < units:
                table[position, 2 * i + 1] = torch.cos(angle)
    return table


def embeddings():
    weights = {"embedding_1.embeddings": draw(5, 4), **dense("dense_1", 4, 3)}
    net([{"type": "embedding", "vocabulary": 5, "units": 4}, {"type": "dense", "units": 3}], [6], 4, weights,
        lambda x, w: product(F.embedding(x.long(), w["embedding_1.embeddings"]), w, "dense_1"), vocabulary=5)
    net([{"type": "positional_embedding"}], [3, 4], 4, {"positional_embedding_1.embeddings": draw(3, 4)},
        lambda x, w: x + w["positional_embedding_1.embeddings"])
    for units in (6, 5):
        net([{"type": "positional_embedding", "kind": "sinusoidal"}, {"type": "dense", "units": 2}], [20, units], 2,
            dense("dense_1", units, 2), lambda x, w: product(x + sinusoids(*x.shape[1:]), w, "dense_1"))


PARTS = ("query", "key", "value")


def attention_weights(prefix, width):
    weights = {}
    for part in (*PARTS, "output"):
        weights[f"{prefix}{part}_kernel"] = draw(width, width, scale=width ** -0.5)
        weights[f"{prefix}{part}_bias"] = draw(width, scale=0.3)
    return weights


def attend(x, weights, prefix, heads, causal, lengths):
    """nn.MultiheadAttention's own function; the steps behind a row's length, which it leaves open, give the bias."""
    width = x.shape[-1]
    masked = torch.zeros(x.shape[:2], dtype=torch.bool)
    for row, length in enumerate(lengths or ()):
        masked[row, length:] = True
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if causal else None
    packed = torch.cat([weights[f"{prefix}{part}_kernel"].T for part in PARTS])
    biases = torch.cat([weights[f"{prefix}{part}_bias"] for part in PARTS])
    steps = x.transpose(0, 1)
    y, _ = F.multi_head_attention_forward(
        steps, steps, steps, width, heads, packed, biases, None, None, False, 0.0,
        weights[f"{prefix}output_kernel"].T, weights[f"{prefix}output_bias"],
        key_padding_mask=masked, attn_mask=later, need_weights=False)
    return torch.where(masked[:, :, None], weights[f"{prefix}output_bias"], y.transpose(0, 1))


def attentions():
    for heads, causal, lengths in ((1, False, None), (3, True, None), (2, False, [5, 2, 1]), (2, True, [1, 4, 5])):
        layer = {"type": "multi_head_attention", "heads": heads, "causal": causal}
        net([layer], [5, 6], 3, attention_weights("multi_head_attention_1.", 6),
            lambda x, w, h=heads, c=causal, n=lengths: attend(x, w, "multi_head_attention_1.", h, c, n), lengths=lengths)
    # More steps than the core works through at a time.
    net([{"type": "multi_head_attention", "heads": 1, "causal": True}], [150, 2], 1,
        attention_weights("multi_head_attention_1.", 2),
        lambda x, w: attend(x, w, "multi_head_attention_1.", 1, True, None))


def attend_plain(x, weights, prefix, heads, causal=False):
    """The formula, for units that are not the input's width, which PyTorch's module does not take."""
    q, k, v = ((x @ weights[f"{prefix}{part}_kernel"] + weights[f"{prefix}{part}_bias"]).unflatten(-1, (heads, -1))
               .transpose(1, 2) for part in PARTS)
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    y = (scores.softmax(-1) @ v).transpose(1, 2).flatten(-2)
    return y @ weights[f"{prefix}output_kernel"] + weights[f"{prefix}output_bias"]


def settings():
    """Other units than the width; other hidden units and activation; dropout, which acts in training alone; masks."""
    name = "multi_head_attention_1."
    for units, heads, causal in ((4, 2, False), (9, 3, True)):
        weights = {}
        for part in (*PARTS, "output"):
            sizes = (units, 6) if part == "output" else (6, units)
            weights[f"{name}{part}_kernel"] = draw(*sizes, scale=sizes[0] ** -0.5)
            weights[f"{name}{part}_bias"] = draw(sizes[1], scale=0.3)
        net([{"type": "multi_head_attention", "heads": heads, "units": units, "causal": causal}], [5, 6], 3, weights,
            lambda x, w, h=heads, c=causal: attend_plain(x, w, name, h, c))
    net([{"type": "multi_head_attention", "heads": 2, "dropout": 0.3}], [5, 6], 3, attention_weights(name, 6),
        lambda x, w: attend(x, w, name, 2, False, None), training=False)

    for activation, function in (("relu", F.relu), ("swish", F.silu)):
        net([{"type": "transformer_block", "heads": 2, "ff_units": 5, "activation": activation, "dropout": 0.2}], [3, 4], 2,
            block_weights(4, 5), lambda x, w, f=function: encoder_layer(x, w, 2, True, False, f), training=False)
    for norm, causal in (("pre", False), ("post", True)):
        lengths = [3, 1, 5]
        net([{"type": "transformer_block", "heads": 2, "norm": norm, "causal": causal}], [5, 4], 3, block_weights(4, 16),
            lambda x, w, n=norm, c=causal: ragged_block(x, w, 2, n == "pre", c, lengths), lengths=lengths)


def block_weights(width, hidden):
    name = "transformer_block_1."
    weights = attention_weights(name + "attention.", width)
    weights.update({**dense(name + "dense_1", width, hidden), **dense(name + "dense_2", hidden, width)})
    for i in "12":
        weights[f"{name}norm_{i}.gamma"] = draw(width, low=0.5)
        weights[f"{name}norm_{i}.beta"] = draw(width, scale=0.3)
    return weights


def ragged_block(x, weights, heads, norm_first, causal, lengths):
    """The block from its parts: PyTorch's layer leaves open what padded steps give."""
    name = "transformer_block_1."

    def norm(i, y):
        return F.layer_norm(y, y.shape[-1:], weights[f"{name}norm_{i}.gamma"], weights[f"{name}norm_{i}.beta"])

    def look(y):
        return attend(y, weights, name + "attention.", heads, causal, lengths)

    def think(y):
        return product(F.gelu(product(y, weights, name + "dense_1")), weights, name + "dense_2")
    if norm_first:
        y = x + look(norm(1, x))
        return y + think(norm(2, y))
    y = norm(1, x + look(x))
    return norm(2, y + think(y))


def encoder_layer(x, weights, heads, norm_first, causal, activation="gelu"):
    """nn.TransformerEncoderLayer with these weights, as a function of them."""
    name = "transformer_block_1."
    width, hidden = weights[name + "dense_1.kernel"].shape
    layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout=0, activation=activation, batch_first=True,
                                       norm_first=norm_first)
    given = {
        "self_attn.in_proj_weight": torch.cat([weights[f"{name}attention.{part}_kernel"].T for part in PARTS]),
        "self_attn.in_proj_bias": torch.cat([weights[f"{name}attention.{part}_bias"] for part in PARTS]),
        "self_attn.out_proj.weight": weights[name + "attention.output_kernel"].T,
        "self_attn.out_proj.bias": weights[name + "attention.output_bias"],
    }
    for i in "12":
        given[f"linear{i}.weight"] = weights[f"{name}dense_{i}.kernel"].T
        given[f"linear{i}.bias"] = weights[f"{name}dense_{i}.bias"]
        given[f"norm{i}.weight"] = weights[f"{name}norm_{i}.gamma"]
        given[f"norm{i}.bias"] = weights[f"{name}norm_{i}.beta"]
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if causal else None
    return torch.nn.utils.stateless.functional_call(layer, given, (x, later))


def blocks():
    for norm, causal, heads in (("pre", True, 2), ("post", False, 4), ("post", True, 1)):
        net([{"type": "transformer_block", "heads": heads, "norm": norm, "causal": causal}], [3, 4], 2,
            block_weights(4, 16),
            lambda x, w, h=heads, n=norm, c=causal: encoder_layer(x, w, h, n == "pre", c))


def make():
    embeddings()
    attentions()
    blocks()
    settings()
