"""Holds the step's reading of requests against another one: Python's `json`, which is told to refuse a key that stands
twice, and `jsonschema` with the published schema, in both drafts.

    tests/fuzz/run                          20,000 requests, and the costly ones
    tests/fuzz/run --requests 200000 --seed 2

Whatever the step accepts, they must accept, and what is sent must be the id and the comment that they read. What the step
alone refuses must be so for a reason with a name. And no request may take more than 64 MiB or a second.
"""

import argparse
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from jsonschema import Draft7Validator, Draft202012Validator

from made import MEBIBYTE, Maker, costly_requests

ROOT = Path(__file__).parents[2]
STEP = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "cancel-machine-action"
SCHEMA = json.loads((ROOT / "schema/input.schema.json").read_text())
VALIDATORS = [draft(SCHEMA) for draft in (Draft7Validator, Draft202012Validator)]
MAX_KIBIBYTES = 64 << 10
MAX_SECONDS = 1.0
SINGLE = 40
"""One request in so many is sent by a step of its own; the others are lines of a batch."""


class Service:
    """Takes cancels on the loopback address, and notes what they say."""

    def __init__(self):
        self.sent = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._answer, args=(connection.makefile("rwb"),), daemon=True).start()

    def _answer(self, stream):
        while line := stream.readline():
            length = 0
            while (header := stream.readline().strip()):
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.sent.append((line.decode(), stream.read(length)))
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            stream.flush()


class Run:
    """A step that has run: what it wrote, and what it took."""

    def __init__(self, service, arguments, stdin):
        environment = {"MDE_BASE_URL": service.url, "MDE_ACCESS_TOKEN": "x", "MDE_CALLS_PER_MINUTE": "0", "MDE_CALLS_PER_HOUR": "0"}
        with tempfile.NamedTemporaryFile() as report:
            # GNU time starts the step itself, so that what it measures is the step's memory, not ours.
            command = ["time", "--quiet", "--output", report.name, "--format", "%M %e", STEP, *arguments]
            done = subprocess.run(command, input=stdin, env={**environment, "PATH": os.environ["PATH"]}, timeout=600,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=limit)
            kibibytes, seconds = Path(report.name).read_text().split()
        self.status, self.documents = done.returncode, done.stdout.splitlines()
        self.kibibytes, self.seconds = int(kibibytes), float(seconds)


def limit():
    """Whatever goes wrong, the machine stays usable: address space for the step, and no core file."""
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))


class RepeatedKey(ValueError):
    """A key stands twice."""


def object_of(pairs):
    """The object, unless a key stands twice."""
    object = dict(pairs)
    if len(object) < len(pairs):
        raise RepeatedKey
    return object


def read_by_python(request):
    """Id and comment of a valid request, in a tuple; `None` if it is not valid."""
    try:
        value = json.loads(request, object_pairs_hook=object_of)
    except (ValueError, RecursionError):
        return None
    if not all(validator.is_valid(value) for validator in VALIDATORS):
        return None
    return value["path_parameters"]["machineactionid"], value["json_body"].get("Comment")


def read_by_service(line, body):
    """Id and comment of a cancel as it was sent."""
    method, path, _ = line.split(" ")
    assert method == "POST" and path.startswith("/api/machineactions/") and path.endswith("/cancel"), line
    body = json.loads(body)
    assert set(body) <= {"Comment"}, body
    return path.removeprefix("/api/machineactions/").removesuffix("/cancel"), body.get("Comment")


def reason(request, id, comment):
    """Why the step alone may refuse the request; `None` if it may not."""
    if len(request.removeprefix(b"\xef\xbb\xbf")) > MEBIBYTE:
        return "larger than 1 MiB"
    try:
        request.decode()
    except UnicodeDecodeError:
        return "not UTF-8 (Python guesses UTF-16 and UTF-32)"
    if b"\0" in request:
        return "not UTF-8 (Python guesses UTF-16 and UTF-32)"
    if any("\ud800" <= letter <= "\udfff" for letter in id + (comment or "")):
        return "a lone surrogate"
    if id.endswith("\n"):
        return "an id that ends in a line break"
    return None


