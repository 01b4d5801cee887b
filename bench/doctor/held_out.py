"""Jobs held out: the same families as cases.py, with other data, sizes, depths, rates and seeds, written after the rules.

docs/doctor.md has their first count, before any rule was changed, and says what was changed because of them. From then on they count as
seen; drawn_again.py has them with other data and seeds.
"""
import data
from cases import (DEAD, HIGH, HIGH_DEAD, LARGE, LOW, OF_DATA, OUTPUT, SMALL, VANISH, adam, all_layers, changed, dense, each_layer,
                   job, lenet, relaid, sgd)

RINGS = job(dense(24, 24, out=2), epochs=25, batch=32)
CLUSTERS = job(dense(20, 20, out=3), epochs=20, batch=32)
SURFACE = job(dense(40, 20, out=1), epochs=30, batch=20)
WAVE = job(dense(24, 24, out=1), epochs=50, batch=20)
CLOTHES = job(dense(48, 32, out=10), epochs=6, batch=50, rate=0.003)
LENET = job(lenet(), epochs=5, batch=50, rate=0.003)
FORGED = job(dense(12, out=2), epochs=20, batch=20)
WEAK = job([{"type": "dense", "units": 1}], epochs=30, rate=0.02)


def clusters(draw):
    return data.blobs(rows=540, count=3, width=3, spread=1.2, seed=71 + draw)


def datasets(draw=0):
    """`draw`: of other random numbers."""
    return {
        "rings": lambda: data.circles(rows=520, noise=0.1, seed=70 + draw), "clusters": lambda: clusters(draw),
        "crescents": lambda: data.moons(rows=360, noise=0.18, seed=72 + draw), "surface": lambda: data.friedman(rows=520, noise=0.7, seed=73 + draw),
        "surface, large": lambda: data.friedman(rows=520, noise=0.7, seed=73 + draw, scale=90, offset=7000),
        "surface, unlike": lambda: data.friedman(rows=520, noise=0.7, seed=73 + draw, input_scale=900),
        "wave": lambda: data.sine(rows=260, noise=0.1, seed=74 + draw), "weak": lambda: data.weak_signal(rows=100, width=24, seed=75 + draw),
        "forged": lambda: data.blobs(rows=420, count=2, width=6, spread=3.0, seed=76 + draw),
        "clothes": lambda: data.images("fashion-mnist", rows=700, flat=True, half=True),
        "clothes, images": lambda: data.images("fashion-mnist", rows=600, half=True),
        "clusters, flipped": lambda: data.flip_labels(clusters(draw), 0.25, seed=77 + draw),
        "clusters, shuffled": lambda: data.shuffle_targets(clusters(draw), seed=78 + draw),
        "surface, shuffled": lambda: data.shuffle_targets(data.friedman(rows=520, noise=0.7, seed=73 + draw), seed=79 + draw),
        "crescents, twice": lambda: data.repeat_rows(data.moons(rows=180, noise=0.3, seed=80 + draw), 2),
    }


def stack(width, depth, activation, out):
    return dense(*[width] * depth, activation=activation, out=out)


