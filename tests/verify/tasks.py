"""What must be reached, on which data, with which job: a row of docs/results.md each.

A task's `measure` gets a finished job and returns the one number that counts; `must` says where it has to lie."""
import math

from tests.verify import data

TASKS = {}


class Task:
    def __init__(self, name, *, title, model, reference, must, better, dataset, job, measure, unit="%"):
        self.name, self.title, self.model, self.reference = name, title, model, reference
        self.must, self.better, self.unit = must, better, unit
        self.dataset, self.job, self.measure = dataset, job, measure
        TASKS[name] = self

    def reached(self, value):
        return value >= self.must if self.better == "more" else value <= self.must


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
              {"type": "flatten"}, dense(120, "relu"), dense(84, "relu"), dense(10)]},
          "training": {"epochs": 15, "batch_size": 64, "validation_split": 0.05, "optimizer": adam(2e-3),
                       "schedule": {"type": "cosine"}}})


def conv(filters):
    return [{"type": "conv2d", "filters": filters, "kernel_size": 3, "padding": "same", "use_bias": False},
            {"type": "batch_norm"}, {"type": "activation", "function": "relu"}]


Task("fashion_cnn", title="Fashion-MNIST", model="small CNN, batch norm, augmentation", must=92.5, better="more",
     reference="2 conv, < 100K parameters: 92.5 % (upstream README)",
     dataset=lambda: data.images("fashion-mnist"), measure=test_accuracy,
     job={"model": {"input": {"shape": [28, 28, 1]}, "layers": [
              *conv(32), {"type": "max_pool2d"}, *conv(64), {"type": "max_pool2d"}, *conv(64),
              {"type": "global_avg_pool"}, dense(10)]},
          "training": {"epochs": 15, "batch_size": 64, "validation_split": 0.05, "optimizer": adam(3e-3),
                       "schedule": {"type": "one_cycle"},
                       "augment": ["flip_horizontal", {"type": "crop", "padding": 2}]}})

# ---- tables ----

TABLES = [
    ("iris", "iris.csv", 95.5, "MLP, 32 hidden: 93.3-96.7 %"),
    ("wine", "wine.csv", 97.1, "MLP, 32 hidden: 97.1 %"),
    ("breast_cancer", "breast_cancer.csv", 100.0, "MLP, 32 hidden: 100 %"),
    ("digits", "digits.csv.gz", 97.8, "MLP, 32 hidden: 96.9-97.8 %"),
]
for name, file, must, reference in TABLES:
    Task(name, title=f"{name}, mod-5 split", model="MLP, 32 hidden", must=must, better="more",
         reference=f"{reference} (computed, {README})", dataset=lambda file=file: data.tabular(file),
         measure=test_accuracy,
         job={"model": {"layers": [dense(32, "relu"), dense({"iris": 3, "wine": 3, "breast_cancer": 2, "digits": 10}[name])]},
              "training": {"epochs": 60, "batch_size": 16, "validation_split": 0, "optimizer": adam(3e-3)}})

Task("diabetes", title="diabetes, mod-5 split", model="MLP, 8 hidden", must=57.26, better="less", unit="RMSE",
     reference=f"least squares: RMSE 57.26 (computed, {README})", dataset=lambda: data.tabular("diabetes.csv"),
     measure=test_rmse,
     job={"model": {"layers": [dense(8, "tanh"), dense(1)]},
          "training": {"epochs": 60, "batch_size": 16, "validation_split": 0,
                       "optimizer": adam(3e-3, weight_decay=1e-2)}})

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
