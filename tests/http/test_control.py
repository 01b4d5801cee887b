"""The queue under the user's hand: pause, resume, stop, cancel; bounds of time, memory and threads; silent workers."""
import json
import os
import signal
import struct
import subprocess
import time
import unittest

from harness import BINARY, LiveTest, PATIENCE, ROOT, SANITIZED, Server, XOR, example, long_job, small_job


def begun(state):
    return state["status"] == "running" and state["progress"] and state["progress"]["epoch"] >= 3


class States(LiveTest):
    flags = ("--workers", "1")

    def setUp(self):
        self.dataset = self.server.upload("digits", "digit")
        self.jobs = []

    def tearDown(self):
        for job in self.jobs:
            self.server.post(f"/v1/jobs/{job}/cancel")

    def submit(self, job=None):
        self.jobs.append(self.server.submit(job or long_job(self.dataset)))
        return self.jobs[-1]

    def wish(self, job, *wishes):
        for wish in wishes:
            answer = self.server.post(f"/v1/jobs/{job}/{wish}")
            self.assertEqual(answer.status, 202, answer)
        return answer.json

    def refused(self, job, *wishes):
        for wish in wishes:
            with self.subTest(wish):
                self.assertProblem(self.server.post(f"/v1/jobs/{job}/{wish}"), 409)

    def has_checkpoint(self, job):
        return any(name.startswith(job) for name in os.listdir(os.path.join(self.server.folder, "checkpoints")))

    def test_a_paused_job_goes_on_to_the_same_bits(self):
        job = example("digits", dataset=self.dataset, threads=1)
        job["training"]["epochs"] = 60
        alone = self.server.wait(self.submit(job))
        paused = self.submit(job)
        for epoch in (10, 30):
            self.server.wait_for(paused, lambda state: begun(state) and state["progress"]["epoch"] >= epoch)
            self.wish(paused, "pause")
            state = self.server.wait_for(paused, lambda state: state["status"] == "paused")
            self.assertLess(state["progress"]["step"], state["plan"]["steps"])
            self.assertEqual(self.server.workers(), [])
            self.assertTrue(self.has_checkpoint(paused))
            self.refused(paused, "pause")
            self.assertEqual(self.wish(paused, "resume")["finished_at"], None)
        ended = self.server.wait(paused)
        self.assertEqual((ended["status"], ended["attempt"], ended["interruption"]), ("succeeded", 3, None))
        sha = [self.server.get(f"/v1/models/{state['model']}").json["sha256"] for state in (alone, ended)]
        self.assertEqual(*sha)
        loss = self.server.get(f"/v1/jobs/{paused}/metrics?points=all&series=train_loss").json["series"]["train_loss"]
        self.assertEqual(loss["step"], list(range(1, ended["plan"]["steps"] + 1)))

    def test_a_queued_job_is_paused_at_once_and_keeps_its_place(self):
        running = self.submit()
        self.server.wait_for(running, begun)
        first, second = self.submit(), self.submit()
        self.refused(first, "resume", "stop")
        self.assertEqual(self.wish(first, "pause")["status"], "paused")
        self.assertEqual(self.server.get(f"/v1/jobs/{first}").json["queue_position"], None)
        self.assertEqual(self.server.get(f"/v1/jobs/{second}").json["queue_position"], 1)
        self.assertEqual([job["id"] for job in self.server.get("/v1/jobs?status=paused").json["items"]], [first])
        state = self.wish(first, "resume")
        self.assertEqual((state["status"], state["queue_position"]), ("queued", 1))

    def test_a_pause_is_taken_back_while_it_is_under_way(self):
        job = self.submit()
        self.server.wait_for(job, begun)
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGSTOP)
        self.wish(job, "pause", "pause", "resume")
        os.kill(worker, signal.SIGCONT)
        state = self.server.wait_for(job, lambda state: state["attempt"] == 2 and begun(state))
        self.assertEqual(state["interruption"], None)

    def test_a_stopped_job_keeps_its_model(self):
        job = self.submit(long_job(self.dataset, early_stopping={"patience": 1000000}))
        self.server.wait_for(job, begun)
        self.wish(job, "stop")
        ended = self.server.wait(job, 20)
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertLess(ended["progress"]["step"], ended["progress"]["steps"])
        with open(os.path.join(ROOT, "examples", "digits.csv"), encoding="utf-8") as file:
            row = [float(cell) for cell in file.read().splitlines()[1].split(",")[:-1]]
        answer = self.server.post(f"/v1/models/{ended['model']}/predict", {"inputs": [row]})
        self.assertEqual(answer.status, 200, answer)
        losses = self.server.get(f"/v1/jobs/{job}/metrics?points=all&series=train_loss,val_loss").json["series"]
        self.assertEqual(losses["train_loss"]["step"], list(range(1, ended["progress"]["step"] + 1)))
        self.assertEqual(losses["val_loss"]["step"][-1], ended["progress"]["step"], "it was validated as it ended")
        self.refused(job, "pause", "resume", "stop", "cancel")

    def test_a_paused_job_can_be_stopped_or_cancelled(self):
        stopped, cancelled = self.submit(), self.submit()
        for job in (stopped, cancelled):
            self.server.wait_for(job, begun)
            self.wish(job, "pause")
            self.server.wait_for(job, lambda state: state["status"] == "paused")
        self.assertEqual(self.wish(cancelled, "cancel")["status"], "cancelled")
        self.assertFalse(self.has_checkpoint(cancelled))
        self.wish(stopped, "stop")
        ended = self.server.wait(stopped, 20)
        self.assertEqual(ended["status"], "succeeded")
        self.assertTrue(ended["model"])
        deadline = time.monotonic() + 10  # they go when its worker is gone
        while self.has_checkpoint(stopped) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(self.has_checkpoint(stopped))

    def test_a_cancel_is_not_taken_back(self):
        job = self.submit()
        self.server.wait_for(job, begun)
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGSTOP)
        self.wish(job, "cancel")
        self.server.wait(job, 20)
        self.refused(job, "pause", "resume", "stop", "cancel")

    def test_a_pause_holds_through_the_servers_death(self):
        job = self.submit()
        self.server.wait_for(job, begun)
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGSTOP)
        self.wish(job, "pause")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.get(f"/v1/jobs/{job}").json["status"], "paused")
        self.wish(job, "resume")
        self.server.wait_for(job, begun)

    def test_no_such_job(self):
        for wish in ("pause", "resume", "stop", "cancel"):
            self.assertProblem(self.server.post(f"/v1/jobs/job_none/{wish}"), 404)

    def test_max_seconds_count_all_attempts(self):
        job = self.submit({**long_job(self.dataset), "max_seconds": 6})
        begin = time.monotonic()
        self.server.wait_for(job, begun)
        self.wish(job, "pause")
        self.server.wait_for(job, lambda state: state["status"] == "paused")
        ran = time.monotonic() - begin
        time.sleep(4)  # does not count
        self.assertEqual(self.server.get(f"/v1/jobs/{job}").json["status"], "paused")
        begin = time.monotonic()
        self.wish(job, "resume")
        ended = self.server.wait(job)
        ran += time.monotonic() - begin
        self.assertEqual((ended["status"], ended["error"]["code"]), ("failed", "time_limit"))
        self.assertEqual(ended["attempt"], 2)
        if not SANITIZED:
            self.assertLess(abs(ran - 6), 1.5)

    def test_a_death_is_told_and_not_forgotten(self):
        job = example("digits", dataset=self.dataset)
        job["training"] = {**job["training"], "epochs": 60, "checkpoint_seconds": 0.1}
        job = self.submit(job)
        self.server.wait_for(job, lambda state: begun(state) and state["progress"]["epoch"] >= 10)
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGKILL)
        ended = self.server.wait(job)
        self.assertEqual((ended["status"], ended["attempt"], ended["error"]), ("succeeded", 2, None))
        told = ended["interruption"]
        self.assertEqual((told["code"], told["attempt"]), ("worker_died", 1))
        self.assertIn("SIGKILL", told["detail"])
        self.assertGreater(told["step"], 0)


