"""The campaigns in short, for every test run: that they still work, and the same promises on a small scale."""
import os
import sys
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chaos  # noqa: E402
import load  # noqa: E402
import torture  # noqa: E402
from harness import Server  # noqa: E402
from workload import Workload  # noqa: E402


class Short(unittest.TestCase):
    def hold(self, told):
        failures, line = told
        print(line)
        self.assertEqual(failures, [])

    def test_chaos(self):
        self.hold(chaos.campaign(kills=6, seed=7, kinds_count=1))

    def test_memory(self):
        self.hold(torture.memory(every=61))

    def test_files(self):
        self.hold(torture.files(every=7))

    def test_hungry_jobs(self):
        self.hold(torture.hungry(every=50))

    def test_damage(self):
        self.hold(torture.damage(every=12))

    def test_viewers(self):
        self.hold(load.viewers(types.SimpleNamespace(viewers=60, seconds=4)))

    def test_queue(self):
        self.hold(load.queue(types.SimpleNamespace(jobs=60)))

    def test_bodies(self):
        self.hold(load.body(None))

    def test_everything_at_once(self):
        with Server("--workers", "2") as server:
            with Workload(server, threads=4) as work:
                work.stopping.wait(4)
            self.assertEqual(work.mistakes, [])
            self.assertGreater(sum(work.counts.values()), 20)
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
