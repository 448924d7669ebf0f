"""Runs the Dagster playbooks, and checks what the service saw and what was reported."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance

from defender import FATES, FINISHED, LIMITS, NO_ID, OPEN, THROTTLED, Defender
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
        execute(folder, defender, "cancel_pending_actions", comment, status=1)
    expect_playbook(defender, COMMENT)
    steps, said = ended(folder)
    expect("green is what was cancelled, red all else; it was Dagster that tried again, and only what may succeed",
           steps, {id: ("SUCCESS" if FATES.get(id) == "cancelled" else "FAILURE", 2 if id == THROTTLED else 1)
                   for id in defender.actions})
    expect("a failure is reported as one", said.pop(NO_ID).startswith("invalid_input: "), True)
    expect("the run says what was not cancelled, and why", said,
           {id: fate for id, fate in FATES.items() if fate != "cancelled"})

    with Defender(actions=[OPEN]) as defender:
        log = execute(folder, defender, "cancel_pending_actions", comment, status=0)
    expect("if all are cancelled, the run is green", "RUN_SUCCESS" in log, True)


def ended(folder):
    """How each cancel of the last run has ended, at which try, and what the failures say; from what Dagster stores."""
    with DagsterInstance.from_config(str(folder)) as instance:
        [run] = instance.get_runs(limit=1)
        steps = {stats.step_key: (stats.status.value, stats.attempts) for stats in instance.get_run_step_stats(run.run_id)}
        failures = instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
    said = [failure.dagster_event.step_failure_data.user_failure_data.description for failure in failures]
    ids = {re.sub("[^0-9a-z]", "_", id): id for id in [*FATES, NO_ID]}
    return ({ids[key.removeprefix("cancel[").removesuffix("]")]: of_step for key, of_step in steps.items()
             if key.startswith("cancel[")},
            dict(re.fullmatch(r"not cancelled: (no id|\S+): (.*)", text).groups() for text in said))


def execute(folder, defender, job, config, status):
    """Runs a job to its end; returns what Dagster wrote."""
    file = {"first": "first.py"}.get(job, "playbook.py")
    (folder / "config.json").write_text(json.dumps(config))
    return run("dagster", "job", "execute", "--python-file", HERE / file, "--job", job, "--config", "config.json",
               env=environment(**defender.environment, **LIMITS, HOME=str(folder), DAGSTER_HOME=str(folder)), seconds=120,
               cwd=folder, status=status, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    main()
