"""Runs the CWL workflow, and the tool alone, in cwltool, and checks what the service saw and what came out."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from support import environment, expect, free_port, run

HERE = Path(__file__).parent
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'
CANCELLED, FINAL, PENDING = (f"00000000-0000-0000-0000-000000{digits}" for digits in ("200000", "200001", "200006"))
"""Actions of the step's sandbox: a cancel of each is accepted, and this is what becomes of it."""


def main():
    with tempfile.TemporaryDirectory() as folder:
        playbook(folder)
        wait(folder)
        tool(folder)


def playbook(folder):
    with Defender() as defender:
        report = play(folder, defender.environment)
    expect("what is throttled is called again, what is refused is not", defender.answered(),
           {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
    first, second = (call.at for call in defender.calls if call.id == THROTTLED)
    expect("no sooner than the service asks", second - first >= RETRY_AFTER, True)
    expect("each call has the comment", {call.comment for call in defender.calls}, {COMMENT})
    expect("the playbook tells who was cancelled and who was refused", report,
           {"cancelled": [OPEN, THROTTLED], "not_cancelled": {REFUSED: 404}})


def wait(folder):
    with Defender(actions=[CANCELLED, FINAL, PENDING]) as defender:
        report = play(folder, {**defender.environment, "MDE_SANDBOX": "1", "MDE_WAIT": "1"})
    expect("with MDE_WAIT only what has ended as cancelled is told as that", report,
           {"cancelled": [CANCELLED], "not_cancelled": {FINAL: "already_final", PENDING: "pending"}})


def play(folder, step):
    """Runs the workflow to its good end, with a cache, from which no answer may come; gives the report."""
    return json.loads(run(
        *cwltool(step), "--cachedir", "cache", HERE / "playbook.cwl", "--comment", COMMENT,
        env=settings(folder, step), seconds=60, cwd=folder))


def tool(folder):
    with Defender() as defender:
        status, answer = cancel(folder, defender.environment, THROTTLED)
        expect("an answer is a success of the tool", (status, answer["status_code"]), ("success", 429))

        nobody = {**defender.environment, "MDE_BASE_URL": f"https://127.0.0.1:{free_port()}"}
        status, failure = cancel(folder, nobody, OPEN)
        expect("no answer is a temporary failure", (status, failure["error"]["code"]),
               ("temporaryFail", "network_error"))

        status, failure = cancel(folder, {}, OPEN)
        expect("no credentials are a permanent failure", (status, failure["error"]["code"]),
               ("permanentFail", "invalid_settings"))


def cancel(folder, step, id):
    """Runs the tool alone: how it ended, which cwltool tells on stderr, and its output."""
    request = Path(folder, "request.json")
    request.write_text(json.dumps({"path_parameters": {"machineactionid": id}, "json_body": {"Comment": COMMENT}}))
    ended = subprocess.run(
        [*cwltool(step), HERE / "cancel-machine-action.cwl", "--request", request],
        env=settings(folder, step), cwd=folder, capture_output=True, text=True, timeout=60)
    return re.search(r"Final process status is (\w+)", ended.stderr)[1], json.loads(ended.stdout)["answer"]


def cwltool(step):
    """The command so far; a tool sees none of the environment that is not passed on by name."""
    return ["cwltool", *(word for name in step for word in ("--preserve-environment", name))]


def settings(folder, step):
    return environment(**step, HOME=folder, TMPDIR=folder)


if __name__ == "__main__":
    main()
