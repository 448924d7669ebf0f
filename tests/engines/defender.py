"""A stand-in for Microsoft Defender for Endpoint and its sign-in service, over TLS on the loopback address.

The tests of the engines run against it. It answers by the id of the machine action, writes down every call, and keeps the
service's limit of calls a minute.
"""

import json
import re
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

OPEN = "00000000-0000-0000-0000-00000000aaaa"
"""An open action: the cancel is accepted, and a read shows that it is cancelled."""
THROTTLED = "00000000-0000-0000-0000-00000000bbbb"
"""An open action whose first call is throttled for longer than the step's time limit."""
REFUSED = "00000000-0000-0000-0000-00000000cccc"
"""An action that can be read, but whose cancel is answered with 404: the service's replicas differ for a while."""
FINISHED = "00000000-0000-0000-0000-00000000dddd"
"""An action that has already succeeded: the cancel is answered with 200 all the same."""
STUCK = "00000000-0000-0000-0000-00000000eeee"
"""An action whose device does not answer: the cancel is accepted, and the action stays pending."""
NO_ID = "no id"
"""A request with this is not valid: the step fails, and the service is not called."""

ACTIONS = (OPEN, THROTTLED, REFUSED, FINISHED, STUCK)
CALLED = {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404], FINISHED: [200], STUCK: [200]}
"""What the service answers to a playbook that repeats what may succeed later, and nothing else."""
FATES = {OPEN: "cancelled", THROTTLED: "cancelled", REFUSED: "404 Not Found", FINISHED: "already_final",
         STUCK: "accepted"}
"""What a playbook has to say about each action."""

RETRY_AFTER = 3
"""How many seconds a throttled caller has to wait."""
STEP_TIMEOUT = 2
"""The step's time limit in the tests: shorter than `RETRY_AFTER`, so that the engine and not the step tries again."""
STEP_WAIT = 1
"""How long the step waits in the tests until an action is final."""

CANCEL = re.compile(r"/api/machineactions/([^/?]+)/cancel")
READ = re.compile(r"/api/machineactions/([^/?]+)")
SECRET = "secret-of-the-test"
TOKEN = "token-of-the-test"


FINISHED_IN_SANDBOX = "00000000-0000-0000-0000-000000200001"
"""An action that the step's own sandbox answers for, and that has already succeeded."""
INHERITED = {"MDE_SANDBOX": "1", "MDE_EXIT_ZERO": "1"}
"""What the environment of an engine may say: the exit status is 0, whatever became of the action."""
LIMITS = {"MDE_TIMEOUT": str(STEP_TIMEOUT), "MDE_WAIT": str(STEP_WAIT)}
"""Both, for playbooks that take them from the environment."""


class Call(NamedTuple):
    """One cancel as the service saw it."""

    at: float
    """When it came, in seconds of the monotonic clock."""
    id: str
    """The machine action."""
    comment: str
    """What the request said."""
    status: int
    """What was answered."""


