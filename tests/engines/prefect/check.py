"""Runs the Prefect playbooks against a server of their own, and checks what the service saw and what was reported."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from defender import FATES, FINISHED, LIMITS, NO_ID, OPEN, SECRET, THROTTLED, Defender
from support import end, environment, expect, expect_hidden, expect_playbook, free_port, run

HERE = Path(__file__).parent
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'


def main():
    with tempfile.TemporaryDirectory(prefix="prefect-") as folder, server(Path(folder)) as prefect:
        first(prefect)
        playbook(prefect)
        expect_hidden(*prefect.logs)


class Prefect:
    """A server."""

    def __init__(self, folder, url):
        self.url = url
        self.environment = environment(
            HOME=str(folder), PREFECT_HOME=str(folder), PREFECT_API_URL=url, PREFECT_LOGGING_COLORS="false",
            PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1", PREFECT_CLI_COLORS="false")
        self.logs = []

    def play(self, defender, *program, status=0, **settings):
        """Runs a flow to its end; returns what it wrote."""
        log = run("python", HERE / program[0], *program[1:], seconds=120, status=status, stderr=subprocess.STDOUT,
                  env={**self.environment, **defender.environment, **LIMITS, **settings})
        self.logs.append(log)
        return log

    def ask(self, path, **filter):
        """What the server answers."""
        request = urllib.request.Request(
            f"{self.url}/{path}", json.dumps(filter).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def server(folder):
    """Prefect's server, with the secret in its own store."""
    port = free_port()
    prefect = Prefect(folder, f"http://127.0.0.1:{port}/api")
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"],
            env=prefect.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not is_up(prefect.url):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server is not up\n{(folder / 'server.log').read_text()}")
            time.sleep(0.5)
        save = "import sys; from prefect.blocks.system import Secret; Secret(value=sys.stdin.read()).save(sys.argv[1])"
        run("python", "-c", save, "defender-client-secret", env=prefect.environment, seconds=60, input=SECRET)
        run("prefect", "gcl", "create", "defender", "--limit", "10", "--slot-decay-per-second", "5",
            env=prefect.environment, seconds=60)
        yield prefect
    finally:
        end(process)
    prefect.logs.append((folder / "server.log").read_text())


def is_up(url):
    try:
        return urllib.request.urlopen(f"{url}/health", timeout=5).status == 200
    except OSError:
        return False


def first(prefect):
    with Defender() as defender:
        prefect.play(defender, "first.py", OPEN)
        log = prefect.play(defender, "first.py", FINISHED, status=1)
    expect("the first example: what is not cancelled is red, and named", f"not cancelled: {FINISHED}" in log, True)
    expect("the first example: each was called once", defender.answered(), {OPEN: [200], FINISHED: [200]})


def playbook(prefect):
    with Defender(actions=[*FATES, NO_ID]) as defender:
        # The secret that is used is the one in Prefect's store.
        prefect.play(defender, "playbook.py", COMMENT, status=1, AZURE_CLIENT_SECRET_FILE="/nowhere")
    expect_playbook(defender, COMMENT)
    runs = prefect.ask("task_runs/filter", flows={"name": {"any_": ["cancel-pending-actions"]}})
    runs = {run["name"].removeprefix("cancel "): run for run in runs if run["name"].startswith("cancel ")}
    expect("green is what was cancelled, red all else, each with its action",
           {id: run["state_type"] for id, run in runs.items()},
           {id: "COMPLETED" if FATES.get(id) == "cancelled" else "FAILED" for id in defender.actions})
    expect("it was Prefect that tried again, and only what may succeed",
           {id: run["run_count"] for id, run in runs.items()},
           {id: 2 if id == THROTTLED else 1 for id in defender.actions})
    [flow] = prefect.ask("flow_runs/filter", flows={"name": {"any_": ["cancel-pending-actions"]}})
    fates = json.loads(flow["state"]["message"].removeprefix("not cancelled: "))
    expect("a failure is reported as one", fates.pop(NO_ID).startswith("invalid_input: "), True)
    expect("the run says what was not cancelled, and why", (flow["state_type"], fates),
           ("FAILED", {id: fate for id, fate in FATES.items() if fate != "cancelled"}))

    with Defender(actions=[OPEN]) as defender:
        log = prefect.play(defender, "playbook.py", COMMENT)
    expect("if all are cancelled, the run is green", "cancelled: 1" in log, True)


if __name__ == "__main__":
    main()
