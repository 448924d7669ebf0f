"""Runs the CWL workflow, and the tool alone, in cwltool, and checks what the service saw and what came out."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from defender import FATES, FINISHED, OPEN, REFUSED, STEP_TIMEOUT, STEP_WAIT, THROTTLED, Defender
from support import environment, expect, expect_hidden, expect_playbook, free_port

HERE = Path(__file__).parent
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first(folder)
        playbook(folder)
        expect_hidden(folder)


def first(folder):
    """The tool alone: each document, and what CWL makes of the exit status."""
    with Defender() as defender:
        nobody = {**defender.environment, "MDE_BASE_URL": f"https://127.0.0.1:{free_port()}"}
        for id, settings, ends, claim in [
            (OPEN, defender.environment, "success", "what is cancelled is a success"),
            (FINISHED, defender.environment, "permanentFail", "what is accepted, but not cancelled, is none"),
            (REFUSED, defender.environment, "permanentFail", "a refusal is none, and is final"),
            (THROTTLED, defender.environment, "temporaryFail", "not now is a temporary failure"),
            (OPEN, nobody, "permanentFail", "no answer is a permanent failure"),
            (OPEN, {}, "permanentFail", "no credentials are a permanent failure"),
        ]:
            # Its own limits: the example's are too long for a call that is bound to fail.
            status, _, _ = cwltool(folder, {**settings, "MDE_TIMEOUT": "2"}, first_example(folder), "--request",
                                   request(folder, id))
            expect(f"the first example: {claim}", status, ends)


def first_example(folder):
    """The first example with shorter limits."""
    tool = folder / "first.cwl"
    text = (HERE / "first.cwl").read_text()
    tool.write_text(text.replace('"60"', f'"{STEP_TIMEOUT}"').replace('"120"', f'"{STEP_WAIT}"'))
    return tool


def playbook(folder):
    with Defender() as defender:
        status, fates, log = play(folder, defender.environment)
    expect_playbook(defender, COMMENT)
    expect("the report says what became of each, and nothing else is cancelled", fates, FATES)
    expect("the run is red", status, "permanentFail")
    red = log[log.index("not cancelled: "):]
    expect("and names what was not cancelled", [id in red for id in FATES],
           [fate != "cancelled" for fate in FATES.values()])
    expect_hidden(log)

    with Defender(actions=[OPEN, THROTTLED]) as defender:
        status, fates, _ = play(folder, defender.environment)
    expect("if all are cancelled, the run is green", (status, set(fates.values())), ("success", {"cancelled"}))


def play(folder, step):
    """Runs the workflow, with a cache, from which no answer may come; returns how it ended, the report and the log."""
    status, outputs, log = cwltool(
        folder, step, "--cachedir", "cache", HERE / "playbook.cwl", "--comment", COMMENT, "--timeout", str(STEP_TIMEOUT),
        "--wait", str(STEP_WAIT))
    return status, outputs["fates"], log


def request(folder, id):
    file = folder / "request.json"
    file.write_text(json.dumps({"path_parameters": {"machineactionid": id}, "json_body": {"Comment": COMMENT}}))
    return file


def cwltool(folder, step, *arguments):
    """Runs cwltool: how the process ended, which it says on stderr, the outputs, and stderr."""
    # A tool sees none of the environment that is not passed on by name.
    passed_on = [word for name in step for word in ("--preserve-environment", name)]
    # Nothing is removed: what it has stored is looked into.
    ended = subprocess.run(
        ["cwltool", "--leave-tmpdir", *passed_on, *arguments],
        env=environment(**step, HOME=str(folder), TMPDIR=str(folder)), cwd=folder, capture_output=True, text=True,
        timeout=90)
    return re.search(r"Final process status is (\w+)", ended.stderr)[1], json.loads(ended.stdout), ended.stderr


if __name__ == "__main__":
    main()
