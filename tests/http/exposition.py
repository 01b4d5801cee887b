"""A strict reader of Prometheus' text format, version 0.0.4: what is not exactly right raises."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"^({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)$")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")


def number(text):
    if text in ("+Inf", "-Inf", "NaN"):
        return float(text.replace("Inf", "inf"))
    if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text):
        raise ValueError(f"no number: {text!r}")
    return float(text)


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type, self.samples = name, help_text, None, {}

    def value(self, suffix="", **labels):
        return self.samples[(self.name + suffix, frozenset(labels.items()))]

    def check(self):
        """The conventions of names, and that a histogram is one."""
        assert self.samples or self.type in ("counter", "histogram"), f"{self.name} has no sample"
        if self.type == "counter":
            assert self.name.endswith("_total"), f"the counter {self.name} must end in _total"
        else:
            assert not self.name.endswith(("_total", "_count", "_sum", "_bucket")), self.name
        for unit in ("milliseconds", "_ms", "minutes", "kilobytes", "megabytes", "percent"):
            assert unit not in self.name, f"{self.name} is not in base units"
        for (name, labels), value in self.samples.items():
            if self.type in ("counter", "histogram"):
                assert value >= 0, (name, labels, value)
            if self.type != "histogram":
                assert name == self.name and not any(key in ("le", "quantile") for key, _ in labels), (name, labels)
        if self.type == "histogram":
            self.check_histogram()

    def check_histogram(self):
        series = {}
        for (name, labels), value in self.samples.items():
            labels = dict(labels)
            bound = labels.pop("le", None)
            one = series.setdefault(frozenset(labels.items()), {"buckets": []})
            suffix = name.removeprefix(self.name)
            assert suffix in ("_bucket", "_sum", "_count") and (suffix == "_bucket") == (bound is not None), name
            if bound is not None:
                one["buckets"].append((number(bound), value))
            else:
                one[suffix] = value
        for labels, one in series.items():
            bounds = [bound for bound, _ in one["buckets"]]
            counts = [count for _, count in one["buckets"]]
            assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf, (labels, bounds)
            assert counts == sorted(counts), (labels, counts)
            assert counts[-1] == one["_count"] and "_sum" in one, (labels, one)


def parse(text):
    """Families by name. Help and type come before the samples, each once; no sample comes twice, families are not mixed."""
    assert text.endswith("\n") and "\r" not in text
    families, current = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, help_text = line[7:].partition(" ")
            assert re.fullmatch(NAME, name) and help_text, line
            assert name not in families, f"{name} comes twice"
            current = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            assert current is not None and name == current.name and current.type is None and not current.samples, line
            assert kind in TYPES, line
            current.type = kind
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            name, labels = match[1], re.findall(LABEL, match[2] or "")
            assert current is not None and current.type is not None, line
            base = re.sub(r"_(bucket|sum|count)$", "", name) if current.type == "histogram" else name
            assert base == current.name, f"{name} stands under {current.name}"
            assert len({key for key, _ in labels}) == len(labels), line
            key = (name, frozenset(labels))
            assert key not in current.samples, f"twice: {line}"
            current.samples[key] = number(match[match.lastindex])
    for family in families.values():
        family.check()
    return families
