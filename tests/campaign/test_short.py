"""The campaigns in short, for every test run: that they still work, and the same promises on a small scale."""
import os
import socket
import struct
import sys
import time
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chaos  # noqa: E402
import load  # noqa: E402
import torture  # noqa: E402
from harness import Server  # noqa: E402
from held import Held  # noqa: E402
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

    def test_memory_of_what_is_short(self):
        """Each allocation: refusals, predictions and word tokenizers told another reason, or less than all."""
        for kind in ("a refusal", "no JSON", "a prediction", "a dataset of texts"):
            self.hold(torture.memory(every=1, only=kind))

    def test_files(self):
        self.hold(torture.files(every=7))

    def test_hungry_jobs(self):
        self.hold(torture.hungry(every=50))

    def test_damage(self):
        self.hold(torture.damage(every=12))

    def test_held_connections_are_counted(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            with Held(listener.getsockname()[1], os.getpid(), every=0.02) as held:
                begin = time.monotonic()
                clients = [socket.create_connection(listener.getsockname()) for _ in range(2)]
                ends = [listener.accept()[0] for _ in range(2)]
                while held.now < 2:
                    held.wait()
                time.sleep(0.3)
                # One is reset; its client, which does not look, keeps its end open.
                ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                ends[0].close()
                while held.now == 2:
                    held.wait()
                reset = time.monotonic() - begin
                time.sleep(0.7)
            lives = sorted(held.lives)
            for one in (*clients, ends[1]):
                one.close()
        self.assertEqual(len(lives), 2)
        self.assertLess(lives[0], reset)
        self.assertGreater(lives[1] - lives[0], 0.5)

    def test_a_gap_is_told(self):
        def metrics(number, *steps):
            listed = ",".join(map(str, steps))
            return b'id: %d\nevent: metrics\ndata: {"series":{"train_loss":{"step":[%s],"value":[%s]}}}' % (
                number, listed.encode(), listed.encode())

        def other(number, kind):
            return b"id: %d\nevent: %s\ndata: {}" % (number, kind)

        log = {1: other(1, b"status"), 2: metrics(2, 1, 2), 3: other(3, b"gradients"), 5: metrics(5, 3), 6: other(6, b"end")}
        old = other(4, b"status")  # since replaced by a newer one
        whole = [*log.values()]
        for seen, sound in ((whole, True), (whole[:3] + [old] + whole[3:], True),
                            (whole[:2] + whole[3:], False),  # nothing that has steps is missing
                            (whole[:1] + whole[2:], False), (whole[:3] + whole[2:], False), (whole[:-1], False),
                            (whole[:3] + [other(4, b"finding")] + whole[3:], False),
                            (whole[:2] + [whole[2] + b" "] + whole[3:], False)):
            crowd, viewer = load.Crowd(0, "job", 0), load.Viewer(True)
            for data in seen:
                viewer.take(crowd, data)
            self.assertEqual(viewer.gap(crowd, log) is None, sound, seen)

    def test_viewers(self):
        self.hold(load.viewers(types.SimpleNamespace(viewers=60, seconds=4)))

    def test_queue(self):
        self.hold(load.queue(types.SimpleNamespace(jobs=60, submit_ms=1000)))  # this machine does other things too

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