class Comparison:
    """What was found so far."""

    def __init__(self):
        self.accepted = self.refused = 0
        self.reasons, self.faults = Counter(), []

    def compare(self, request, document, sent):
        """One request, what the step wrote about it, and what it sent, if anything."""
        theirs, document = read_by_python(request), json.loads(document)
        if sent is not None:
            self.accepted += 1
            if theirs != read_by_service(*sent):
                self.fault(f"sent {sent}, but Python reads {theirs}", request)
            return
        self.refused += 1
        if document.get("error", {}).get("code") not in ("invalid_input", "no_input"):
            self.fault(f"neither sent nor refused: {document}", request)
        elif theirs is not None:
            named = reason(request, *theirs)
            self.reasons[named] += 1
            if named is None:
                self.fault(f"refused without a reason that has a name: {document['error']['message']}", request)

    def fault(self, what, request):
        """Something is wrong."""
        self.faults.append(f"{what}\n  {request[:300]!r}")


def compare_batch(service, requests, found):
    """The requests as lines of one batch; lines that are blank get no answer."""
    mark = b"\xef\xbb\xbf"
    requests = [request for request in requests if request.removeprefix(mark).strip(b"\t\n\x0c\r ")]
    service.sent.clear()
    run = Run(service, ["--batch"], b"\n".join(requests))
    assert len(run.documents) == len(requests), (len(run.documents), len(requests), run.status)
    sent = iter(list(service.sent))
    for request, document in zip(requests, run.documents):
        found.compare(request, document, next(sent) if b'"status_code"' in document[:20] else None)
    assert next(sent, None) is None, "more was sent than was answered"
    return run


def compare_single(service, request, found):
    """The request to a step of its own."""
    service.sent.clear()
    run = Run(service, [], request)
    assert len(run.documents) == 1 and len(service.sent) <= 1, (run.status, run.documents, service.sent, request[:300])
    assert run.status == (0 if service.sent else 2), (run.status, request[:300])
    found.compare(request, run.documents[0], service.sent[0] if service.sent else None)
    return run


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--requests", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments = arguments.parse_args()
    maker, service, found, costs = Maker(random.Random(arguments.seed)), Service(), Comparison(), []
    for start in range(0, arguments.requests, 10_000):
        lines = []
        for at in range(min(10_000, arguments.requests - start)):
            request = maker.request()
            if at % SINGLE:
                lines.append(request.replace(b"\n", b" "))
            else:
                run = compare_single(service, request, found)
                costs.append((run.kibibytes, run.seconds, "a generated request"))
        run = compare_batch(service, lines, found)
        # A batch takes as long as its lines, but no more memory than one.
        costs.append((run.kibibytes, 0, f"a batch of {len(lines):,} lines"))
    lines = []
    for name, request in costly_requests():
        run = compare_single(service, request, found)
        costs.append((run.kibibytes, run.seconds, name))
        lines.append(request)
    run = compare_batch(service, lines, found)
    costs.append((run.kibibytes, run.seconds / len(lines), f"a batch of {len(lines)} costly lines"))
    report(found, costs)


def report(found, costs):
    """Prints what was found, and ends with a failure if something is wrong."""
    print(f"{found.accepted:,} accepted by all, {found.refused - found.reasons.total():,} refused by all; refused by the step alone:")
    for name, count in found.reasons.most_common():
        print(f"  {count:,}: {name}")
    print("the most memory:", *(f"  {kibibytes / 1024:.1f} MiB: {name}" for kibibytes, _, name in sorted(costs)[:-6:-1]), sep="\n")
    slowest = sorted((seconds, name) for _, seconds, name in costs)
    print("the most time:", *(f"  {seconds:.2f} s: {name}" for seconds, name in slowest[:-6:-1]), sep="\n")
    for kibibytes, seconds, name in costs:
        if kibibytes > MAX_KIBIBYTES or seconds > MAX_SECONDS:
            found.faults.append(f"{name} took {kibibytes / 1024:.1f} MiB and {seconds} s")
    for fault in found.faults[:20]:
        print(f"fault: {fault}", file=sys.stderr)
    if found.faults:
        sys.exit(f"{len(found.faults)} faults")


if __name__ == "__main__":
    main()