class Silence(LiveTest):
    lease = 20 if SANITIZED else 3  # a worker takes its time to start there
    flags = ("--workers", "1", "--lease-seconds", str(lease))

    def test_a_worker_that_lives_but_is_silent_is_given_up(self):
        job = long_job(self.server.upload("digits", "digit"), checkpoint_seconds=0.1)
        job = self.server.submit(job)
        self.server.wait_for(job, begun)
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGSTOP)
        state = self.server.wait_for(job, lambda state: state["attempt"] == 2 and begun(state))
        self.assertEqual(state["interruption"]["code"], "silent")
        self.assertIn("said nothing", state["interruption"]["detail"])
        self.assertFalse(os.path.exists(f"/proc/{worker}"))
        self.server.post(f"/v1/jobs/{job}/cancel")
        self.server.wait(job)

    @unittest.skipIf(SANITIZED, "steps of seconds become minutes")
    def test_a_step_longer_than_the_lease_is_no_silence(self):
        rows = [[i % 7, i % 11] for i in range(6144)]
        job = small_job({"inputs": rows, "targets": [str(i % 2) for i in range(6144)]}, batch_size=6144, epochs=1)
        wide = {"type": "dense", "units": 2048, "activation": "relu"}
        job["model"]["layers"] = [wide, wide, wide, {"type": "dense", "units": 2}]
        job["threads"] = 1
        ended = self.server.wait(self.server.submit(job), 5 * PATIENCE)
        self.assertEqual((ended["status"], ended["attempt"], ended["interruption"]), ("succeeded", 1, None))
        if 6144 / ended["progress"]["samples_per_second"] < self.lease:
            self.skipTest("this processor's steps are too short to say anything")


