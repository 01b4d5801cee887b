"""Live traffic against the OpenAPI document that the server itself serves (P7 of the contract: what it says is what it does).

    contract.py [TEST…]        of tests/http; those in TESTS where none is named

The tests of tests/http run as they are, but for what stands between: Prism as a proxy, which reads the server's document and says of each
request and answer what in them is not as it says. A mismatch is an answer that breaks the document, or a request that the server took
although the document forbids it. Tests that fail for the proxy's own sake (timing, raw sockets) are not counted here.
"""
import json
import math
import os
import re
import subprocess
import sys
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
import harness  # noqa: E402

PRISM = os.path.join(HERE, "node_modules", "@stoplight", "prism-cli", "dist", "index.js")
TESTS = ("test_conventions", "test_datasets", "test_jobs", "test_models", "test_evaluate", "test_generate", "test_gradcheck", "test_trace",
         "test_confusion", "test_graphs", "test_series", "test_texts", "test_training", "test_aliases", "test_diagnosis", "test_drift",
         "test_explain", "test_inference", "test_job_view", "test_lr_range", "test_report", "test_rerun")
mismatches, counts, deaths = {}, {}, []


def violations(text):
    """What the proxy's header lists. A list that is too long for a header it cuts off behind some words: then those that are whole."""
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    while text[at:at + 1] == "{":
        try:
            violation, end = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield violation
        at = end + 1


class Proxied(harness.Server):
    """A server that is asked through Prism."""

    def start(self):
        self.proxy = self.last = None
        super().start()
        document = os.path.join(self.folder, "openapi.json")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/openapi.json") as answer, open(document, "wb") as file:
            file.write(answer.read())
        self.start_proxy(document)
        return self

    def start_proxy(self, document):
        self.proxy_port = harness.free_port()
        self.proxy = subprocess.Popen(["node", PRISM, "proxy", document, f"http://127.0.0.1:{self.port}", "--port", str(self.proxy_port),
                                       "--host", "127.0.0.1", "--verboseLevel", "error"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                if super().request("GET", "/healthz").status == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError("Prism does not come up")
            time.sleep(0.1)

    def connection(self, timeout=harness.PATIENCE):
        connection = super().connection(timeout)
        if self.proxy is not None:
            connection.port = self.proxy_port
        return connection

    def request(self, method, path, *more, **named):
        if self.proxy is not None and self.proxy.poll() is not None:  # some requests it does not outlive
            deaths.append(self.last)
            self.start_proxy(os.path.join(self.folder, "openapi.json"))
        self.last = f"{method} {path}"
        answer = super().request(method, path, *more, **named)
        # A number beyond double precision the proxy hands on as null.
        beyond = any(math.isinf(float(number)) for number in re.findall(r"\d[eE]\+?\d+", str(more[:1])))
        if self.proxy is not None and not beyond:
            self.note(method, path, answer)
        return answer

    def note(self, method, path, answer):
        route = re.sub(r"(ds|job|mdl)_\w+", "{id}", path.split("?")[0])
        if method == "HEAD":
            return  # HTTP itself has it where GET is; the document lists GET
        counts[f"{method} {route}"] = counts.get(f"{method} {route}", 0) + 1
        for violation in violations(answer.headers.get("sl-violations") or "[]"):
            place = violation.get("location", [])
            if place[:1] == ["request"] and answer.status >= 400:
                continue  # both refuse it
            what = f"{method} {route} {answer.status}: {'.'.join(map(str, place))}: {violation.get('message')}"
            mismatches[what] = mismatches.get(what, 0) + 1

    def end_proxy(self):
        if self.proxy is not None:
            self.proxy.terminate()
            self.proxy.wait()
            self.proxy = None

    def stop(self):
        self.end_proxy()
        return super().stop()

    def kill(self):
        self.end_proxy()
        super().kill()

    def finish(self):
        self.end_proxy()
        super().finish()


def main(names):
    if not os.path.exists(PRISM):
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    harness.Server = Proxied
    tests = unittest.TestLoader().loadTestsFromNames(names or TESTS)
    result = unittest.TextTestRunner(verbosity=1).run(tests)
    print("\n".join(f"{times} × {what}" for what, times in sorted(mismatches.items())))
    print("".join(f"the proxy did not outlive {what}\n" for what in deaths), end="")
    print(f"{sum(counts.values())} requests to {len(counts)} routes and paths in {result.testsRun} tests, the proxy began anew {len(deaths)} times: "
          f"{len(mismatches)} mismatches")
    return 1 if mismatches or len(counts) < 20 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
