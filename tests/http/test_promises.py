"""The figures that the service promises: accuracy, speed, the same bits, what survives a kill, how it starts and ends."""
import os
import signal
import time
import unittest

from harness import LiveTest, SANITIZED, Server, example, long_job


def model_sha(server, job):
    ended = server.wait(job)
    assert ended["status"] == "succeeded", ended
    return server.get(f"/v1/models/{ended['model']}").json["sha256"], ended


class Learning(LiveTest):
    def test_iris_learns_in_under_two_seconds(self):
        dataset = self.server.upload("iris", "species")
        begin = time.monotonic()
        ended = self.server.wait(self.server.submit(example("iris", dataset=dataset)))
        seconds = time.monotonic() - begin
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertGreaterEqual(ended["metrics"]["val_accuracy"], 0.95)
        if not SANITIZED:
            self.assertLess(seconds, 2)

    def test_digits_learn(self):
        ended = self.server.wait(self.server.submit(example("digits", dataset=self.server.upload("digits", "digit"))))
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertGreaterEqual(ended["metrics"]["val_accuracy"], 0.97)


class SameBits(LiveTest):
    def job(self, **training):
        job = example("digits", dataset=self.server.upload("digits", "digit"), threads=1)
        job["training"] = {**job["training"], **training}
        return job

    def test_the_same_seed_gives_the_same_weights(self):
        job = self.job(epochs=5)
        first, _ = model_sha(self.server, self.server.submit(job))
        second, _ = model_sha(self.server, self.server.submit(job))
        self.assertEqual(first, second)
        job["training"]["seed"] = 2
        other, _ = model_sha(self.server, self.server.submit(job))
        self.assertNotEqual(first, other)

    def test_also_after_the_worker_was_killed_midway(self):
        job = self.job(epochs=100, checkpoint_seconds=0.1)
        left_alone, _ = model_sha(self.server, self.server.submit(job))
        killed = self.server.submit(job)
        self.server.wait_for(killed, lambda state: state["progress"] and state["progress"]["epoch"] >= 25)
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGKILL)
        sha, ended = model_sha(self.server, killed)
        self.assertEqual(sha, left_alone)
        self.assertEqual(ended["attempt"], 2)
        # Nothing recorded is lost or doubled either.
        loss = self.server.get(f"/v1/jobs/{killed}/metrics?points=all&series=train_loss").json["series"]["train_loss"]
        self.assertEqual(loss["step"], list(range(1, ended["plan"]["steps"] + 1)))

    def test_also_after_the_server_was_killed_midway(self):
        job = self.job(epochs=60, checkpoint_seconds=0.1)
        left_alone, _ = model_sha(self.server, self.server.submit(job))
        killed = self.server.submit(job)
        self.server.wait_for(killed, lambda state: state["progress"] and state["progress"]["epoch"] >= 15)
        workers = self.server.workers()
        self.server.kill()
        deadline = time.monotonic() + 5
        while any(os.path.exists(f"/proc/{pid}") for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse([pid for pid in workers if os.path.exists(f"/proc/{pid}")], "workers end with their server")
        self.server.start()
        sha, _ = model_sha(self.server, killed)
        self.assertEqual(sha, left_alone)

    def test_also_with_every_option_that_draws_or_remembers(self):
        """Augmentation, dropout, batch statistics, phases, a plateau; and without the file of the model it started from."""
        first = self.server.wait(self.server.submit(self.job(epochs=1)))
        job = self.job(
            augment=["noise", {"type": "rotate", "degrees": 5}, {"type": "shift", "fraction": 0.13}], clip_norm=1,
            clip_value=0.5, checkpoint_seconds=0.1, schedule={"type": "plateau", "patience": 1, "factor": 0.7},
            phases=[{"epochs": 20, "optimizer": "adam"}, {"epochs": 20, "batch_size": 50},
                    {"epochs": 20, "optimizer": {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9}}])
        del job["training"]["epochs"]
        job["model"] = {"initial": first["model"], "input": {"shape": [8, 8, 1]},
                        "layers": [{"type": "flatten"}, *job["model"]["layers"][:-1], {"type": "batch_norm"},
                                   {"type": "dropout", "rate": 0.2}, job["model"]["layers"][-1]]}
        left_alone, _ = model_sha(self.server, self.server.submit(job))
        for epoch in (12, 32, 50):
            killed = self.server.submit(job)
            self.server.wait_for(killed, lambda state: state["progress"] and state["progress"]["epoch"] >= epoch)
            if epoch == 50:
                os.remove(os.path.join(self.server.folder, "models", first["model"] + ".bpa"))
            [worker] = self.server.workers()
            os.kill(worker, signal.SIGKILL)
            sha, ended = model_sha(self.server, killed)
            self.assertEqual(sha, left_alone, f"killed in epoch {epoch}")
            self.assertEqual(ended["attempt"], 2)


class Process(unittest.TestCase):
    def test_it_starts_fast_and_idles_small(self):
        if SANITIZED:
            self.skipTest("figures of the plain build")
        with Server() as first:
            folder_seconds = first.start_seconds
            first.stop()
            first.start()  # as it is on every later day
            self.assertLess(min(folder_seconds, first.start_seconds), 0.1)
            time.sleep(0.5)
            with open(f"/proc/{first.process.pid}/smaps_rollup", encoding="ascii") as file:
                rss = next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
            self.assertLess(rss, 20 * 1024, "KiB")

    def test_sigterm_drains_and_exits_0(self):
        with Server() as server:
            job = server.submit(long_job(server.upload("digits", "digit"), checkpoint_seconds=60))
            server.wait_for(job, lambda state: state["progress"] and state["progress"]["epoch"] >= 3)
            begin = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begin, 10)
            server.start()
            state = server.wait_for(job, lambda job: job["status"] == "running" and job["progress"]["epoch"] >= 3)
            self.assertEqual(state["error"], None)
            # It went on from where the drain had it checkpointed.
            steps = server.get(f"/v1/jobs/{job}/metrics?points=all&series=train_loss").json["series"]["train_loss"]["step"]
            self.assertEqual(steps, list(range(1, len(steps) + 1)))
            server.post(f"/v1/jobs/{job}/cancel")

    def test_a_second_server_keeps_out(self):
        with Server() as server:
            second = Server(folder=server.folder)
            with self.assertRaises(RuntimeError):
                second.start()
            self.assertEqual(server.get("/readyz").status, 200)

    def test_flags_stand_in_the_environment_too(self):
        with Server(environment={"BACKPROPD_MAX_BODY": "1000"}) as server:
            self.assertEqual(server.post("/v1/datasets", {"inputs": [[1] * 2000], "targets": [1]}).status, 413)


if __name__ == "__main__":
    unittest.main()
