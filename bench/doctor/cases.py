"""The doctor's bench: faulty jobs, each beside a healthy twin, and healthy jobs.

A fault is a change of its twin's job (or dataset); `codes` are those of which one must stand first among the findings, where the fault
strikes. Several answers are right where one mechanism has several names: a net that a huge rate kills has dead units too.
"""
import copy

import data


def dense(*widths, activation="relu", out=None, **more):
    layers = [{"type": "dense", "units": w, "activation": activation, **more} for w in widths]
    return layers + ([{"type": "dense", "units": out}] if out else [])


def job(layers, epochs=40, rate=0.01, optimizer="adam", batch=16, seed=1, **training):
    optimizer = {"type": optimizer, "learning_rate": rate} if isinstance(optimizer, str) else optimizer
    return {"model": {"layers": layers},
            "training": {"epochs": epochs, "batch_size": batch, "seed": seed, "optimizer": optimizer, **training}}


def changed(base, **training):
    new = copy.deepcopy(base)
    new["training"].update(training)
    return new


def relaid(base, layers, **training):
    new = changed(base, **training)
    new["model"]["layers"] = layers
    return new


def each_layer(base, **keys):
    """With these keys in every layer that has units or filters, but the last."""
    new = copy.deepcopy(base)
    layers = new["model"]["layers"]
    for layer in layers[:-1]:
        if "units" in layer or "filters" in layer:
            layer.update(keys)
    return new


def all_layers(base, **keys):
    new = each_layer(base, **keys)
    new["model"]["layers"][-1].update(keys)
    return new


def sgd(rate, **more):
    return {"type": "sgd", "learning_rate": rate, **more}


def adam(rate, **more):
    return {"type": "adam", "learning_rate": rate, **more}


def lenet(activation="relu", out=10, pool="max_pool2d"):
    return [{"type": "conv2d", "filters": 6, "kernel_size": 5, "padding": "same", "activation": activation},
            {"type": pool}, {"type": "conv2d", "filters": 12, "kernel_size": 3, "activation": activation}, {"type": pool},
            {"type": "flatten"}, {"type": "dense", "units": 40, "activation": activation}, {"type": "dense", "units": out}]


def small_conv(out=2, activation="relu"):
    return [{"type": "conv2d", "filters": 6, "kernel_size": 3, "activation": activation}, {"type": "max_pool2d"},
            {"type": "flatten"}, {"type": "dense", "units": 16, "activation": activation}, {"type": "dense", "units": out}]


def recurrent(kind="gru", units=12, out=2):
    return [{"type": kind, "units": units}, {"type": "dense", "units": out}]


def transformer(out=2, width=16):
    return [{"type": "embedding", "units": width}, {"type": "positional_embedding"},
            {"type": "transformer_block", "heads": 2, "ff_units": 32}, {"type": "global_avg_pool"}, {"type": "dense", "units": out}]


def language(vocabulary, units=32):
    return [{"type": "embedding", "units": 16}, {"type": "gru", "units": units, "return_sequences": True},
            {"type": "dense", "units": vocabulary}]


def gcn(units=16, out=3):
    return [{"type": "gcn_conv", "units": units, "activation": "relu"}, {"type": "gcn_conv", "units": out}]


CIRCLES = job(dense(16, 16, out=2), epochs=30)
BLOBS = job(dense(16, 16, out=4), epochs=15)
MOONS = job(dense(24, 24, out=2))
FRIEDMAN = job(dense(32, 32, out=1), epochs=40)
SINE = job(dense(32, 32, out=1), epochs=60)
PATTERNS = job(recurrent(), epochs=15)
BARS = job(small_conv(), epochs=8)
GRAPH = job(gcn(), epochs=80)
SENTENCES = job(transformer(), epochs=15)
IRIS = job(dense(16, out=3), epochs=60)
WINE = job(dense(16, out=3), epochs=30)
CANCER = job(dense(16, 8, out=2), epochs=20)
DIGITS = job(dense(64, out=10), epochs=12, batch=32, rate=0.005)
DIABETES = job(dense(8, out=1), epochs=30, rate=0.005)
MNIST = job(dense(64, 32, out=10), epochs=8, batch=32, rate=0.003)
LENET = job(lenet(), epochs=6, batch=32, rate=0.003)
FLAT = [{"type": "flatten"}]
SUNSPOTS = job(FLAT + dense(16, out=1), epochs=25)


