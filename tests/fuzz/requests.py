"""Requests to a live server, mutated byte by byte: whatever comes, the server lives, answers in whole HTTP or closes, and says 2xx to
nothing that two readers could understand differently.

    requests.py [--runs 100000] [--minutes N] [--seed 1]

`./dev fuzz requests` runs it against a server under AddressSanitizer and UBSan.
"""
import argparse
import glob
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from harness import SANITIZED, Server, XOR, small_job  # noqa: E402

import json  # noqa: E402

HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
PIECES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"%00", b"%2e", b":", b"Host: a\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n",
          b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.1", b"HTTP/9.9", b"\xff", b"\xc3\x28", b"0\r\n\r\n",
          b"99999999999999999999", b"Cookie: backpropd_session=\"\r\n", b"Origin: null\r\n", b"GET", b"POST", b"?", b"&", b"="]


def with_body(line, body, more=JSON):
    return b"%s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s" % (line, HOST, more, len(body), body)


def seeds(job):
    small = json.dumps(small_job()).encode()
    return [
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /v1/jobs?limit=5&status=running HTTP/1.1\r\n" + HOST + b"Accept: text/csv\r\n\r\n",
        b"GET /v1/jobs/%s/metrics?series=train_loss&points=10 HTTP/1.0\r\n" % job + HOST + b"Accept-Encoding: gzip\r\n\r\n",
        b"GET /v1/jobs/%s/events HTTP/1.1\r\n" % job + HOST + b"Last-Event-ID: 3\r\n\r\n",
        with_body(b"POST /v1/jobs?dry_run=true", small), with_body(b"POST /v1/jobs", small[:-20]),
        with_body(b"POST /v1/trace", b'{"model": {"layers": [{"type": "dense", "units": 2}]}, "inputs": [[1, 2]], "targets": [[0, 1]]}'),
        with_body(b"POST /v1/datasets", json.dumps(XOR).encode(), JSON + b"Idempotency-Key: abc\r\n"),
        with_body(b"POST /v1/datasets?target=b", b"a,b\n1,x\n2,y\n", b"Content-Type: text/csv\r\n"),
        b"POST /v1/jobs?dry_run=true HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(small), small),
        b"POST /v1/session HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 13\r\n\r\n{\"token\": \"\"}",
        b"DELETE /v1/jobs/job_none HTTP/1.1\r\n" + HOST + b"Origin: http://localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /%E2%82%AC/a?b=c+d%20e HTTP/1.1\r\n" + HOST + b"\r\n",
    ]


def mutate(data, chance):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 2:
            data[at:at] = chance.choice(PIECES)
        elif kind == 3:
            del data[at:at + chance.randrange(1, 12)]
        elif kind == 4:
            data[at:at] = data[max(0, at - chance.randrange(1, 30)):at]
        else:
            del data[at:]
    return bytes(data)


def mutate_body(data, chance):
    """Its body alone, with a length that is true, so that what reads bodies is reached."""
    head, _, body = data.partition(b"\r\n\r\n")
    body = mutate(body, chance)
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body


def ambiguous(data):
    """Whether its head is one that must be refused, by rules so plain that they cannot be wrong."""
    # A NUL in the place of a line's CR is not seen (docs/reliability.md); LF before it leaves room for one more.
    data = re.sub(rb"(?<![\r\0])\n\0\r\n", b"\n\r\n", data.replace(b"\0\n", b"\r\n"))
    # A line may end with LF alone, and empty ones may come before the first (RFC 9112, section 2.2).
    lines = re.split(rb"\r?\n", data.lstrip(b"\r\n"))
    if b"" not in lines[1:]:
        return False
    lines = lines[:lines.index(b"", 1)]
    names = [line.split(b":")[0].lower() for line in lines[1:]]
    return (any(b"\0" in line for line in lines) or b"%00" in lines[0] or names.count(b"host") != 1 or names.count(b"content-length") > 1 or
            b"content-length" in names and b"transfer-encoding" in names or any(name != name.strip() for name in names))


def is_whole(answer):
    """Whether a whole final answer has come, by its Content-Length or its last chunk; one that goes on until the end never has."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100"):
        return blank != b"" and is_whole(body)
    length = re.search(rb"(?i)\r\nContent-Length: (\d+)", head)
    if re.match(rb"HTTP/1\.[01] (?:204|304) ", head):
        return blank != b""
    if length:
        return len(body) >= int(length[1])
    return b"chunked" in head and body.endswith(b"0\r\n\r\n")


def shoot(server, data):
    """What came back, as far as it came at once. The server may rightly wait for more; then it is told that there is none."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(data)
            connection.settimeout(0.25)
            while not is_whole(answer) and len(answer) < 1 << 20:
                try:
                    piece = connection.recv(65536)
                except TimeoutError:
                    connection.shutdown(socket.SHUT_WR)
                    piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
    except OSError:
        pass
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which it ends with fewer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=24)
    options = parser.parse_args()
    failures, statuses, lock = [], {}, threading.Lock()
    until = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as logs:
        environment = {"ASAN_OPTIONS": f"log_path={logs}/asan", "UBSAN_OPTIONS": f"log_path={logs}/ubsan:print_stacktrace=1",
                       "LSAN_OPTIONS": "suppressions=" + os.path.join(os.path.dirname(__file__), "..", "lint", "leaks.txt")}
        with Server("--workers", "1", environment=environment) as server:
            job = server.submit(small_job())
            server.wait(job)
            known = seeds(job.encode())

            def run(number):
                chance = random.Random(number)
                for _ in range(options.runs // options.threads):
                    if server.process.poll() is not None or time.monotonic() > until:
                        return
                    seed = chance.choice(known)
                    data = mutate_body(seed, chance) if b"Content-Length" in seed and chance.random() < 0.5 else mutate(seed, chance)
                    answer = shoot(server, data)
                    status = re.match(rb"HTTP/1\.[01] (\d\d\d) ", answer)
                    with lock:
                        key = status[1].decode() if status else "closed"
                        statuses[key] = statuses.get(key, 0) + 1
                        if answer and not status:
                            failures.append(f"no HTTP: {data!r}: {answer[:200]!r}")
                        if status and status[1][:1] == b"2" and ambiguous(data):
                            failures.append(f"taken: {data!r}: {answer[:100]!r}")
                        if status and status[1] == b"500":
                            failures.append(f"500: {data!r}: {answer[:300]!r}")

            threads = [threading.Thread(target=run, args=(options.seed * 100 + n,)) for n in range(options.threads)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if server.process.poll() is not None:
                failures.append(f"the server ended with {server.process.returncode}: {server.log_text()[-1000:]}")
            elif server.get("/healthz").status != 200 or server.stop() != 0:
                failures.append("the server is not well")
        for path in glob.glob(logs + "/*"):
            with open(path, encoding="utf-8", errors="replace") as file:
                failures.append(file.read())
    print("\n".join(failures[:30]))
    print(f"{sum(statuses.values())} mutated requests{' under the sanitizers' if SANITIZED else ''}: {dict(sorted(statuses.items()))}; "
          f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