class Cores(unittest.TestCase):
    def running(self, flags, threads, jobs):
        """How many of so many jobs run at once."""
        with Server(*flags) as server:
            dataset = server.upload("digits", "digit")
            more = {} if threads is None else {"threads": threads}
            ids = [server.submit({**long_job(dataset), **more}) for _ in range(jobs)]
            server.wait_for(ids[0], begun)
            time.sleep(0.5)
            states = [server.get(f"/v1/jobs/{job}").json for job in ids]
            for job in ids[::-1]:
                server.post(f"/v1/jobs/{job}/cancel")
            for state in states:
                self.assertEqual(state["spec"]["threads"], threads or 1)
            return sum(state["status"] == "running" for state in states)

    def test_the_pool_never_has_more_threads_than_cores(self):
        cores = len(os.sched_getaffinity(0))
        workers = str(cores + 2)
        self.assertEqual(self.running(("--workers", workers, "--threads", "1"), None, cores + 2), cores)
        self.assertEqual(self.running(("--workers", workers), cores, 2), 1)


class Memory(LiveTest):
    @unittest.skipIf(SANITIZED, "AddressSanitizer takes terabytes of address space: no bound on memory holds there")
    def test_the_kernel_holds_a_worker_to_its_bound(self):
        """A worker that was told a bound far below what its job takes: as if the plan had been wrong."""
        dataset = self.server.post("/v1/datasets", XOR).json["id"]
        job = small_job(dataset)
        job["model"]["layers"][0]["units"] = 8000
        job["model"]["layers"].insert(1, {"type": "dense", "units": 8000})
        spec = self.server.post("/v1/jobs?dry_run=true", job).json["spec"]
        body = json.dumps({"job": "job_1", "data": self.server.folder, "dataset": dataset, "model": "mdl_1",
                           "threads": 1, "lease": 30000, "spec": json.dumps(spec), "max_memory_bytes": 1}).encode()
        frame = struct.pack("<IIB3x", len(body), 1, ord("j")) + body
        run = subprocess.run([BINARY, "worker", str(os.getpid())], input=frame, capture_output=True, timeout=PATIENCE,
                             check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
        self.assertEqual(run.returncode, 1, run.stderr)
        frames, rest = [], run.stdout
        while rest:
            length, attempt, kind = struct.unpack("<IIB3x", rest[:12])
            frames.append((attempt, chr(kind), rest[12:12 + length]))
            rest = rest[12 + length:]
        attempt, kind, body = frames[-1]
        self.assertEqual((attempt, kind, json.loads(body)["code"]), (1, "x", "out_of_memory"))


if __name__ == "__main__":
    unittest.main()