def datasets():
    """Name → maker. The public ones raise OSError where they are not there."""
    return {
        "circles": lambda: data.circles(rows=600), "blobs": lambda: data.blobs(count=4, rows=800, seed=1),
        "moons": lambda: data.moons(), "friedman": lambda: data.friedman(), "sine": lambda: data.sine(),
        "patterns": lambda: data.patterns(), "bars": lambda: data.bars(), "graph": lambda: data.community(),
        "sentences": lambda: data.sentences(), "verse": lambda: data.verse(),
        "wide": lambda: data.blobs(count=5, rows=500, width=20, spread=3.5, seed=3),
        "few": lambda: data.blobs(count=2, rows=240, width=30, spread=16.0, seed=5),
        "weak": lambda: data.weak_signal(rows=500, width=40, noise=2.0),
        "noisy numbers": lambda: data.friedman(rows=200, noise=2.5, seed=3), "hard": lambda: data.moons(noise=0.35, seed=2),
        "rare": lambda: data.blobs(count=2, rows=600, width=2, spread=3.2, seed=8, weights=[24, 1]),
        "large targets": lambda: data.friedman(scale=400, offset=50000),
        "large inputs": lambda: data.friedman(input_scale=300),
        "iris": lambda: data.table("iris.csv"), "wine": lambda: data.table("wine.csv"),
        "cancer": lambda: data.table("breast_cancer.csv"), "diabetes": lambda: data.table("diabetes.csv", task="regression"),
        "digits": lambda: data.table("digits.csv.gz", rows=900),
        "mnist": lambda: data.images("mnist", rows=800, flat=True, half=True),
        "mnist images": lambda: data.images("mnist", rows=600, half=True),
        "fashion": lambda: data.images("fashion-mnist", rows=800, flat=True, half=True),
        "spam": lambda: data.messages(), "sunspots": lambda: data.series("sunspots.csv", "sunspots"),
        "passengers": lambda: data.series("airpassengers.csv", list_column("airpassengers.csv")),
        "shakespeare": lambda: data.shakespeare(),
        "flipped": lambda: data.flip_labels(data.blobs(count=4, rows=400, spread=0.8, seed=1), 0.2),
        "shuffled": lambda: data.shuffle_targets(data.blobs(count=3, rows=300, width=4, seed=4)),
        "shuffled numbers": lambda: data.shuffle_targets(data.friedman()),
        "repeated": lambda: data.repeat_rows(data.moons(rows=200, noise=0.3), 2),
        "told": lambda: data.add_answer(data.friedman()),
        "shifted": lambda: data.own_split(data.friedman(), key=lambda row: row[3]),
    }


def list_column(name):
    with open(data.PUBLIC / "timeseries" / name) as file:
        return file.readline().strip().split(",")[-1]


HIGH = {"learning_rate_too_high", "exploding_gradient", "non_finite"}
HIGH_DEAD = HIGH | {"dead_units", "saturated_units"}
LOW = {"learning_rate_too_low"}
VANISH = {"vanishing_gradient", "frozen_layers"}
DEAD = {"dead_units", "vanishing_gradient", "seed_sensitive", "frozen_layers"}
SMALL = {"initial_weights_too_small", "vanishing_gradient"}
LARGE = {"initial_weights_too_large", "exploding_gradient", "saturated_units", "dead_units", "initial_loss_off"}
OUTPUT = {"wrong_output_activation"}