def faults():
    """As in cases.py."""
    for depth, width in ((9, 6), (13, 5), (17, 8)):
        yield f"vanishing: rings, {depth} sigmoids of {width}", "rings", RINGS, relaid(RINGS, stack(width, depth, "sigmoid", 2)), VANISH, 1
        yield (f"vanishing: clusters, {depth} sigmoids of {width}, SGD", "clusters", CLUSTERS,
               relaid(CLUSTERS, stack(width, depth, "sigmoid", 3), optimizer=sgd(0.05)), VANISH, 1)
        yield f"dead: rings, {depth} ReLUs of 3", "rings", RINGS, relaid(RINGS, stack(3, depth, "relu", 2)), DEAD, 2
        yield f"dead: clusters, {depth} ReLUs of 2", "clusters", CLUSTERS, relaid(CLUSTERS, stack(2, depth, "relu", 3)), DEAD, 2
    yield "vanishing: clothes, 9 sigmoids", "clothes", CLOTHES, relaid(CLOTHES, stack(24, 9, "sigmoid", 10)), VANISH, 1
    yield "vanishing: surface, 10 sigmoids", "surface", SURFACE, relaid(SURFACE, stack(10, 10, "sigmoid", 1)), VANISH, 1
    yield ("vanishing: LeNet with sigmoids", "clothes, images", LENET,
           relaid(LENET, lenet("sigmoid", pool="avg_pool2d"), optimizer=sgd(0.05)), VANISH | LOW, 1)
    yield "dead: crescents, biases of -6", "crescents", RINGS, each_layer(RINGS, bias_init={"type": "constant", "value": -6}), DEAD, 1
    for name, optimizer in (("SGD 2", sgd(2)), ("Adam 0.7", adam(0.7)), ("SGD 0.3, momentum 0.98", sgd(0.3, momentum=0.98))):
        yield f"rate high: surface, {name}", "surface", SURFACE, changed(SURFACE, optimizer=optimizer), HIGH_DEAD, 1
        yield f"rate high: wave, {name}", "wave", WAVE, changed(WAVE, optimizer=optimizer), HIGH_DEAD, 1
    yield "rate high: clusters, SGD 50", "clusters", CLUSTERS, changed(CLUSTERS, optimizer=sgd(50)), HIGH_DEAD, 1
    yield "rate high: clothes, Adam 1", "clothes", CLOTHES, changed(CLOTHES, optimizer=adam(1)), HIGH_DEAD, 1
    for name, optimizer in (("SGD 1e-6", sgd(1e-6)), ("Adam 3e-6", adam(3e-6))):
        yield f"rate low: surface, {name}", "surface", SURFACE, changed(SURFACE, optimizer=optimizer), LOW, 1
        yield f"rate low: wave, {name}", "wave", WAVE, changed(WAVE, optimizer=optimizer), LOW, 1
        yield f"rate low: rings, {name}", "rings", RINGS, changed(RINGS, optimizer=optimizer), LOW, 1
    yield "symmetric: rings, all 0", "rings", RINGS, all_layers(RINGS, kernel_init="zeros"), {"symmetric_units"}, 1
    yield ("symmetric: surface, all 0.05", "surface", SURFACE, all_layers(SURFACE, kernel_init={"type": "constant", "value": 0.05}),
           {"symmetric_units"}, 1)
    small, large = ({"kernel_init": {"type": "normal", "scale": scale}} for scale in (2e-3, 8))
    yield ("start small: clusters, 4 layers, SGD", "clusters", relaid(CLUSTERS, dense(20, 20, 20, 20, out=3), optimizer=sgd(0.1)),
           relaid(CLUSTERS, dense(20, 20, 20, 20, out=3, **small), optimizer=sgd(0.1)), SMALL, 1)
    yield ("start large: clusters, SGD", "clusters", changed(CLUSTERS, optimizer=sgd(0.02)),
           each_layer(changed(CLUSTERS, optimizer=sgd(0.02)), **large), LARGE | HIGH, 1)
    yield "start large: wave", "wave", WAVE, each_layer(WAVE, **large), LARGE | HIGH, 1
    yield "unscaled: targets", "surface → surface, large", SURFACE, changed(SURFACE, standardize=False), {"unscaled_features", "initial_loss_off"}, 1
    yield ("unscaled: inputs", "surface → surface, unlike", SURFACE, changed(SURFACE, standardize=False, optimizer=sgd(0.01)),
           {"unscaled_features"} | HIGH, 1)
    yield ("output: sigmoid, regression", "surface", SURFACE, relaid(SURFACE, dense(40, 20) + [{"type": "dense", "units": 1, "activation": "sigmoid"}]),
           OUTPUT, 1)
    yield "linear: rings", "rings", RINGS, relaid(RINGS, dense(24, 24, activation="linear", out=2)), {"missing_nonlinearity"}, 1
    yield "overfitting: weak signal", "weak", WEAK, job(dense(96, 96, out=1), epochs=150, rate=0.003), {"overfitting"}, 2
    yield "labels: a quarter is wrong", "clusters → clusters, flipped", CLUSTERS, CLUSTERS, {"label_noise", "overfitting"}, 1
    yield "targets: shuffled classes", "clusters → clusters, shuffled", CLUSTERS, CLUSTERS, {"unrelated_targets", "overfitting"}, 1
    yield "targets: shuffled numbers", "surface → surface, shuffled", SURFACE, SURFACE, {"unrelated_targets", "overfitting"}, 1
    yield "leak: rows twice", "crescents → crescents, twice", RINGS, RINGS, {"leakage"}, 1


def healthy():
    yield from (("rings", "rings", RINGS, 4), ("clusters", "clusters", CLUSTERS, 4), ("clusters, SGD", "clusters", changed(CLUSTERS, optimizer=sgd(0.1)), 2),
                ("crescents", "crescents", RINGS, 3), ("surface", "surface", SURFACE, 3), ("wave", "wave", WAVE, 3),
                ("wave, tanh", "wave", relaid(WAVE, dense(24, 24, activation="tanh", out=1)), 2),
                ("two groups", "forged", FORGED, 3), ("clothes", "clothes", CLOTHES, 2), ("LeNet", "clothes, images", LENET, 1),
                ("weak signal, small net", "weak", WEAK, 2), ("short", "clusters", changed(CLUSTERS, epochs=3), 2),
                ("rings, four layers", "rings", relaid(RINGS, dense(16, 16, 16, 16, out=2)), 3),
                ("surface, AdamW", "surface", changed(SURFACE, optimizer={"type": "adamw", "learning_rate": 0.005, "weight_decay": 0.01}), 2),
                ("large batch", "clusters", changed(CLUSTERS, batch_size=128, epochs=40), 2))
