"""What must be reached, on which data, with which job: a row of docs/results.md each.

A task's `measure` gets a finished job and returns the one number that counts; `must` says where it has to lie."""
import math

from tests.verify import data

TASKS = {}


class Task:
    """`within`: the seconds that a run may take; None where they do not matter."""

    def __init__(self, name, *, title, model, reference, must, better, dataset, job, measure, unit="%", within=None):
        self.name, self.title, self.model, self.reference = name, title, model, reference
        self.must, self.better, self.unit, self.within = must, better, unit, within
        self.dataset, self.job, self.measure = dataset, job, measure
        TASKS[name] = self

    def reached(self, value, seconds):
        good = value >= self.must if self.better == "more" else value <= self.must
        return good and (self.within is None or seconds < self.within)


# ---- what is measured ----

def test_accuracy(run):
    return 100 * run.metrics["test_accuracy"]


def best_validation_loss(run):
    """Of the whole validation part at the end of an epoch, the best; the model that is kept is that epoch's."""
    return run.job["best"]["val_loss"]


def test_rmse(run):
    """Through /predict, as a user has it: the root of the mean squared error over the test rows."""
    body = run.dataset
    if "series" in body:
        rows = [[[value] for value in body["series"][i:i + body["window"]]] for i in body["splits"]["test"]]
        targets = [body["series"][i + body["window"]] for i in body["splits"]["test"]]
    else:
        rows = [body["inputs"][i] for i in body["splits"]["test"]]
        targets = [body["targets"][i] for i in body["splits"]["test"]]
    predictions = run.predict(rows)
    return math.sqrt(sum((p[0] - t) ** 2 for p, t in zip(predictions, targets)) / len(targets))


# ---- parts of jobs ----

def dense(units, activation="linear"):
    return {"type": "dense", "units": units, "activation": activation}


def dropout(rate):
    return {"type": "dropout", "rate": rate}


def adam(rate, **more):
    return {"type": "adam", "learning_rate": rate, **more}


README = "data README"

# ---- images ----

Task("mnist_mlp", title="MNIST", model="MLP 784-256-128-10", must=98.0, better="more",
     reference="3-layer net, 500+150 hidden: 97.05 % (LeCun et al. 1998)",
     dataset=lambda: data.images("mnist"), measure=test_accuracy,
     job={"model": {"input": {"shape": [28, 28, 1]}, "layers": [
              {"type": "flatten"}, dense(256, "relu"), dropout(0.2), dense(128, "relu"), dropout(0.2), dense(10)]},
          "training": {"epochs": 20, "batch_size": 64, "validation_split": 0.05, "optimizer": adam(1e-3),
                       "schedule": {"type": "cosine"}}})

Task("mnist_lenet", title="MNIST", model="LeNet-5", must=99.05, better="more",
     reference="LeNet-5, no distortions: 99.05 % (LeCun et al. 1998)",
     dataset=lambda: data.images("mnist"), measure=test_accuracy,
     job={"model": {"input": {"shape": [28, 28, 1]}, "layers": [
              {"type": "conv2d", "filters": 6, "kernel_size": 5, "padding": "same", "activation": "relu"},
              {"type": "max_pool2d"},
              {"type": "conv2d", "filters": 16, "kernel_size": 5, "activation": "relu"}, {"type": "max_pool2d"},
              {"type": "flatten"}, dropout(0.3), dense(120, "relu"), dropout(0.3), dense(84, "relu"), dense(10)]},
          "training": {"epochs": 20, "batch_size": 64, "validation_split": 0.05, "optimizer": adam(2e-3),
                       "schedule": {"type": "cosine"}}})


def conv(filters):
    return [{"type": "conv2d", "filters": filters, "kernel_size": 3, "padding": "same", "use_bias": False},
            {"type": "batch_norm"}, {"type": "activation", "function": "relu"}]


Task("fashion_cnn", title="Fashion-MNIST", model="small CNN, batch norm, augmentation", must=92.5, better="more",
     reference="2 conv, < 100K parameters: 92.5 % (upstream README)",
     dataset=lambda: data.images("fashion-mnist"), measure=test_accuracy,
     job={"model": {"input": {"shape": [28, 28, 1]}, "layers": [
              *conv(32), {"type": "max_pool2d"}, *conv(64), {"type": "max_pool2d"}, *conv(128), {"type": "flatten"},
              dropout(0.3), {**dense(128), "use_bias": False}, {"type": "batch_norm"},
              {"type": "activation", "function": "relu"}, dropout(0.3), dense(10)]},
          "training": {"epochs": 18, "batch_size": 64, "validation_split": 0.05, "optimizer": adam(3e-3),
                       "schedule": {"type": "one_cycle"},
                       "augment": ["flip_horizontal", {"type": "shift", "fraction": 0.04}]}})

