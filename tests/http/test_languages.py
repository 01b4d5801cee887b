"""Texts for people in English and Japanese, by Accept-Language: what is found before a run, in data, and beside another job."""
import json
import re
import unittest

from harness import LiveTest
from test_diagnosis import SOUND, ZEROS, job, merged
from test_report import held

JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
TWICE = [{"type": "dense", "units": 8}, {"type": "dense", "units": 2, "activation": "softmax"}]
LONG = "a b c d e f g h"


def of_words(texts):
    return {"texts": texts, "targets": ["x", "y"] * (len(texts) // 2), "tokenizer": "word", "max_length": 4, "vocabulary_size": 6}


DATA = {
    "columns": ("text/csv", "same,gap,y\n" + "\n".join(f"1,{'' if i % 3 else i},{'rare' if i % 30 == 1 else 'often'}" for i in range(60)),
                {"constant_feature", "missing_values", "class_imbalance"}),
    "quantities": (None, {"inputs": [[i] for i in range(80)], "targets": list(range(80))}, {"task_inferred"}),
    "words": (None, of_words([LONG, "", "a b", "i j k l m"] * 4), {"texts_cut", "empty_texts", "unknown_tokens"}),
    "nodes": (None, {"graph": {"nodes": [[i % 3, 1 - i % 2] for i in range(12)], "edges": [[0, 1], [1, 0], [2, 2], [3, 4]],
                               "targets": ["a", "b"] * 6}}, {"repeated_edges", "self_loops", "isolated_nodes"}),
}


class Languages(LiveTest):
    def ask(self, language, path, body=None, **headers):
        headers = {"Accept-Language": {"ja": "ja,en;q=0.5", "en": "en"}[language], **headers}
        answer = self.server.get(path, headers=headers) if body is None else self.server.post(path, body, headers=headers)
        self.assertIn(answer.status, (200, 201), answer)
        self.assertEqual(answer.headers["Content-Language"], language)
        self.assertIn("Accept-Language", ", ".join(answer.headers.get_all("Vary")))
        return answer

    def assertTold(self, language, findings):
        for finding in findings:
            with self.subTest(finding["code"], language=language):
                texts = [finding["explanation"]]
                for remedy in finding["remedies"]:
                    texts += [remedy["title"], remedy["why"]]
                for text in texts:
                    self.assertEqual(bool(JAPANESE.search(text)), language == "ja", text)
                    self.assertNotIn("{", text)
                    self.assertNotIn("—", text)

    def assertBoth(self, english, japanese):
        """Two lists that say the same, each in its language."""
        self.assertTold("en", english)
        self.assertTold("ja", japanese)
        strip = [[{k: v for k, v in f.items() if k not in ("explanation", "remedies")} for f in told] for told in (english, japanese)]
        self.assertEqual(*strip)
        self.assertEqual(*([[r["patch"] for f in told for r in f["remedies"]] for told in (english, japanese)]))

    def test_a_dry_run_and_a_probe(self):
        for query, body, code in (("", job(TWICE), "wrong_output_activation"), ("&probe=true", job(ZEROS), "symmetric_units")):
            told = {language: self.ask(language, f"/v1/jobs?dry_run=true{query}", body).json["findings"] for language in ("en", "ja")}
            if query:  # how far its steps come hangs on the machine
                told = {language: [f for f in found if f["code"] == code] for language, found in told.items()}
                for found in told.values():
                    found[0]["evidence"] = {}
            self.assertIn(code, [finding["code"] for finding in told["ja"]])
            self.assertBoth(told["en"], told["ja"])

    def test_a_dry_run_that_starts_from_another_model(self):
        model = self.server.wait(self.server.submit(job(SOUND, epochs=1)))["model"]
        body = job([*SOUND[:2], {"type": "dense", "units": 2, "name": "head"}])
        body["model"]["initial"] = model
        told = [self.ask(language, "/v1/jobs?dry_run=true", body).json["findings"] for language in ("en", "ja")]
        for findings in told:
            self.assertEqual([finding["code"] for finding in findings], ["initial_weights"])
            self.assertIn(model, findings[0]["explanation"])
            self.assertIn("head.kernel [16, 2]", findings[0]["explanation"])
        self.assertBoth(*told)

    def test_what_a_profile_finds(self):
        for name, (form, body, codes) in DATA.items():
            with self.subTest(name):
                headers = {"Content-Type": form} if form else {}
                taken = self.ask("ja", "/v1/datasets", body, **headers).json
                path = f"/v1/datasets/{taken['id']}"
                english, japanese = (self.ask(language, path).json["findings"] for language in ("en", "ja"))
                self.assertEqual(taken["findings"], japanese)
                self.assertLessEqual(codes, {finding["code"] for finding in japanese})
                self.assertBoth(english, japanese)
                listed = self.ask("ja", "/v1/datasets").json["items"]
                self.assertEqual(next(d for d in listed if d["id"] == taken["id"])["findings"], japanese)

    def test_a_dataset_s_findings_in_a_diagnosis(self):
        form, body, _ = DATA["columns"]
        dataset = self.ask("en", "/v1/datasets", body, **{"Content-Type": form}).json
        ended = self.server.wait(self.server.submit({**job(SOUND, epochs=1), "dataset": dataset["id"]}))
        told = [self.ask(language, f"/v1/jobs/{ended['id']}/diagnosis").json["findings"] for language in ("en", "ja")]
        self.assertIn("constant_feature", [finding["code"] for finding in told[1]])
        data = [[finding for finding in findings if finding.get("symptom") == "data"] for findings in told]
        self.assertBoth(*data)

    def test_a_job_at_a_terminal(self):
        ended = self.server.wait(self.server.submit(job(ZEROS)))
        path = f"/v1/jobs/{ended['id']}"
        for language in ("en", "ja"):
            text = self.ask(language, path, Accept="text/plain").body.decode()
            self.assertRegex(text, r"symmetric_units \(?(in|層) dense_1")
            told = [line for line in text.splitlines()[1:] if re.match(r"(  )?\w", line) and "curl" not in line]
            words = [line for line in told if not re.match(r"  (\w+ +[▁-█]|dense|info|warning|critical)", line)]
            self.assertGreaterEqual(len(words), 5)  # progress and the titles
            for line in words:
                self.assertEqual(bool(JAPANESE.search(line)), language == "ja", line)
            self.assertNotIn("{", text.split("rerun")[0])
            for line in text.splitlines():  # Japanese has no blanks to break at
                wide = sum(2 if JAPANESE.match(character) else 1 for character in line)
                self.assertTrue(wide <= 96 or "curl" in line, line)
        self.assertEqual(self.server.get(path, headers={"Accept-Language": "ja"}).json, self.server.get(path).json)

    def test_findings_as_they_are_made(self):
        path = "/v1/jobs/{}/events".format(self.server.wait(self.server.submit(job(ZEROS)))["id"])
        streams = {}
        for language in ("en", "ja", "en"):  # at once: none may have what was kept for another
            told = self.ask(language, path).body.decode()
            self.assertEqual(streams.setdefault(language, told), told)
        self.assertEqual(self.server.get(f"{path}?lang=ja").body.decode(), streams["ja"])
        self.assertEqual(self.server.get(f"{path}?lang=xx").status, 400)
        found = {language: re.findall(r"event: finding\ndata: (.*)", told) for language, told in streams.items()}
        english, japanese = ([json.loads(finding) for finding in found[language]] for language in ("en", "ja"))
        self.assertIn("symmetric_units", [finding["code"] for finding in japanese])
        self.assertBoth(english, japanese)
        rest = [re.sub(r"(event: finding\ndata: ).*", r"\1", told) for told in streams.values()]
        self.assertEqual(*rest)

    def test_what_a_range_test_says(self):
        falls = [[k / 7, k % 5] for k in range(200)]
        wild = {"inputs": falls, "targets": [3 * a - b + 0.5 for a, b in falls]}
        flat = {"inputs": [[i % 2] for i in range(64)], "targets": ["x", "y"] * 32}
        layers = [{"type": "dense", "units": 16, "activation": "relu"}, {"type": "dense", "units": 1}]
        for name, more, dataset, units, word in (("away", {"to": 1000}, wild, 1, "発散し始め"), ("held", {"to": 0.01}, wild, 1, "までは発散しません"),
                                                 ("none", {"from": 1e-12, "to": 1e-9}, flat, 2, "推奨できる学習率はありません")):
            body = {"kind": "lr_range", "dataset": dataset, "model": {"layers": [layers[0], {**layers[1], "units": units}]}, "lr_range": more,
                    "training": {"optimizer": {"type": "sgd", "learning_rate": 0.1}, "seed": 1}}
            ended = self.server.wait(self.server.submit(body))
            path = f"/v1/jobs/{ended['id']}"
            with self.subTest(name):
                told = {language: self.ask(language, path).json for language in ("en", "ja")}
                texts = {language: answer["result"].pop("explanation") for language, answer in told.items()}
                self.assertEqual(told["en"], told["ja"])
                self.assertIn(word, texts["ja"])
                self.assertNotRegex(texts["ja"], r"[a-z]{3,}|—|\{")
                self.assertNotRegex(texts["en"], r"—|\{")
                self.assertIsNone(JAPANESE.search(texts["en"]))
                self.assertEqual(*(re.findall(r"\d[\d.e+-]*\d|\d", text) for text in texts.values()))
                for language in ("en", "ja"):
                    listed = next(one for one in self.ask(language, "/v1/jobs").json["items"] if one["id"] == ended["id"])
                    self.assertEqual(listed["result"]["explanation"], texts[language])
                    self.assertIn(f": {texts[language]}\n", self.ask(language, path, Accept="text/plain").body.decode())
                    waited = self.ask(language, f"{path}?wait=5").json
                    self.assertEqual(waited["result"]["explanation"], texts[language])
                    report = held(self.ask(language, f"{path}/report").body.decode())
                    self.assertEqual(report["job"]["result"]["explanation"], texts[language])

    def test_numbers_that_are_none(self):
        body = job(SOUND, optimizer={"type": "sgd", "learning_rate": 1e30})
        ended = self.server.wait(self.server.submit(body))
        self.assertEqual(ended["status"], "failed")
        english, japanese = (self.ask(language, f"/v1/jobs/{ended['id']}/diagnosis").json for language in ("en", "ja"))
        self.assertIn("non_finite", [finding["code"] for finding in japanese["findings"]])
        for key, text in (("findings", "explanation"), ("checklist", "note")):
            for ours, theirs in zip(english[key], japanese[key]):
                with self.subTest(key, en=ours[text], ja=theirs[text]):
                    words = [re.findall(r"NaN|Infinity|\binf\b|—", told[text] or "") for told in (ours, theirs)]
                    self.assertEqual(*words)
        told = {finding["code"]: finding["explanation"] for finding in japanese["findings"]}
        self.assertRegex(told["non_finite"], "損失は (NaN|∞|[0-9.e+]+)、勾配のノルムは (NaN|∞|[0-9.e+]+) .*の(損失|出力|勾配)です")

    def test_findings_beside_another_job_s(self):
        zeros = self.server.wait(self.server.submit(job(ZEROS)))
        sound = self.server.wait(self.server.submit(merged(zeros["spec"], {"model": {"layers": SOUND}})))
        path = f"/v1/jobs/{sound['id']}/comparison?with={zeros['id']}"
        english, japanese = (self.ask(language, path).json for language in ("en", "ja"))
        self.assertIn("symmetric_units", [finding["code"] for finding in japanese["findings"]["closed"]])
        for key in ("opened", "closed"):
            self.assertBoth(english["findings"][key], japanese["findings"][key])

    def test_a_verdict(self):
        first = self.server.submit(job(SOUND, epochs=1))
        self.server.wait(first)
        child = self.server.post(f"/v1/jobs/{first}/rerun", {"patch": {"training": {"epochs": 12}}, "seeds": 3}).json
        runs = [self.server.wait(one)["id"] for one in child["runs"]["parent"] + child["runs"]["child"]]
        alone, waiting = self.server.submit(job(ZEROS, epochs=1)), self.server.submit(job(SOUND, epochs=99999))
        self.server.wait(alone)
        pairs = {"better by seeds": (first, child["id"]), "worse by seeds": (child["id"], first), "luck": (first, runs[1]),
                 "one seed": (first, alone), "not ended": (first, waiting)}
        seen = set()
        for name, (before, after) in pairs.items():
            path = f"/v1/jobs/{after}/comparison?with={before}"
            verdicts = [self.ask(language, path).json["verdict"] for language in ("en", "ja")]
            with self.subTest(name, verdicts=verdicts):
                self.assertIsNone(JAPANESE.search(verdicts[0]))
                self.assertIsNone(re.search(r"[a-z]{3,} [a-z]{2,}", verdicts[1]))  # words in a row: codes and metrics are no sentence
                for verdict in verdicts:
                    self.assertNotIn("{", verdict)
                    self.assertNotIn("—", verdict)
                    self.assertNotIn("  ", verdict)
                numbers = [sorted(re.findall(r"\d[\d.e+-]*", verdict.replace("。", " ").rstrip("."))) for verdict in verdicts]
                self.assertEqual(*[[number.rstrip(".") for number in found] for found in numbers])
            seen.add(verdicts[1])
        self.assertTrue(any("対応のある t 検定" in verdict for verdict in seen), seen)
        self.server.post(f"/v1/jobs/{waiting}/cancel")

    def test_the_note_of_a_drift(self):
        model = self.server.wait(self.server.submit(job(SOUND, epochs=1)))["model"]
        inside, beyond = job(SOUND)["dataset"]["inputs"], [[1000.0, 0.0], [0.1, 0.2]]
        aside = [[0.9 + 0.01 * (i % 7), 0.1] for i in range(200)]
        for name, rows in (("beyond", beyond), ("aside", aside), ("both", aside + beyond), ("since", inside[:1])):
            for language in ("en", "ja"):
                with self.subTest(name, language=language):
                    note = self.ask(language, f"/v1/models/{model}/predict", {"inputs": rows}).json["drift"]["explanation"]
                    self.assertEqual(bool(JAPANESE.search(note)), language == "ja", note)
                    self.assertNotIn("{", note)
                    self.assertNotIn("—", note)


if __name__ == "__main__":
    unittest.main()
