"""Runs the Dagster playbooks, and checks what the service saw and what was reported."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from defender import FATES, FINISHED, NO_ID, OPEN, THROTTLED, Defender
from support import environment, expect, expect_hidden, expect_playbook, run

HERE = Path(__file__).parent
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'


def main():
    with tempfile.TemporaryDirectory(prefix="dagster-") as name:
        folder = Path(name)
        (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        first(folder)
        playbook(folder)
        expect_hidden(folder)


def first(folder):
    with Defender() as defender:
        def play(id, status):
            config = {"ops": {"cancel": {"config": {"action": id}}}}
            return execute(folder, defender, "first", config, status)

        play(OPEN, status=0)
        log = play(FINISHED, status=1)
    expect("the first example: what is not cancelled is red, and named", f"not cancelled: {FINISHED}" in log, True)
    expect("the first example: each was called once", defender.answered(), {OPEN: [200], FINISHED: [200]})


def playbook(folder):
    comment = {"ops": {"cancel": {"config": {"comment": COMMENT}}}}
    with Defender(actions=[*FATES, NO_ID]) as defender:
        log = execute(folder, defender, "cancel_pending_actions", comment, status=1)
    expect_playbook(defender, COMMENT)
    keys = {id: re.sub("[^0-9a-z]", "_", id) for id in defender.actions}
    ends = {id: re.findall(rf"cancel\[{key}\] - (STEP_\w+)", log) for id, key in keys.items()}
    expect("green is what was cancelled, red all else; it was Dagster that tried again, and only what may succeed",
           {id: [end for end in of_action if end in ENDS] for id, of_action in ends.items()},
           {id: ["STEP_UP_FOR_RETRY"] * (id == THROTTLED)
            + ["STEP_SUCCESS" if FATES.get(id) == "cancelled" else "STEP_FAILURE"] for id in defender.actions})
    named = dict(re.findall(r"not cancelled: (\S+|no id): (404 Not Found|\w+)", log))
    expect("the run says what was not cancelled, and why", named,
           {NO_ID: "invalid_input", **{id: fate for id, fate in FATES.items() if fate != "cancelled"}})

    with Defender(actions=[OPEN]) as defender:
        log = execute(folder, defender, "cancel_pending_actions", comment, status=0)
    expect("if all are cancelled, the run is green", "RUN_SUCCESS" in log, True)


ENDS = ("STEP_SUCCESS", "STEP_FAILURE", "STEP_UP_FOR_RETRY")


def execute(folder, defender, job, config, status):
    """Runs a job to its end; returns what Dagster wrote."""
    file = {"first": "first.py"}.get(job, "playbook.py")
    (folder / "config.json").write_text(json.dumps(config))
    return run("dagster", "job", "execute", "--python-file", HERE / file, "--job", job, "--config", "config.json",
               env=environment(**defender.environment, HOME=str(folder), DAGSTER_HOME=str(folder)), seconds=120,
               cwd=folder, status=status, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    main()