# ---- texts ----

Task("shakespeare_gpt", title="tiny Shakespeare", model="transformer: 4 layers, 4 heads, 128, block 64, batch 12, 2,000 steps",
     must=1.88, better="less", unit="nats", reference="nanoGPT's CPU setting: 1.88 (its README)",
     dataset=data.shakespeare, measure=best_validation_loss,
     job={"model": {"layers": [
              {"type": "embedding", "units": 128}, {"type": "positional_embedding"},
              *({"type": "transformer_block", "heads": 4, "causal": True} for _ in range(4)),
              {"type": "layer_norm"}, {**dense(65), "use_bias": False}]},
          "training": {"steps": 2000, "batch_size": 12, "sequence_length": 64, "validation_split": 0.1, "clip_norm": 1,
                       "optimizer": {"type": "adamw", "learning_rate": 1e-3, "beta2": 0.99, "weight_decay": 0.1},
                       "schedule": {"type": "cosine", "warmup_steps": 100, "final_factor": 0.1}}})

RECURRENT = [  # type, must, steps, dropout, learning rate
    ("lstm", 1.60, 3500, 0.3, 4e-3),
    ("gru", 1.60, 3500, 0.3, 4e-3),
    ("rnn", 1.65, 6000, 0.1, 2e-3),
]
for name, must, steps, rate, learning_rate in RECURRENT:
    Task(f"shakespeare_{name}", title="tiny Shakespeare", model=f"{name.upper()}, 256 units", must=must, better="less",
         unit="nats", within=480, reference=f"trigram counts: 2.066 (computed, {README})",
         dataset=data.shakespeare, measure=best_validation_loss,
         job={"model": {"layers": [{"type": "embedding", "units": 64}, {"type": name, "units": 256, "return_sequences": True},
                                   dropout(rate), dense(65)]},
              "training": {"steps": steps, "batch_size": 32, "sequence_length": 128, "validation_split": 0.1, "clip_norm": 1,
                           "optimizer": adam(learning_rate), "schedule": {"type": "cosine", "warmup_steps": 50}}})

Task("sms", title="SMS spam, mod-5 split", model="embedding, bidirectional GRU, global max pool", must=98.5, better="more",
     reference=f"naive Bayes on word counts: 98.47 % (computed, {README})", dataset=data.sms, measure=test_accuracy,
     job={"model": {"layers": [{"type": "embedding", "units": 128}, dropout(0.5),
                               {"type": "gru", "units": 64, "bidirectional": True, "return_sequences": True},
                               {"type": "global_max_pool"}, dropout(0.5), dense(2)]},
          "training": {"epochs": 8, "batch_size": 32, "validation_split": 0, "clip_norm": 1, "optimizer": adam(2e-3),
                       "schedule": "cosine", "augment": [{"type": "token_dropout", "rate": 0.1}]}})

# ---- graphs ----

Task("cora_gcn", title="Cora, public split", model="GCN, 16 hidden", must=81.0, better="more",
     reference="81.5 % (Kipf & Welling 2017)", dataset=data.cora, measure=test_accuracy,
     job={"model": {"layers": [dropout(0.5), {"type": "gcn_conv", "units": 16, "activation": "relu"},
                               dropout(0.5), {"type": "gcn_conv", "units": 7}]},
          "training": {"epochs": 200, "optimizer": adam(1e-2, weight_decay=5e-4)}})

Task("cora_gat", title="Cora, public split", model="GAT, 8 heads of 8", must=82.0, better="more",
     reference="83.0 % (Veličković et al. 2018)", dataset=data.cora, measure=test_accuracy,
     job={"model": {"layers": [dropout(0.6), {"type": "gat_conv", "units": 8, "heads": 8, "activation": "elu", "dropout": 0.6},
                               dropout(0.6), {"type": "gat_conv", "units": 7, "concat": False, "dropout": 0.6}]},
          "training": {"epochs": 1000, "optimizer": adam(5e-3, weight_decay=5e-4),
                       "early_stopping": {"metric": "val_loss", "patience": 100, "restore_best": True}}})

Task("karate_gcn", title="karate club, 2 members labelled", model="GCN, 16 hidden", must=90, better="more",
     reference="almost without error (Kipf & Welling 2017)", dataset=data.karate, measure=test_accuracy,
     job={"model": {"layers": [{"type": "gcn_conv", "units": 16, "activation": "relu"}, {"type": "gcn_conv", "units": 2}]},
          "training": {"epochs": 200, "optimizer": adam(1e-2, weight_decay=5e-4)}})

