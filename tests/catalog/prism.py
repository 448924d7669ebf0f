"""Serves the OpenAPI description with Prism, and lets the real step call it.

    prism.py openapi.json

Prism judges each request by the description, and answers with the description's examples. It answers 200 unless the
header `Prefer` names another status, and an example of it. The step sends no such header: a stock reverse proxy before
Prism adds it, by the id of the action. For 401 the proxy takes the token away instead, and Prism refuses by itself.
"""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import namedtuple
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from support import end, environment, expect, free_port  # noqa: E402

ACCEPTED = "The request passed the validation rules"
"""What Prism logs of a request that is as described."""
VIOLATIONS = "Sl-Violations"
"""The header in which Prism tells what is not."""

MUST_HAVE = {"200", "400", "401", "403", "404", "409", "429", "500", "503"}
"""The statuses that the description must show."""

Example = namedtuple("Example", "id status media_type body prefer")


def examples(operation):
    """Each answer that the description gives an example of, and the id of the action that gets it.

    A named example goes by its name, an unnamed one by its status.
    """
    for status, response in operation["responses"].items():
        for media_type, content in response["content"].items():
            if "example" in content:
                yield Example(action(f"{status}000"), status, media_type, content["example"], f"code={status}")
            for name, example in content.get("examples", {}).items():
                yield Example(action(name), status, media_type, example["value"], f"code={status}, example={name}")


def action(last):
    """The id of an action."""
    return f"00000000-0000-0000-0000-000000{last}"


def proxy_rules(described):
    """What the reverse proxy does to the requests."""
    rules = []
    for example in described:
        here = f"|~q & ~u {example.id}"
        # A header without a value is taken away: the 401 is to be Prism's own verdict on a request without its token.
        rules.append(f"{here}|Authorization|" if example.status == "401" else f"{here}|Prefer|{example.prefer}")
        # Prism gives nothing but what the caller asks for; the service is not so strict.
        rules.append(f"{here}|Accept|{example.media_type}")
    return [part for rule in rules for part in ("--modify-headers", rule)]


@contextlib.contextmanager
def served(command, port, log):
    """A server, for as long as the block lasts, once it takes connections."""
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(["bash", "-c", f": < /dev/tcp/127.0.0.1/{port}"], capture_output=True).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[0]} did not start:\n{Path(log).read_text()}")
            time.sleep(0.1)
        yield
    finally:
        end(process, signal.SIGTERM)


def cancel(url, id):
    """Runs the real step: its answer and its exit status."""
    request = {"path_parameters": {"machineactionid": id}, "json_body": {"Comment": "Seen by Prism: \N{SNOWMAN}"}}
    done = subprocess.run(
        ["cancel-machine-action"], input=json.dumps(request), text=True, capture_output=True, timeout=60,
        # Shorter than any Retry-After in the description, so that the step does not try again.
        env=environment(MDE_BASE_URL=url, MDE_ACCESS_TOKEN="token-of-the-test", MDE_TIMEOUT="1"))
    return json.loads(done.stdout), done.returncode


def ask(url, body, **headers):
    """Calls Prism without the step: the status and what it finds wrong."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers.get(VIOLATIONS, "")
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get(VIOLATIONS, "")


def main():
    file = Path(sys.argv[1]).resolve()
    (operation,) = [path["post"] for path in json.loads(file.read_bytes())["paths"].values()]
    described = list(examples(operation))
    expect("statuses with an example", MUST_HAVE - {example.status for example in described}, set())
    expect("429 tells when to try again", "Retry-After" in operation["responses"]["429"].get("headers", {}), True)
    with tempfile.TemporaryDirectory(prefix="prism-") as folder:
        prism, proxy = free_port(), free_port()
        log = Path(folder, "prism.log")
        with (served(["prism", "mock", "--errors", "--host", "127.0.0.1", "--port", str(prism), file], prism, log),
              served(["mitmdump", "--quiet", "--listen-host", "127.0.0.1", "--listen-port", str(proxy),
                      "--set", f"confdir={folder}", "--mode", f"reverse:http://127.0.0.1:{prism}",
                      *proxy_rules(described)],
                     proxy, Path(folder, "proxy.log"))):
            wrong_requests(f"http://127.0.0.1:{prism}/api/machineactions/{action('200000')}/cancel")
            for example in described:
                right_request(f"http://127.0.0.1:{proxy}", example, operation["responses"][example.status], log)


def wrong_requests(url):
    """Prism's validation is on: whatever is not as described is refused."""
    token = {"Authorization": "Bearer token"}
    expect("a described request is accepted", ask(url, b'{"Comment":"x"}', **token), (200, ""))
    for wrong, (status, violations) in {
        "an unknown property": ask(url, b'{"comment":"x"}', **token),
        "a comment that is no string": ask(url, b'{"Comment":1}', **token),
        "a missing body": ask(url, b"", **token),
        "another media type": ask(url, b"{}", **token | {"Content-Type": "text/plain"}),
        "an id with a space": ask(url.replace("-0000", "%20", 1), b"{}", **token),
    }.items():
        # 400 is described, so that Prism answers with it and not with its own 422.
        expect(f"{wrong} is refused", (status, violations != ""), (400, True))
    expect("a missing token is refused", ask(url, b"{}")[0], 401)


def right_request(url, example, response, log):
    """The step gives the example truly, and Prism has nothing against its request."""
    before = log.read_text().count(ACCEPTED)
    answer, exit_status = cancel(url, example.id)
    # The step tries again where that may help, and each try is judged.
    accepted = log.read_text().count(ACCEPTED) > before
    status, headers = int(example.status), answer["response_headers"]
    expect(f"{example.prefer}: status, reason, exit status", (answer["status_code"], answer["reason"], exit_status),
           (status, HTTPStatus(status).phrase, 0 if status == 200 else 8 if answer["retryable"] else 1))
    body = answer.get("json_body", answer.get("response_text"))
    expect(f"{example.prefer}: body", (headers.get("Content-Type"), body), (example.media_type, example.body))
    promised = {name: str(header["example"]) for name, header in response.get("headers", {}).items()}
    expect(f"{example.prefer}: headers", {name: headers.get(name) for name in promised}, promised)
    expect(f"{example.prefer}: {'refused' if status == 401 else 'accepted'} by Prism",
           (accepted, VIOLATIONS in headers), (status != 401, status == 401))


main()
