"""Texts continued by language models: what comes, from which seed, as a whole and as a stream, and what is refused."""
import concurrent.futures
import json
import time
import unittest

from harness import LiveTest, SANITIZED, Server, small_job

LSTM = [{"type": "lstm", "units": 24, "return_sequences": True}]
GPT = [{"type": "positional_embedding"}, {"type": "transformer_block", "heads": 2, "causal": True}]


class Writer(LiveTest):
    """One server with what its tests train."""

    def train(self, text, vocabulary, layers, tokenizer="char", **training):
        """A language model's path."""
        job = {"dataset": {"text": text, "tokenizer": tokenizer},
               "model": {"layers": [{"type": "embedding", "units": 16}, *layers, {"type": "dense", "units": vocabulary}]},
               "training": {"sequence_length": 12, "steps": 150, "batch_size": 16, "validation_split": 0.1,
                            "optimizer": {"type": "adam", "learning_rate": 0.02}, **training}}
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "succeeded", ended)
        return f"/v1/models/{ended['model']}"

    @classmethod
    def model(cls, name, *args, **more):
        """Trains each of them once a class."""
        if not hasattr(cls, "models"):
            cls.models = {}
        if name not in cls.models:
            cls.models[name] = cls("assertProblem").train(*args, **more)
        return cls.models[name]

    def alphabet(self):
        return self.model("alphabet", "abcdefghij\n" * 100, 11, LSTM)

    def words(self):
        return self.model("words", "One, two, three; four -- five! " * 60, 7, LSTM, tokenizer="word")

    def generate(self, model, **body):
        answer = self.server.post(model + "/generate", body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def stream(self, model, until=lambda event: False, **body):
        """The events as (name, data)."""
        connection = self.server.connection()
        connection.request("POST", model + "/generate", json.dumps({**body, "stream": True}),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["Content-Type"].split(";")[0], "text/event-stream")
        events, name = [], None
        for line in response:
            line = line.decode().rstrip("\n")  # each line by itself is UTF-8
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                events.append((name, json.loads(line[6:])))
                if until(events[-1]):
                    break
        connection.close()
        return events


class Continuations(Writer):
    def test_a_text_goes_on_as_the_corpus_does(self):
        gpt = self.model("gpt", "abcdefghij\n" * 100, 11, GPT)
        for model in (self.alphabet(), gpt):
            # Shorter than the window of 12, as long, and longer; at the start, and in the middle of a line.
            for prompt in ("c", "abc", "fghij\nabc", "abcdefghij\nabc", "ghij\n" + "abcdefghij\n" * 20 + "abc"):
                with self.subTest(model=model, prompt=prompt):
                    answer = self.generate(model, prompt=prompt, max_tokens=30, temperature=0)
                    self.assertEqual(answer["text"], ("defghij\nabc" * 3)[:30])
                    self.assertEqual(answer["tokens"], ["\nabcdefghij".index(c) for c in answer["text"]])
                    self.assertEqual(answer["finish_reason"], "length")

    def test_an_empty_prompt_begins_a_line(self):
        expected = self.generate(self.alphabet(), prompt="\n", max_tokens=11, temperature=0)
        self.assertEqual(expected["text"], "abcdefghij\n")
        for body in ({"prompt": ""}, {}, {"prompt": None}):
            with self.subTest(body):
                self.assertEqual(self.generate(self.alphabet(), max_tokens=11, temperature=0, **body), expected)

    def test_without_line_breaks_it_begins_anywhere(self):
        model = self.model("digits", "0123456789" * 60, 10, LSTM)
        begun = set()
        for seed in range(12):
            text = self.generate(model, max_tokens=8, temperature=0, seed=seed)["text"]
            self.assertEqual(text, ("0123456789" * 3)[int(text[0]):int(text[0]) + 8])
            self.assertEqual(self.generate(model, max_tokens=8, temperature=0, seed=seed)["text"], text)
            begun.add(text[0])
        self.assertGreater(len(begun), 4)

    def test_words_come_with_blanks_between_them(self):
        answer = self.generate(self.words(), prompt="ONE... two!", max_tokens=6, temperature=0)
        self.assertEqual(answer["text"], "three four five one two three")
        self.assertTrue(all(2 <= token < 7 for token in answer["tokens"]), answer)
        hot = self.generate(self.words(), prompt="nothing known", max_tokens=300, temperature=100)
        self.assertEqual(set(hot["text"].split(" ")), {"one", "two", "three", "four", "five"})
        self.assertEqual(len(hot["text"].split(" ")), 300)
        for prompt in ("", "?!"):
            self.assertEqual(len(self.generate(self.words(), prompt=prompt, max_tokens=3)["tokens"]), 3)

    def test_bytes_are_whole_characters(self):
        model = self.model("bytes", "né:€5;🎉\n" * 80, 256, LSTM, tokenizer="byte")
        line = "né:€5;🎉\n"
        answer = self.generate(model, prompt="né", max_tokens=2 * len(line.encode()), temperature=0)
        self.assertEqual(answer["text"], ":€5;🎉\n" + line + "né")
        self.assertEqual(bytes(answer["tokens"]).decode(), answer["text"])
        cut = self.generate(model, prompt="né:", max_tokens=2, temperature=0)
        self.assertEqual((cut["text"], cut["tokens"]), ("\ufffd", [0xE2, 0x82]))
        # Any bytes: text is what a decoder makes of them, in a stream too, where no character is cut.
        for seed in range(5):
            body = {"prompt": "n", "max_tokens": 300, "temperature": 20, "seed": seed}
            answer = self.generate(model, **body)
            self.assertEqual(answer["text"], bytes(answer["tokens"]).decode("utf-8", "replace").replace("\0", "\ufffd"))
            events = self.stream(model, **body)
            self.assertEqual(events[-1], ("end", answer))
            self.assertEqual("".join(data["text"] for name, data in events if name == "token"), answer["text"])

    def test_the_first_step_needs_no_padding(self):
        """A net that sees both ways would see padding, were it not told apart."""
        both = self.model("both", "abcdefghij\n" * 100, 11, [{**LSTM[0], "bidirectional": True}])
        short = self.generate(both, prompt="abc", max_tokens=1, temperature=0)
        self.assertEqual(len(short["tokens"]), 1)
        flat = [{"type": "flatten"}, {"type": "dense", "units": 12 * 11}, {"type": "reshape", "shape": [12, 11]}]
        job = {"dataset": {"text": "abcdefghij\n" * 100, "tokenizer": "char"},
               "model": {"layers": [{"type": "embedding", "units": 16}, *flat]},
               "training": {"sequence_length": 12, "steps": 1}}
        path = f"/v1/models/{self.server.wait(self.server.submit(job))['model']}"
        problem = self.assertProblem(self.server.post(path + "/generate", {"prompt": "abc"}), 422)
        self.assertEqual([error["pointer"] for error in problem["errors"]], ["/prompt"])
        self.assertIn("needs 12", problem["errors"][0]["detail"])
        self.assertEqual(len(self.generate(path, prompt="abcdefghij\nab", max_tokens=5)["text"]), 5)


class Draws(Writer):
    def test_the_seed_decides(self):
        body = {"prompt": "abc", "max_tokens": 60, "temperature": 3}
        texts = {seed: self.generate(self.alphabet(), seed=seed, **body)["text"] for seed in (0, 1, 2, 2**53 - 1)}
        self.assertEqual(len(set(texts.values())), 4)
        for seed, text in texts.items():
            self.assertEqual(self.generate(self.alphabet(), seed=seed, **body)["text"], text)
        self.assertEqual(self.generate(self.alphabet(), **body)["text"], texts[0], "0 unless it is given")

    def test_top_1_and_no_temperature_are_the_same(self):
        greedy = self.generate(self.alphabet(), prompt="bad", max_tokens=50, temperature=0)
        self.assertEqual(self.generate(self.alphabet(), prompt="bad", max_tokens=50, temperature=50, top_k=1), greedy)
        self.assertEqual(self.generate(self.alphabet(), prompt="bad", max_tokens=50, temperature=0, top_k=5, seed=8), greedy)

    def test_temperature_and_top_k_widen_the_choice(self):
        def kinds(**body):
            return len(set(self.generate(self.alphabet(), prompt="abc", max_tokens=1, seed=seed, **body)["text"]
                           for seed in range(40)))
        self.assertEqual(kinds(temperature=0), 1)
        self.assertEqual(kinds(temperature=100, top_k=2), 2)
        self.assertGreater(kinds(temperature=100), 6)

    def test_it_is_the_same_after_a_restart(self):
        body = {"prompt": "abc", "max_tokens": 60, "temperature": 3, "seed": 4}
        before = self.generate(self.alphabet(), **body)
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.generate(self.alphabet(), **body), before)