def faults():
    """(name, dataset, twin, faulty, codes, seeds). A dataset named as "twin → faulty" differs too."""
    deep_sigmoid = [dense(*[width] * depth, activation="sigmoid", out=out)
                    for width, depth, out in ((8, 8, 2), (6, 10, 4), (12, 6, 4))]
    deep_relu = [dense(*[width] * depth, out=out) for width, depth, out in ((3, 12, 2), (2, 9, 4), (4, 16, 2))]
    yield from (("vanishing: circles, 8 sigmoids", "circles", CIRCLES, relaid(CIRCLES, deep_sigmoid[0]), VANISH, 2),
                ("vanishing: blobs, 10 sigmoids, SGD", "blobs", BLOBS, relaid(BLOBS, deep_sigmoid[1], optimizer=sgd(0.1)), VANISH, 2),
                ("vanishing: blobs, 6 sigmoids, SGD", "blobs", BLOBS, relaid(BLOBS, deep_sigmoid[2], optimizer=sgd(0.1)), VANISH, 2),
                ("vanishing: MNIST, 7 sigmoids", "mnist", MNIST,
                 relaid(MNIST, dense(*[32] * 7, activation="sigmoid", out=10), optimizer=sgd(0.1)), VANISH, 1),
                ("vanishing: regression, 8 sigmoids", "friedman", FRIEDMAN,
                 relaid(FRIEDMAN, dense(*[8] * 8, activation="sigmoid", out=1)), VANISH, 1),
                ("vanishing: LeNet with sigmoids", "mnist images", LENET,
                 relaid(LENET, lenet("sigmoid", pool="avg_pool2d"), optimizer=sgd(0.1)), VANISH | LOW, 1),
                ("dead: circles, 12 narrow ReLUs", "circles", CIRCLES, relaid(CIRCLES, deep_relu[0]), DEAD, 3),
                ("dead: blobs, 9 ReLUs of 2", "blobs", BLOBS, relaid(BLOBS, deep_relu[1]), DEAD, 3),
                ("dead: circles, 16 ReLUs of 4", "circles", CIRCLES, relaid(CIRCLES, deep_relu[2]), DEAD, 3),
                ("dead: biases of -10", "moons", MOONS,
                 each_layer(MOONS, bias_init={"type": "constant", "value": -10}), DEAD, 1),
                ("dead: convolution, biases of -20", "bars", BARS,
                 each_layer(BARS, bias_init={"type": "constant", "value": -20}), DEAD, 1),
                ("saturated: tanh, weights of 20", "moons", relaid(MOONS, dense(24, 24, activation="tanh", out=2), optimizer=sgd(0.01)),
                 relaid(MOONS, dense(24, 24, activation="tanh", out=2, kernel_init={"type": "normal", "scale": 20}),
                        optimizer=sgd(0.01)), LARGE, 1),
                ("saturated: sigmoid, unscaled inputs", "large inputs", relaid(FRIEDMAN, dense(32, activation="sigmoid", out=1)),
                 relaid(FRIEDMAN, dense(32, activation="sigmoid", out=1), standardize=False),
                 {"unscaled_features", "saturated_units"}, 1))
    yield from (("rate high: circles, SGD 30", "circles", CIRCLES, changed(CIRCLES, optimizer=sgd(30)), HIGH_DEAD, 2),
                ("rate high: blobs, Adam 2", "blobs", BLOBS, changed(BLOBS, optimizer=adam(2)), HIGH_DEAD, 2),
                ("rate high: regression, SGD 3", "friedman", FRIEDMAN, changed(FRIEDMAN, optimizer=sgd(3)), HIGH, 1),
                ("rate high: regression, Adam 1", "friedman", FRIEDMAN, changed(FRIEDMAN, optimizer=adam(1)), HIGH_DEAD, 2),
                ("rate high: momentum 0.99, SGD 0.5", "sine", SINE, changed(SINE, optimizer=sgd(0.5, momentum=0.99)), HIGH_DEAD, 1),
                ("rate high: MNIST, Adam 0.5", "mnist", MNIST, changed(MNIST, optimizer=adam(0.5)), HIGH_DEAD, 1),
                ("rate high: LeNet, Adam 0.3", "mnist images", LENET, changed(LENET, optimizer=adam(0.3)), HIGH_DEAD, 1),
                ("rate high: GRU, Adam 1", "patterns", PATTERNS, changed(PATTERNS, optimizer=adam(1)), HIGH_DEAD, 1),
                ("rate high: transformer, Adam 0.5", "sentences", SENTENCES, changed(SENTENCES, optimizer=adam(0.5)), HIGH_DEAD, 1),
                ("rate high: GCN, Adam 5", "graph", GRAPH, changed(GRAPH, optimizer=adam(5)), HIGH_DEAD, 1),
                ("rate high: iris, RMSprop 3", "iris", IRIS, changed(IRIS, optimizer={"type": "rmsprop", "learning_rate": 3}),
                 HIGH_DEAD, 1))
    yield from (("rate low: circles, SGD 1e-5", "circles", CIRCLES, changed(CIRCLES, optimizer=sgd(1e-5)), LOW, 1),
                ("rate low: blobs, Adam 1e-6", "blobs", BLOBS, changed(BLOBS, optimizer=adam(1e-6)), LOW, 1),
                ("rate low: regression, SGD 1e-5", "friedman", FRIEDMAN, changed(FRIEDMAN, optimizer=sgd(1e-5)), LOW, 1),
                ("rate low: digits, Adam 3e-6", "digits", DIGITS, changed(DIGITS, optimizer=adam(3e-6)), LOW, 1),
                ("rate low: convolution, SGD 1e-5", "bars", BARS, changed(BARS, optimizer=sgd(1e-5)), LOW, 1),
                ("rate low: LSTM, Adam 1e-6", "patterns", relaid(PATTERNS, recurrent("lstm")),
                 relaid(PATTERNS, recurrent("lstm"), optimizer=adam(1e-6)), LOW, 1),
                ("rate low: GCN, SGD 1e-4", "graph", GRAPH, changed(GRAPH, optimizer=sgd(1e-4)), LOW, 1),
                ("rate low: transformer, SGD 1e-5", "sentences", SENTENCES, changed(SENTENCES, optimizer=sgd(1e-5)), LOW, 1),
                ("rate low: the schedule ends it", "moons", MOONS,
                 changed(MOONS, schedule={"type": "exponential", "factor": 0.01}, optimizer=adam(0.0005)), LOW, 1),
                ("rate low: clipped to nothing", "moons", MOONS, changed(MOONS, optimizer=sgd(0.05), clip_norm=1e-5), LOW, 1),
                ("rate low: language, Adam 1e-6", "verse", job(language(0), epochs=2, rate=0.005),
                 job(language(0), epochs=2, rate=1e-6), LOW, 1))
    constant = {"kernel_init": {"type": "constant", "value": 0.1}}
    yield from (("symmetric: all 0", "moons", MOONS, all_layers(MOONS, kernel_init="zeros"), {"symmetric_units"}, 1),
                ("symmetric: all 0.1", "blobs", BLOBS, all_layers(BLOBS, **constant), {"symmetric_units"}, 1),
                ("symmetric: regression, ones", "friedman", FRIEDMAN, all_layers(FRIEDMAN, kernel_init="ones"),
                 {"symmetric_units", "initial_weights_too_large", "initial_loss_off"}, 1),
                ("symmetric: convolution, 0.1", "bars", BARS, all_layers(BARS, **constant), {"symmetric_units"}, 1),
                ("start small: 5 layers of 1e-3", "circles", relaid(CIRCLES, dense(*[16] * 5, out=2), optimizer=sgd(0.1)),
                 relaid(CIRCLES, dense(*[16] * 5, out=2, kernel_init={"type": "normal", "scale": 1e-3}), optimizer=sgd(0.1)), SMALL, 1),
                ("start small: MNIST, 1e-4", "mnist", relaid(MNIST, dense(64, 32, 32, out=10), optimizer=sgd(0.1)),
                 relaid(MNIST, dense(64, 32, 32, out=10, kernel_init={"type": "normal", "scale": 1e-4}), optimizer=sgd(0.1)), SMALL, 1),
                ("start large: blobs, 10", "blobs", relaid(BLOBS, dense(16, 16, 16, out=4), optimizer=sgd(0.01)),
                 relaid(BLOBS, dense(16, 16, 16, out=4, kernel_init={"type": "normal", "scale": 10}), optimizer=sgd(0.01)), LARGE | HIGH, 1),
                ("start large: regression, 5", "friedman", relaid(FRIEDMAN, dense(32, 32, 32, out=1)),
                 relaid(FRIEDMAN, dense(32, 32, 32, out=1, kernel_init={"type": "normal", "scale": 5})), LARGE | HIGH, 1),
                ("start large: digits, 3", "digits", relaid(DIGITS, dense(64, 64, 64, out=10), optimizer=sgd(0.01)),
                 relaid(DIGITS, dense(64, 64, 64, out=10, kernel_init={"type": "normal", "scale": 3}), optimizer=sgd(0.01)), LARGE | HIGH, 1))
    frozen = relaid(CIRCLES, dense(3, 3, out=2, trainable=False))
    yield from (("frozen: circles, lower layers", "circles", CIRCLES, frozen, {"frozen_layers"}, 2),
                ("frozen: convolution", "mnist images", LENET,
                 relaid(LENET, [{**layer, "trainable": False} for layer in lenet()[:-1]] + lenet()[-1:]), {"frozen_layers"}, 1),
                ("overfitting: few rows, large net", "few", job(dense(4, out=2), epochs=15, rate=0.003),
                 job(dense(128, 128, out=2), epochs=200, rate=0.003), {"overfitting"}, 2),
                ("overfitting: hard moons", "hard", job(dense(8, out=2), epochs=30),
                 job(dense(128, 128, 64, out=2), epochs=250, rate=0.003), {"overfitting"}, 1),
                ("overfitting: diabetes", "diabetes", DIABETES, job(dense(128, 128, out=1), epochs=120, rate=0.002), {"overfitting"}, 1),
                ("overfitting: noisy numbers", "noisy numbers", job(dense(12, out=1), epochs=60),
                 job(dense(128, 128, out=1), epochs=300, rate=0.003), {"overfitting"}, 2),
                ("overfitting: weak signal", "weak", job(dense(out=1), epochs=20, rate=0.01),
                 job(dense(128, 128, out=1), epochs=200, rate=0.003), {"overfitting"}, 3),
                ("overfitting: weak signal, by heart", "weak", job(dense(out=1), epochs=20, rate=0.01),
                 job(dense(256, out=1), epochs=300, rate=0.003), {"overfitting"}, 2),
                ("overfitting: sunspots", "sunspots", SUNSPOTS, relaid(SUNSPOTS, FLAT + dense(128, 128, out=1), epochs=200), {"overfitting"}, 1),
                ("overfitting: language", "shakespeare", job(language(0), epochs=5, rate=0.005),
                 job(language(0, units=96), epochs=40, rate=0.01), {"overfitting"}, 1))
    yield from (("regularised: decay 1, SGD", "moons", MOONS, changed(MOONS, optimizer=sgd(0.1, weight_decay=1)), {"over_regularized"}, 1),
                ("regularised: decay 0.5, Adam", "friedman", FRIEDMAN, changed(FRIEDMAN, optimizer=adam(0.01, weight_decay=0.5)),
                 {"over_regularized"}, 1),
                ("regularised: AdamW, 30", "blobs", BLOBS,
                 changed(BLOBS, optimizer={"type": "adamw", "learning_rate": 0.01, "weight_decay": 30}), {"over_regularized"}, 1),
                ("regularised: dropout 0.9", "circles", CIRCLES,
                 relaid(CIRCLES, [{"type": "dense", "units": 16, "activation": "relu"}, {"type": "dropout", "rate": 0.9},
                                  {"type": "dense", "units": 16, "activation": "relu"}, {"type": "dropout", "rate": 0.9},
                                  {"type": "dense", "units": 2}]), {"over_regularized"}, 1),
                ("noisy: batch 1, SGD 0.3", "hard", changed(MOONS, optimizer=sgd(0.1), batch_size=32),
                 changed(MOONS, optimizer=sgd(0.3), batch_size=1), {"noisy_gradient", "learning_rate_too_high", "dead_units"}, 2),
                ("noisy: batch 1, regression", "friedman", FRIEDMAN, changed(FRIEDMAN, optimizer=adam(0.05), batch_size=1),
                 {"noisy_gradient", "learning_rate_too_high"}, 1))
    yield from (("output: ReLU before cross-entropy", "blobs", BLOBS, relaid(BLOBS, dense(16, 16, out=4)[:-1] + [
                    {"type": "dense", "units": 4, "activation": "relu"}]), OUTPUT, 1),
                ("output: sigmoid before cross-entropy", "digits", DIGITS,
                 relaid(DIGITS, dense(64) + [{"type": "dense", "units": 10, "activation": "sigmoid"}]), OUTPUT, 1),
                ("output: softmax twice", "wine", WINE, relaid(WINE, dense(16) + [{"type": "dense", "units": 3, "activation": "softmax"}]),
                 OUTPUT, 1),
                ("output: sigmoid, regression", "friedman", FRIEDMAN,
                 relaid(FRIEDMAN, dense(32, 32) + [{"type": "dense", "units": 1, "activation": "sigmoid"}]), OUTPUT, 1),
                ("output: ReLU, regression", "sine", SINE,
                 relaid(SINE, dense(32, 32) + [{"type": "dense", "units": 1, "activation": "relu"}]), OUTPUT, 1),
                ("output: sigmoid, series", "sunspots", SUNSPOTS,
                 relaid(SUNSPOTS, FLAT + dense(16) + [{"type": "dense", "units": 1, "activation": "sigmoid"}]), OUTPUT, 1),
                ("loss: Huber, delta 1e-4", "sine", changed(SINE, optimizer=sgd(0.05)), changed(SINE, loss={"type": "huber", "delta": 1e-4}, optimizer=sgd(0.05)),
                 {"wrong_loss", "learning_rate_too_low"}, 1),
                ("loss: class weights 1 : 1000", "moons", MOONS,
                 changed(MOONS, loss={"type": "cross_entropy", "class_weight": [1, 1000]}), {"wrong_loss"}, 1),
                ("linear: circles", "circles", CIRCLES, relaid(CIRCLES, dense(16, 16, activation="linear", out=2)),
                 {"missing_nonlinearity"}, 1),
                ("linear: regression", "sine", SINE, relaid(SINE, dense(32, 32, activation="linear", out=1)),
                 {"missing_nonlinearity"}, 1),
                ("unscaled: targets", "large targets", FRIEDMAN, changed(FRIEDMAN, standardize=False),
                 {"unscaled_features", "initial_loss_off"}, 1),
                ("unscaled: inputs, SGD", "large inputs", FRIEDMAN, changed(FRIEDMAN, standardize=False, optimizer=sgd(0.01)),
                 {"unscaled_features"} | HIGH, 1),
                ("unscaled: wine", "wine", WINE, changed(WINE, standardize=False, optimizer=sgd(0.05)), {"unscaled_features"} | HIGH, 1),
                ("unscaled: pixels", "mnist", changed(MNIST, optimizer=sgd(0.1)), changed(MNIST, optimizer=sgd(0.1), standardize=False),
                 {"unscaled_features"} | HIGH_DEAD, 1))
    yield from (("imbalance: 24 : 1", "rare", relaid(BLOBS, dense(16, out=2), epochs=20),
                 relaid(BLOBS, dense(16, out=2), epochs=20), {"class_imbalance"}, 1),
                ("labels: a fifth is wrong", "blobs → flipped", BLOBS, relaid(BLOBS, dense(128, 128, out=4), epochs=150),
                 {"label_noise", "overfitting"}, 1),
                ("targets: shuffled classes", "blobs → shuffled", BLOBS, relaid(BLOBS, dense(16, out=3), epochs=30),
                 {"unrelated_targets", "overfitting"}, 1),
                ("targets: shuffled numbers", "friedman → shuffled numbers", FRIEDMAN, FRIEDMAN, {"unrelated_targets", "overfitting"}, 1),
                ("leak: rows twice", "hard → repeated", MOONS, MOONS, {"leakage"}, 1),
                ("leak: the answer among the inputs", "friedman → told", FRIEDMAN, FRIEDMAN, {"leakage"}, 1),
                ("shift: validation beyond training", "friedman → shifted", FRIEDMAN, FRIEDMAN, {"validation_shift", "overfitting"}, 1))


