"""Throws lines at the server for agents: it must answer each request once, and nothing else, in memory that stays flat.

    mcp_fuzz.py LINES [SEED]

What it writes is held to the SDK's strict types. A service that counts proves that an action of a type that is not allowed
is never cancelled.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mcp_strict import DEEP, check, key

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
TOOLS = ["get_machine_action", "cancel_machine_action", "list_machine_actions", "unknown", "", "Cancel_machine_action"]
METHODS = ["ping", "initialize", "tools/list", "tools/call", "server/discover", "unknown", "notifications/cancelled"]
WORDS = ["jsonrpc", "2.0", "id", "method", "params", "name", "arguments", "_meta", "requestId", "cursor", "result", "error",
         "path_parameters", "json_body", "machineactionid", "Comment", *TOOLS, *METHODS, *META, "\u202e", "\x00", "é", "\ud83d"]
SPACE = 64 << 10
"""How much memory more may be taken, in KiB: what many large lines at once take."""


class Lines:
    """Makes the lines, and knows which of them must be answered."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0
        self.due = set()

    def value(self, depth=0):
        pick = self.random.random()
        if depth < 4 and pick < 0.2:
            return {self.word(): self.value(depth + 1) for _ in range(self.random.randrange(4))}
        if depth < 4 and pick < 0.3:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return self.random.choice([None, True, 0, -1, 1.5, 1e300, 2**63, -2**63, 2**70, "", self.word(), "x" * 1000])

    def word(self):
        return self.random.choice(WORDS)

    def id(self):
        self.count += 1
        return self.random.choice([self.count, f"id {self.count}"])

    def arguments(self):
        action = f"{self.random.randrange(2**32):08x}-0000-4000-8000-{self.random.randrange(2**48):012x}"
        wrong = self.random.choice(["../x", 1, None, action + "\n", "x" * 200])
        return self.random.choice([
            {"machineactionid": action}, {"path_parameters": {"machineactionid": action}, "json_body": {}},
            {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": self.word()}},
            {"machineactionid": wrong}, {"path_parameters": {"machineactionid": wrong}, "json_body": {}}, {}, {"status": [self.word()]},
            {"type": ["Isolate"], "since": "2025-01-01"}, self.value()])

    def params(self, method):
        params = {"name": self.random.choice(TOOLS[:3] * 3 + TOOLS), "arguments": self.arguments()}
        params = params if method == "tools/call" else {"protocolVersion": "2025-06-18", "capabilities": {}}
        return params | ({"_meta": META} if self.random.random() < 0.6 else {})

    def request(self):
        """A whole request, which must be answered."""
        method, id = self.random.choice(METHODS[:6] + ["tools/call"] * 3), self.id()
        self.due.add(key(id))
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": self.params(method)}

    def given_up(self):
        """A request, and that its answer is not wanted: it may have one."""
        request = self.request()
        self.due.discard(key(request["id"]))
        gives_up = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request["id"]}}
        return encode(request) + b"\n" + encode(gives_up)

    def broken(self):
        """A request in which something is changed: it may have an answer."""
        request = self.request()
        self.due.discard(key(request["id"]))
        if self.random.random() < 0.5:
            place = self.random.choice([request, request["params"]])
            place[self.word()] = self.value()
            return encode(request)
        text = bytearray(encode(request))
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(text))
            text[at:at + self.random.randrange(3)] = self.random.choice(
                [b"", b'"', b"{", b"}", b"\\", b"\xff", b"\\ud800", b"0", b",", bytes([self.random.randrange(256)])])
        return bytes(text).replace(b"\n", b" ")

    def other(self):
        pick = self.random.random()
        if pick < 0.02:
            return b"[" * self.random.choice([100, 1000, 100_000])
        if pick < 0.04:
            return DEEP + b'"params":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
        if pick < 0.05:
            return b" " * ((1 << 20) + 10) + b"1"
        if pick < 0.3:
            return bytes(self.random.randrange(256) for _ in range(self.random.randrange(60))).replace(b"\n", b"")
        return encode(self.value())

    def line(self):
        kinds = [self.request] * 5 + [self.given_up] * 2 + [self.broken] * 5 + [self.other] * 2
        line = self.random.choice(kinds)()
        return line if isinstance(line, bytes) else encode(line)


def encode(value):
    return json.dumps(value, ensure_ascii=True).encode()


def peak(process):
    """The greatest memory so far, in KiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def fuzz(server, lines, total, pause):
    """Says the lines, with a pause after each; gives what was said and heard, and the memory after a quarter and at the end."""
    heard, said, peaks = [], [], []
    hearing = threading.Thread(target=lambda: heard.extend(server.stdout), daemon=True)
    hearing.start()
    for number in range(total):
        line = lines.line()
        server.stdin.write(line + b"\n")
        said.extend(line.split(b"\n"))
        if pause:
            server.stdin.flush()
            time.sleep(pause)
        if number in (total // 4, total - 1):
            server.stdin.flush()
            peaks.append(peak(server))
    server.stdin.close()
    hearing.join(timeout=120)
    return said, heard, peaks


class Service(BaseHTTPRequestHandler):
    """Has actions of every type but the one that is allowed, and counts what would cancel them."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    cancels = reads = 0
    random = random.Random(1)

    def do_GET(self):
        Service.reads += 1
        kind = self.random.choice(["Isolate", "offboard", "Offboard\n", "any", "", None, ["Offboard"], {"Offboard": 1}])
        entity = json.dumps({"id": self.path.rsplit("/", 1)[-1], "type": kind, "status": "Pending"})
        twice = entity.replace('"status"', '"type": "Offboard", "status"')
        self.answer(self.random.choice([entity, entity, twice, "[]", '"Offboard"', '{"value": [' + entity + "]}"]))

    def do_POST(self):
        Service.cancels += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer("{}")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def run(lines, total, options, pause=0, **environment):
    """Says so many lines to a server with these options; gives the answers by their ids, and the memory."""
    environment |= {"PATH": os.environ["PATH"], "MDE_CALLS_PER_MINUTE": "0", "MDE_CALLS_PER_HOUR": "0"}
    server = subprocess.Popen(
        ["cancel-machine-action", "mcp", "--timeout", "20", *options], env=environment, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        said, heard, peaks = fuzz(server, lines, total, pause)
        status = server.wait(timeout=30)
    finally:
        server.kill()
    count = check(said, heard)
    missing = [id for id in lines.due if count[id] == 0]
    print(f"  {total} lines, {' '.join(options)}: {len(heard)} answers, status {status}, memory {peaks} KiB")
    if status != 0 or missing or peaks[1] - peaks[0] > SPACE:
        sys.exit(f"without one answer: {missing[:10]}, or too much memory")


def main():
    total, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"  seed {seed}")
    run(Lines(seed), total, ["--sandbox", "--allow", "any"])

    service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{service.server_port}"
    run(Lines(seed), total // 10, ["--allow", "Offboard"], pause=0.002, MDE_BASE_URL=url, MDE_ACCESS_TOKEN="a.token")
    print(f"  {Service.reads} reads, {Service.cancels} cancels")
    if Service.cancels or not Service.reads:
        sys.exit("an action was cancelled that is not of the type that is allowed")


main()
