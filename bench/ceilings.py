"""What the processor could do with a workload's matrix products, by bench/ceiling.c."""
import json
import subprocess


class Ceilings:
    def __init__(self, program):
        self.process = subprocess.Popen([program], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.peak = json.loads(self.process.stdout.readline())["peak"]
        self.rates = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def rate(self, *shape):
        if shape not in self.rates:
            self.process.stdin.write(" ".join(map(str, shape)) + "\n")
            self.process.stdin.flush()
            self.rates[shape] = json.loads(self.process.stdout.readline())["rate"]
        return self.rates[shape]

    def seconds(self, workload):
        """One core's, for the products of a step alone."""
        return sum(2 * m * n * k * times / 1e9 / self.rate(transpose_a, transpose_b, m, n, k)
                   for transpose_a, transpose_b, m, n, k, times in workload.step_products())
