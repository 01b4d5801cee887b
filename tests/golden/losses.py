"""Losses: the value and its gradient."""
import torch
from torch.nn import functional as F

from golden import array, case, draw


def loss(spec, outputs, targets, value, class_weights=None):
    case("loss", spec)
    outputs = outputs.clone().requires_grad_()
    array("outputs", outputs)
    array("targets", targets)
    if class_weights is not None:
        array("class_weights", class_weights)
    result = value(outputs, targets)
    result.backward()
    array("value", result)
    array("gradient", outputs.grad)


def make():
    logits, classes = draw(7, 5, scale=3), torch.tensor([0, 4, 2, 2, 1, 3, 0])
    large = (logits * 40).float().double()
    weights = draw(5, low=0.2)
    for smoothing in (0, 0.1):
        for weight in (None, weights):
            spec = {"type": "cross_entropy", "label_smoothing": smoothing}
            loss(spec, logits, classes,
                 lambda x, t, s=smoothing, w=weight: F.cross_entropy(x, t, weight=w, label_smoothing=s), weight)
    loss({"type": "cross_entropy"}, large, classes, F.cross_entropy)
    targets = draw(7, 5, low=0)
    loss({"type": "binary_cross_entropy"}, logits, targets, F.binary_cross_entropy_with_logits)
    loss({"type": "binary_cross_entropy"}, large, targets.round(), F.binary_cross_entropy_with_logits)
    loss({"type": "mse"}, logits, targets, F.mse_loss)
    loss({"type": "mae"}, logits, targets, F.l1_loss)
    loss({"type": "huber"}, logits, targets, F.huber_loss)
    loss({"type": "huber", "delta": 0.5}, logits, targets, lambda x, t: F.huber_loss(x, t, delta=0.5))
    # Rows without a target, as nodes and padded steps have them.
    for smoothing in (0, 0.1):
        for weight in (None, weights):
            spec = {"type": "cross_entropy", "label_smoothing": smoothing}
            loss(spec, logits, torch.tensor([0, -1, 2, 2, -1, 3, -1]),
                 lambda x, t, s=smoothing, w=weight: F.cross_entropy(x, t, weight=w, label_smoothing=s, ignore_index=-1),
                 weight)