class Defender:
    """The service, as a context manager: it serves until the block is left.

    `limits` are its limits: so many calls in so many seconds.
    """

    def __init__(self, actions=ACTIONS, limits=((100, 60),), seconds_to_answer=0):
        self.actions = list(actions)
        self.limits = limits
        self.seconds_to_answer = seconds_to_answer
        self.calls: list[Call] = []
        """Every cancel."""
        self.times: list[float] = []
        """When each call came that counts against the limits: cancels, reads, lists."""
        self._lock = threading.Lock()

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="defender-")
        folder = Path(self._folder.name)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        secret = folder / "client-secret"
        secret.write_text(SECRET)

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        handler = type("Handler", (_Handler,), {"defender": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # The handshake belongs to the connection's own thread: a slow client must not hold up the others.
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

        url = f"https://localhost:{self._server.server_address[1]}"
        self.environment = {
            "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
            "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
            "AZURE_CLIENT_SECRET_FILE": str(secret),
            "AZURE_AUTHORITY_HOST": url,
            "MDE_BASE_URL": url,
            "SSL_CERT_FILE": str(certificate),
        }
        """What an operator sets for the step."""
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def answered(self):
        """The statuses of the cancels of each action, in their order."""
        statuses = {}
        for call in self.calls:
            statuses.setdefault(call.id, []).append(call.status)
        return statuses

    def seconds_between_tries(self):
        """How long it took from the first cancel of the throttled action to the second."""
        first, second = (call.at for call in self.calls if call.id == THROTTLED)
        return second - first

    def most_calls_in(self, seconds):
        """The largest number of calls in any so many seconds."""
        times = sorted(self.times)
        return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)

    def cancel(self, id, comment):
        """Answers a cancel: status, further headers, body."""
        with self._lock:
            now = time.monotonic()
            status = 429 if self._is_used_up(now) else self._status(id)
            self.calls.append(Call(now, id, comment, status))
        time.sleep(self.seconds_to_answer)
        # A device takes a moment: the service has accepted the cancel, no more.
        return self._reply(status, id, "Succeeded" if id == FINISHED else "Pending")

    def read(self, id):
        """Answers a read of one action: status, further headers, body."""
        with self._lock:
            status = 429 if self._is_used_up(time.monotonic()) else 200 if id in self.actions else 404
            is_cancelled = id != STUCK and any(call.id == id and call.status == 200 for call in self.calls)
        time.sleep(self.seconds_to_answer)
        return self._reply(
            status, id, "Succeeded" if id == FINISHED else "Cancelled" if is_cancelled else "Pending")

    def list(self):
        """Answers a list of the open actions: status, further headers, body."""
        with self._lock:
            self._is_used_up(time.monotonic())
        return 200, {}, {"value": [_entity(id, "Pending") for id in self.actions]}

    def _is_used_up(self, now):
        """Counts a call; whether it is above a limit."""
        used_up = any(sum(now - at < seconds for at in self.times) >= calls for calls, seconds in self.limits)
        self.times.append(now)
        return used_up

    def _status(self, id):
        if id == THROTTLED and not any(call.id == id for call in self.calls):
            return 429
        return 200 if id in self.actions and id != REFUSED else 404

    def _reply(self, status, id, state):
        if status == 429:
            return status, {"Retry-After": str(RETRY_AFTER)}, {
                "error": {"code": "429", "message": "API calls quota exceeded! maximum allowed 100 per 00:01:00"}}
        if status == 404:
            return status, {}, {"error": {"code": "ResourceNotFound", "message": f"Machine action {id} was not found"}}
        return status, {"OData-Version": "4.0"}, _entity(id, state)


def _entity(id, state):
    return {"id": id, "type": "Isolate", "title": None, "status": state, "commands": []}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    defender: Defender

    def do_GET(self):
        if not self._signed_in():
            return
        if self.path.startswith("/api/machineactions?"):
            self._answer(*self.defender.list())
        elif read := READ.fullmatch(self.path):
            self._answer(*self.defender.read(read[1]))
        else:
            self._answer(404, {}, {"error": {"code": "NotFound", "message": "no such resource"}})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path.endswith("/oauth2/v2.0/token"):
            if urllib.parse.parse_qs(body).get("client_secret") == [SECRET]:
                self._answer(200, {}, {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN})
            else:
                self._answer(401, {}, {"error": "invalid_client", "error_description": "Invalid client secret."})
        elif cancel := CANCEL.fullmatch(self.path):
            if self._signed_in():
                self._answer(*self.defender.cancel(cancel[1], json.loads(body).get("Comment")))
        else:
            self._answer(404, {}, {"error": {"code": "NotFound", "message": "no such resource"}})

    def _signed_in(self):
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._answer(401, {}, {"error": {"code": "Unauthorized", "message": "no token"}})
        return False

    def _answer(self, status, headers, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # The caller is gone: it was killed, or its time was up.
            self.close_connection = True

    def log_message(self, *_):
        pass