class Streams(Writer):
    def test_a_stream_says_the_same(self):
        for model, prompt in ((self.alphabet(), "abc"), (self.words(), "one two")):
            for temperature in (0, 2):
                body = {"prompt": prompt, "max_tokens": 40, "temperature": temperature, "seed": 3}
                whole, events = self.generate(model, **body), self.stream(model, **body)
                self.assertEqual([name for name, _ in events], ["token"] * 40 + ["end"])
                self.assertEqual(events[-1][1], whole)
                self.assertEqual("".join(data["text"] for _, data in events[:-1]), whole["text"])
                self.assertEqual([token for _, data in events[:-1] for token in data["tokens"]], whole["tokens"])

    def test_texts_that_are_written_at_once_do_not_meet(self):
        body = {"max_tokens": 500, "temperature": 1.5, "prompt": "abc"}
        wanted = [self.generate(self.alphabet(), seed=seed, **body) for seed in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            streams = list(pool.map(lambda seed: self.stream(self.alphabet(), seed=seed, **body), range(8)))
        self.assertEqual([events[-1] for events in streams], [("end", answer) for answer in wanted])

    def test_one_token_is_a_stream_too(self):
        self.assertEqual(self.stream(self.alphabet(), prompt="abc", max_tokens=1, temperature=0),
                         [("token", {"text": "d", "tokens": [4]}),
                          ("end", {"text": "d", "tokens": [4], "finish_reason": "length"})])

    def test_a_model_that_is_deleted_ends_what_it_began(self):
        model = self.train("ab" * 100, 2, LSTM, steps=1)
        deleted = []

        def delete(_):
            if not deleted:
                deleted.append(self.server.delete(model).status)
            return False

        events = self.stream(model, until=delete, max_tokens=10000)
        self.assertEqual(deleted, [204])
        self.assertEqual((events[-1][0], len(events[-1][1]["tokens"])), ("end", 10000))
        self.assertProblem(self.server.post(model + "/generate", {}), 404)


@unittest.skipIf(SANITIZED, "they are about time")
class Time(Writer):
    """With a model of some milliseconds a token."""

    def slow(self):
        block = {"type": "transformer_block", "heads": 4, "causal": True}
        return self.model("slow", "abcdefghij\n" * 100, 11, [{"type": "dense", "units": 192}, *[block] * 6],
                          sequence_length=100, steps=1, batch_size=1)

    def leave(self, count):
        for _ in range(count):
            self.stream(self.slow(), until=lambda event: True, max_tokens=10000)

    def test_who_leaves_stops_it(self):
        self.leave(90)  # at most 64 are under way at once, and each would take half a minute
        self.assertEqual(len(self.generate(self.slow(), max_tokens=3)["tokens"]), 3)

    def test_many_texts_starve_nobody_and_too_many_are_refused(self):
        connections = []
        for _ in range(64):
            connection = self.server.connection()
            connection.request("POST", self.slow() + "/generate", json.dumps({"stream": True, "max_tokens": 10000}),
                               {"Content-Type": "application/json"})
            self.assertEqual(connection.getresponse().status, 200)
            connections.append(connection)
        refused = self.server.post(self.slow() + "/generate", {})
        self.assertProblem(refused, 503)
        self.assertIn("Retry-After", refused.headers)
        slowest = 0
        for _ in range(20):
            begin = time.monotonic()
            self.assertEqual(self.server.get(self.slow()).status, 200)
            slowest = max(slowest, time.monotonic() - begin)
        self.assertLess(slowest, 1)
        for connection in connections:
            connection.close()
        deadline = time.monotonic() + 60
        while (answer := self.server.post(self.slow() + "/generate", {"max_tokens": 1})).status == 503:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(answer.status, 200)

    def test_an_answer_as_a_whole_comes_in_time(self):
        begin = time.monotonic()
        answer = self.generate(self.slow(), prompt="abc", max_tokens=10000, temperature=0)
        self.assertLess(time.monotonic() - begin, 28)
        self.assertEqual(answer["finish_reason"], "time")
        self.assertTrue(0 < len(answer["tokens"]) < 10000)
        self.assertEqual(len(answer["text"]), len(answer["tokens"]))

    def test_the_server_stops_in_the_middle_of_texts(self):
        with Server() as server:
            job = {"dataset": {"text": "ab" * 500, "tokenizer": "char"}, "training": {"sequence_length": 12, "steps": 1},
                   "model": {"layers": [{"type": "embedding", "units": 256}, *LSTM, {"type": "dense", "units": 2}]}}
            path = f"/v1/models/{server.wait(server.submit(job))['model']}/generate"
            connection = server.connection()
            connection.request("POST", path, json.dumps({"stream": True, "max_tokens": 10000}),
                               {"Content-Type": "application/json"})
            self.assertEqual(connection.getresponse().status, 200)
            begin = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begin, 10)
            connection.close()


