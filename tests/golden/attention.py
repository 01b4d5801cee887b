"""Tokens, places and attention."""
import torch
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
        net([{"type": "positional_embedding", "kind": "sinusoidal"}, {"type": "dense", "units": 2}], [40, units], 2,
            dense("dense_1", units, 2), lambda x, w: product(x + sinusoids(*x.shape[1:]), w, "dense_1"))


def make():
    embeddings()
