"""A run as one file, and a stream that begins with the newest event."""
import json
import re
import unittest

import test_diagnosis
from harness import LiveTest, XOR, small_job


def held(html):
    """What a report holds of its run."""
    return json.loads(re.search(r'<script type="application/json" id="run">(.*?)</script>', html, re.S)[1])


class Report(LiveTest):
    def test_it_holds_what_the_routes_say_and_comes_as_a_file(self):
        job = self.server.wait(self.server.submit({**small_job(XOR), "name": "</script><b>"}))
        answer = self.server.get(f"/v1/jobs/{job['id']}/report")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Disposition"], f'attachment; filename="{job["id"]}.html"')
        html = answer.body.decode()
        run = held(html)
        self.assertEqual(run["job"], self.server.get(f"/v1/jobs/{job['id']}").json)
        self.assertEqual(run["metrics"], self.server.get(f"/v1/jobs/{job['id']}/metrics?points=1000").json)
        self.assertEqual(run["gradients"], self.server.get(f"/v1/jobs/{job['id']}/gradients?points=250").json)
        diagnosis = self.server.get(f"/v1/jobs/{job['id']}/diagnosis").json
        self.assertEqual(run["diagnosis"], diagnosis)
        self.assertNotRegex(html, r'(?:src|href)="?(?!data:)')

    def test_it_comes_in_the_readers_language(self):
        job = self.server.wait(self.server.submit(test_diagnosis.job(test_diagnosis.ZEROS)))
        told = {language: self.server.get(f"/v1/jobs/{job['id']}/diagnosis", headers={"Accept-Language": language}).json
                for language in ("en", "ja")}
        self.assertNotEqual(told["en"]["findings"][0]["explanation"], told["ja"]["findings"][0]["explanation"])
        for query, header, language in (("", "ja", "ja"), ("?lang=ja", "en", "ja"), ("?lang=en", "ja", "en"), ("", "fr", "en")):
            answer = self.server.get(f"/v1/jobs/{job['id']}/report{query}", headers={"Accept-Language": header})
            self.assertEqual(answer.headers["Content-Language"], language)
            html = answer.body.decode()
            self.assertIn(f'<html lang="{language}">', html)
            self.assertEqual(held(html)["diagnosis"], told[language])
        self.assertEqual(self.server.get(f"/v1/jobs/{job['id']}/report?lang=xx").status, 400)

    def test_there_is_none_of_a_job_that_is_not_there(self):
        self.assertProblem(self.server.get("/v1/jobs/job_0/report"), 404)

    def test_a_live_stream_begins_with_the_newest_event(self):
        job = self.server.wait(self.server.submit(small_job(XOR)))["id"]
        events = self.server.events(job)
        live = self.server.get(f"/v1/jobs/{job}/events?live=true").body.decode()
        self.assertEqual([int(one) for one in re.findall(r"^id: (\d+)$", live, re.M)], [events[-1][0]])
        self.assertIn("event: end", live)
        after = self.server.get(f"/v1/jobs/{job}/events?live=true", headers={"Last-Event-ID": str(events[0][0])})
        self.assertEqual(len(re.findall(r"^id: ", after.body.decode(), re.M)), len(events) - 1)
        self.assertEqual(self.server.get(f"/v1/jobs/{job}/events?live=perhaps").status, 400)


if __name__ == "__main__":
    unittest.main()