class Refusals(Writer):
    def test_every_mistake_of_a_body_is_named_at_once(self):
        body = {"promt": "a", "prompt": "abxcéx", "max_tokens": 0, "temperature": -0.1, "top_k": 1.5, "seed": "one", "stream": 3}
        problem = self.assertProblem(self.server.post(self.alphabet() + "/generate", body), 422)
        details = {}
        for error in problem["errors"]:
            details.setdefault(error["pointer"], []).append(error["detail"])
        self.assertEqual(set(details), {"/" + key for key in body})
        self.assertIn("prompt", details["/promt"][0], "names the nearest known key")
        self.assertEqual(len(details["/prompt"]), 2, "each unknown character, once")
        for detail, parts in zip(details["/prompt"], (('"x"', "U+0078", "character 3,"), ('"é"', "U+00E9", "character 5,"))):
            for part in parts:
                self.assertIn(part, detail)

    def test_bodies_out_of_bounds(self):
        for body in ({"max_tokens": 10001}, {"max_tokens": 1e400}, {"temperature": 101}, {"temperature": "NaN"},
                     {"top_k": -1}, {"seed": 2**53}, {"seed": -1}, {"prompt": 5}, {"prompt": ["a"]}, {"stream": "yes"}):
            with self.subTest(body):
                text = json.dumps(body).replace("Infinity", "1e400")
                answer = self.server.post(self.alphabet() + "/generate", text, headers={"Content-Type": "application/json"})
                key = next(iter(body))
                if "1e400" in text:
                    self.assertProblem(answer, 400)
                else:
                    problem = self.assertProblem(answer, 422)
                    self.assertEqual([error["pointer"] for error in problem["errors"]], ["/" + key])

    def test_bodies_that_are_none(self):
        headers = {"Content-Type": "application/json"}
        for text, status in (("", 400), ("{", 400), ("[]", 422), ('"abc"', 422), ('{"prompt": "a", "prompt": "b"}', 422),
                             ('{"prompt": "\\u0000"}', 422), ('{"prompt": "\\ud800"}', 400)):
            with self.subTest(text):
                self.assertProblem(self.server.post(self.alphabet() + "/generate", text, headers=headers), status)
        self.assertProblem(self.server.post(self.alphabet() + "/generate", "abc", headers={"Content-Type": "text/plain"}), 415)

    def test_a_prompt_has_a_bound(self):
        answer = self.server.post(self.alphabet() + "/generate", {"prompt": "a" * 65537})
        self.assertEqual(self.assertProblem(answer, 422)["errors"][0]["pointer"], "/prompt")
        self.assertEqual(self.generate(self.alphabet(), prompt="a" * 65533 + "abc", max_tokens=5, temperature=0)["text"], "defgh")
        self.assertProblem(self.server.post(self.alphabet() + "/generate", {"prompt": "a" * 600000}), 413)

    def test_other_models_and_none(self):
        job = self.server.wait(self.server.submit(small_job()))
        problem = self.assertProblem(self.server.post(f"/v1/models/{job['model']}/generate", {"prompt": "a"}), 422)
        self.assertIn("no language model", problem["detail"])
        for model in ("mdl_none", "mdl_", "x", "mdl_01m8hbv3y3rrz9yha97wjfn09t"):
            self.assertProblem(self.server.post(f"/v1/models/{model}/generate", {"prompt": "a"}), 404)
        self.assertProblem(self.server.get(self.alphabet() + "/generate"), 405)

    def test_a_model_of_no_numbers_says_so(self):
        model = self.train("ab" * 100, 2, LSTM, steps=5, stop_on_divergence=False,
                           optimizer={"type": "sgd", "learning_rate": 1e38})
        problem = self.assertProblem(self.server.post(model + "/generate", {"prompt": "ab"}), 422)
        self.assertIn("no number", problem["detail"])
        events = self.stream(model, prompt="ab")
        self.assertEqual([(name, data["status"]) for name, data in events], [("error", 422)])


if __name__ == "__main__":
    unittest.main()