# Faults of the data itself: that a finding stands first is all there is to ask, for no patch of the job mends them, and the result
# cannot tell that they struck.
OF_DATA = ("imbalance:", "labels:", "targets:", "leak:", "shift:")


def healthy():
    """(name, dataset, job, seeds)."""
    yield from (("circles", "circles", CIRCLES, 3), ("circles, tanh", "circles", relaid(CIRCLES, dense(16, 16, activation="tanh", out=2)), 2),
                ("circles, one layer", "circles", relaid(CIRCLES, dense(32, out=2)), 2), ("blobs", "blobs", BLOBS, 3),
                ("blobs, SGD", "blobs", changed(BLOBS, optimizer=sgd(0.1)), 2), ("moons", "moons", MOONS, 2),
                ("noisy moons", "hard", relaid(MOONS, dense(8, out=2)), 3),
                ("moons, one sigmoid layer", "moons", relaid(MOONS, dense(24, activation="sigmoid", out=2), epochs=60), 2),
                ("deep with norms", "circles", relaid(CIRCLES, [layer for _ in range(6) for layer in (
                    {"type": "dense", "units": 16}, {"type": "batch_norm"}, {"type": "activation", "function": "relu"})] + dense(out=2)), 2),
                ("deep residual", "moons", relaid(MOONS, dense(16) + [
                    {"type": "residual", "layers": dense(16, 16)} for _ in range(4)] + dense(out=2)), 2),
                ("friedman", "friedman", FRIEDMAN, 3), ("friedman, SGD", "friedman", changed(FRIEDMAN, optimizer=sgd(0.02, momentum=0.9)), 2),
                ("friedman, huber", "friedman", changed(FRIEDMAN, loss="huber"), 1), ("sine", "sine", SINE, 2),
                ("patterns, GRU", "patterns", PATTERNS, 2), ("patterns, LSTM", "patterns", relaid(PATTERNS, recurrent("lstm")), 1),
                ("patterns, RNN", "patterns", relaid(PATTERNS, recurrent("rnn")), 1), ("bars, convolution", "bars", BARS, 2),
                ("graph, GCN", "graph", GRAPH, 2), ("sentences, transformer", "sentences", SENTENCES, 2),
                ("verse, language", "verse", job(language(0), epochs=4, rate=0.005), 1),
                ("wide blobs", "wide", job(dense(32, out=5), epochs=20, rate=0.005), 2), ("few rows", "few", job(dense(4, out=2), epochs=15, rate=0.003), 2),
                ("short", "blobs", changed(BLOBS, epochs=4), 2), ("with dropout", "wide", job(dense(32) + [{"type": "dropout", "rate": 0.3}] + dense(out=5), epochs=20, rate=0.005), 1),
                ("early stopping", "hard", relaid(MOONS, dense(32, 32, out=2), epochs=100, early_stopping={"patience": 8, "restore_best": True}), 1),
                ("cosine", "blobs", changed(BLOBS, schedule="cosine"), 1), ("iris", "iris", IRIS, 3), ("wine", "wine", WINE, 2),
                ("cancer", "cancer", CANCER, 2), ("diabetes", "diabetes", DIABETES, 2), ("digits", "digits", DIGITS, 2),
                ("MNIST", "mnist", MNIST, 2), ("fashion", "fashion", MNIST, 1), ("LeNet", "mnist images", LENET, 1),
                ("LeNet, SGD", "mnist images", changed(LENET, optimizer=sgd(0.05, momentum=0.9)), 1), ("spam", "spam", job([
                    {"type": "embedding", "units": 16}, {"type": "global_avg_pool"}, {"type": "dense", "units": 2}], epochs=15), 1),
                ("sunspots", "sunspots", SUNSPOTS, 2), ("passengers", "passengers", job(FLAT + dense(16, out=1), epochs=60), 1),
                ("shakespeare", "shakespeare", job(language(0), epochs=3, rate=0.005), 1))