# ---- series ----

Task("air_passengers", title="air passengers, last 24 months", model="LSTM, 16 units, on log_difference", must=22, better="less",
     unit="RMSE", reference=f"the last value: 51.78; AR(12): 18.46; AR(13) on logs: 16.94 (computed, {README})",
     dataset=data.air_passengers, measure=test_rmse,
     job={"model": {"layers": [{"type": "lstm", "units": 16}, dense(1)]},
          "training": {"epochs": 200, "batch_size": 16, "clip_norm": 1, "schedule": "cosine",
                       "optimizer": adam(1e-2, weight_decay=1e-3), "augment": [{"type": "noise", "std": 0.1}]}})

# ---- tables ----

TABLES = [  # name, file, must, reference, hidden layer, epochs, optimizer, more
    ("iris", "iris.csv", 96.6, "93.3-96.7 %", dense(32, "tanh"), 200, adam(1e-2, weight_decay=1e-2), {}),
    ("wine", "wine.csv", 97.1, "97.1 %", dense(32, "tanh"), 30, adam(3e-3, weight_decay=1e-2), {}),
    ("breast_cancer", "breast_cancer.csv", 100.0, "100 %", dense(32, "tanh"), 30, adam(3e-3, weight_decay=1e-2), {}),
    ("digits", "digits.csv.gz", 97.8, "96.9-97.8 %", dense(64, "relu"), 60, adam(3e-3, weight_decay=1e-4),
     {"augment": [{"type": "noise", "std": 0.4}]}),
]
CLASSES = {"iris": 3, "wine": 3, "breast_cancer": 2, "digits": 10}
for name, file, must, reference, hidden, epochs, optimizer, more in TABLES:
    Task(name, title=f"{name}, mod-5 split", model=f"MLP, {hidden['units']} hidden", must=must, better="more",
         reference=f"MLP, 32 hidden, 3 seeds: {reference} (computed, {README})", dataset=lambda file=file: data.tabular(file),
         measure=test_accuracy,
         job={"model": {"layers": [hidden, dense(CLASSES[name])]},
              "training": {"epochs": epochs, "batch_size": 16, "validation_split": 0, "optimizer": optimizer,
                           "schedule": "cosine", **more}})

Task("diabetes", title="diabetes, mod-5 split", model="MLP, 32 hidden", must=57.26, better="less", unit="RMSE",
     reference=f"least squares: RMSE 57.26 (computed, {README})", dataset=lambda: data.tabular("diabetes.csv"),
     measure=test_rmse,
     job={"model": {"layers": [dense(32, "relu"), dense(1)]},
          "training": {"epochs": 60, "batch_size": 16, "validation_split": 0, "schedule": "cosine",
                       "optimizer": adam(3e-3, weight_decay=0.1)}})

# ---- depth: what a plain stack of sigmoids cannot learn, and what mends it ----


def vanishing(run):
    """The accuracy of a net that did not learn, once its gradient norms have shown why: each layer's below that of the
    layer behind it, all the way down, by orders of magnitude."""
    norms = [layer["series"]["gradient_norm"]["value"][0] for layer in run.gradients()]
    hidden = norms[:-1]
    assert all(below < above for below, above in zip(hidden, hidden[1:])), hidden
    assert hidden[0] < 1e-6 * hidden[-1], hidden
    return test_accuracy(run)


DEPTH_TRAINING = {"epochs": 40, "batch_size": 32, "validation_split": 0, "optimizer": adam(1e-3)}

Task("sigmoid_20", title="digits, mod-5 split", model="20 sigmoid layers of 32, plain: gradients vanish", must=15, better="less",
     reference="stays at chance: the commonest digit is 14.5 % of the test rows",
     dataset=lambda: data.tabular("digits.csv.gz"), measure=vanishing,
     job={"model": {"layers": [dense(32, "sigmoid") for _ in range(20)] + [dense(10)]}, "training": DEPTH_TRAINING})

Task("residual_20", title="digits, mod-5 split", model="the same depth with ReLU, residuals and batch norm", must=95, better="more",
     reference="MLP with 1 hidden layer: 96.9-97.8 %",
     dataset=lambda: data.tabular("digits.csv.gz"), measure=test_accuracy,
     job={"model": {"layers": [dense(32, "relu")] +
                    [{"type": "residual", "layers": [{"type": "batch_norm"}, dense(32, "relu"), dense(32)]} for _ in range(9)] +
                    [dense(10)]}, "training": DEPTH_TRAINING})
