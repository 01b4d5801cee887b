"""Losses: the value and its gradient."""
import torch
from torch.nn import functional as F

from golden import array, case, draw


def loss(spec, outputs, targets, value):
    case("loss", spec)
    outputs = outputs.clone().requires_grad_()
    array("outputs", outputs)
    array("targets", targets)
    result = value(outputs, targets)
    result.backward()
    array("value", result)
    array("gradient", outputs.grad)


def cross_entropy(smoothing, weight):
    spec = {"type": "cross_entropy", "label_smoothing": smoothing}
    if weight is not None:
        spec["class_weight"] = weight if isinstance(weight, str) else weight.tolist()
    return spec


def make():
    logits, classes = draw(7, 5, scale=3), torch.tensor([0, 4, 2, 2, 1, 3, 0])
    large = (logits * 40).float().double()
    weights = draw(5, low=0.2)
    for smoothing in (0, 0.1):
        for weight in (None, weights):
            loss(cross_entropy(smoothing, weight), logits, classes,
                 lambda x, t, s=smoothing, w=weight: F.cross_entropy(x, t, weight=w, label_smoothing=s))
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
            loss(cross_entropy(smoothing, weight), logits, torch.tensor([0, -1, 2, 2, -1, 3, -1]),
                 lambda x, t, s=smoothing, w=weight: F.cross_entropy(x, t, weight=w, label_smoothing=s, ignore_index=-1))
    # rows / (classes · rows of the class); one without a row weighs 1, which with smoothing it does.
    for targets in (classes, torch.tensor([0, 0, 2, 2, 1, 3, 0])):
        counts = torch.bincount(targets, minlength=5)
        balanced = torch.where(counts > 0, len(targets) / (5 * counts), 1.)
        for smoothing in (0, 0.2):
            loss(cross_entropy(smoothing, "balanced"), logits, targets,
                 lambda x, t, s=smoothing, w=balanced: F.cross_entropy(x, t, weight=w, label_smoothing=s))
