"""Recurrent layers: rows of one length and padded ones, one and both directions, all states and the last."""
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden import draw, net

TIME, INPUTS, UNITS = 4, 2, 3
LENGTHS = [2, 4, 1]
FUNCTIONS = {"rnn": torch.rnn_tanh, "lstm": torch.lstm, "gru": torch.gru}
# PyTorch's order of a kernel's gates: its GRU has reset before update.
GATES = {"rnn": [0], "lstm": [0, 1, 2, 3], "gru": [1, 0, 2]}


def weights_of(name, gates, prefixes, biases):
    weights = {}
    for prefix in prefixes:
        weights[f"{name}.{prefix}kernel"] = draw(INPUTS, gates * UNITS, scale=0.6)
        weights[f"{name}.{prefix}recurrent_kernel"] = draw(UNITS, gates * UNITS, scale=0.6)
        weights[f"{name}.{prefix}bias"] = draw(*([2] if biases == 2 else []), gates * UNITS, scale=0.5)
    return weights


def in_order(matrix, order):
    blocks = matrix.split(UNITS, dim=-1)
    return torch.cat([blocks[k] for k in order], dim=-1)


def flat_weights(weights, name, order, prefixes):
    """As torch.lstm takes them: for each direction w_ih, w_hh, b_ih, b_hh."""
    flat = []
    for prefix in prefixes:
        kernel, recurrent, bias = (in_order(weights[f"{name}.{prefix}{part}"], order)
                                   for part in ("kernel", "recurrent_kernel", "bias"))
        own = bias[1] if bias.dim() == 2 else torch.zeros_like(bias)
        flat += [kernel.t(), recurrent.t(), bias[0] if bias.dim() == 2 else bias, own]
    return flat


def run_torch(x, flat, function, bidirectional, sequences, lengths):
    directions = 2 if bidirectional else 1
    start = torch.zeros(directions, x.shape[0], UNITS)
    start = (start, start) if function is torch.lstm else start
    if lengths is None:
        y, h = function(x, start, flat, True, 1, 0.0, True, bidirectional, True)[:2]
    else:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        data, h = function(packed.data, packed.batch_sizes, start, flat, True, 1, 0.0, True, bidirectional)[:2]
        packed = packed._replace(data=data)
        y = pad_packed_sequence(packed, batch_first=True, total_length=TIME)[0]
        h = h.index_select(1, packed.unsorted_indices)
    return y if sequences else torch.cat(list(h), dim=-1)


def reset_before(x, weights, name, prefix, reverse, lengths):
    """The GRU of the paper, which PyTorch lacks: all states [rows, time, units], and the last."""
    kernel, recurrent, bias = (weights[f"{name}.{prefix}{part}"] for part in ("kernel", "recurrent_kernel", "bias"))
    h, states = torch.zeros(x.shape[0], UNITS), [None] * TIME
    for t in reversed(range(TIME)) if reverse else range(TIME):
        given = x[:, t] @ kernel + bias
        z, r = torch.sigmoid(given[:, :2 * UNITS] + h @ recurrent[:, :2 * UNITS]).split(UNITS, dim=-1)
        n = torch.tanh(given[:, 2 * UNITS:] + (r * h) @ recurrent[:, 2 * UNITS:])
        counts = (torch.tensor(lengths or [TIME] * x.shape[0]) > t)[:, None]
        h = torch.where(counts, z * h + (1 - z) * n, h)
        states[t] = torch.where(counts, h, torch.zeros(()))
    return torch.stack(states, dim=1), h


def run_reset_before(x, weights, name, prefixes, sequences, lengths):
    results = [reset_before(x, weights, name, prefix, reverse, lengths)[0 if sequences else 1]
               for reverse, prefix in enumerate(prefixes)]
    return torch.cat(results, dim=-1)


def case(kind, bidirectional, sequences, lengths, **given):
    name, gates = f"{kind}_1", len(GATES[kind])
    prefixes = ("forward_", "backward_") if bidirectional else ("",)
    after = kind == "gru" and given.get("reset_after", True)
    function = torch.rnn_relu if given.get("activation") == "relu" else FUNCTIONS[kind]
    weights = weights_of(name, gates, prefixes, 2 if after else 1)
    if kind == "gru" and not after:
        def run(x, w):
            return run_reset_before(x, w, name, prefixes, sequences, lengths)
    else:
        def run(x, w):
            return run_torch(x, flat_weights(w, name, GATES[kind], prefixes), function, bidirectional, sequences, lengths)
    layer = {"type": kind, "units": UNITS, "bidirectional": bidirectional, "return_sequences": sequences, **given}
    net([layer], [TIME, INPUTS], len(LENGTHS), weights, run, lengths=lengths)


def make():
    for kind, given in (("rnn", {}), ("rnn", {"activation": "relu"}), ("lstm", {}), ("gru", {}),
                        ("gru", {"reset_after": False})):
        for bidirectional in (False, True):
            for sequences in (False, True):
                for lengths in (None, LENGTHS):
                    case(kind, bidirectional, sequences, lengths, **given)
