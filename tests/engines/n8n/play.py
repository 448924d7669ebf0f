"""Runs the workflow in n8n: five items, five answers; a time-out of the step, and one of n8n; no secret is shown."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from defender import FATES, NO_ID, OPEN, STEP_TIMEOUT, STEP_WAIT, Defender
from support import end, environment, expect, expect_hidden, expect_playbook, free_port, run

WORKFLOW = Path(__file__).with_name("workflow.json")
COMMENT = "Cancelled by the playbook"
LIMITS = "--timeout 60 --wait 120"
"""What the workflow sets; the check has less time."""


def main():
    with tempfile.TemporaryDirectory(prefix="n8n-") as name:
        folder = Path(name)
        print(f"  n8n {run('n8n', '--version', env=settings(folder), seconds=60).strip()}")
        playbook(folder)
        green(folder)
        time_out_of_the_step(folder)
        time_out_of_n8n(folder)
        expect_hidden(folder)


def playbook(folder):
    with Defender(actions=[*FATES, NO_ID]) as defender:
        log = play(folder, defender, f"--timeout {STEP_TIMEOUT} --wait {STEP_WAIT}", red=True)
    expect("five items, five answers", len(defender.answered()), 5)
    expect_playbook(defender, COMMENT)
    fates = named(log)
    expect("a failure is reported as one", fates.pop(NO_ID).startswith("invalid_input: "), True)
    expect("the run is red, and says what was not cancelled, and why", fates,
           {id: fate for id, fate in FATES.items() if fate != "cancelled"})


def green(folder):
    with Defender(actions=[OPEN]) as defender:
        play(folder, defender, LIMITS, red=False)
    expect("if all are cancelled, the run is green", defender.answered(), {OPEN: [200]})


def time_out_of_the_step(folder):
    with Defender(actions=[OPEN], seconds_to_answer=30) as defender:
        # The next try would be in a minute.
        log = play(folder, defender, "--timeout 2 --wait 1", red=True, tries=1)
    expect("the step's own time-out is an answer, and red", named(log)[OPEN].split(":")[0], "timeout")


def time_out_of_n8n(folder):
    with Defender(actions=[OPEN], seconds_to_answer=8) as defender:
        began = time.monotonic()
        log = play(folder, defender, LIMITS, red=True, EXECUTIONS_TIMEOUT="3", EXECUTIONS_TIMEOUT_MAX="3")
        took = time.monotonic() - began
        called = wait_for_calls(defender)
    expect("a run that n8n has ended is not green", "cancelled" in log.lower() or "time" in log.lower(), True)
    expect("but its step has called the service", called, {OPEN: [200]})
    print(f"  (n8n's own time-out was 3 s, the run took {took:.0f} s)")


def wait_for_calls(defender):
    """What the service has answered, in the end: the step may go on when n8n has ended."""
    time.sleep(10)
    return defender.answered()


def play(folder, defender, limits, red, tries=5, **more):
    """Imports the workflow with other limits, runs it to its end, and returns what n8n wrote."""
    text = WORKFLOW.read_text()
    expect("the workflow sets the limits", LIMITS in text and "tries < 5" in text, True)
    (folder / "workflow.json").write_text(text.replace(LIMITS, limits).replace("tries < 5", f"tries < {tries}"))
    env = settings(folder, **defender.environment, **more)
    run("n8n", "import:workflow", "--input=workflow.json", env=env, seconds=240, cwd=folder)
    log = folder / f"{time.monotonic_ns()}.log"
    with log.open("w") as file:
        process = subprocess.Popen(["n8n", "execute", "--id=cancelPendingActs"], env=env, cwd=folder, stdout=file,
                                   stderr=file, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            status = process.wait(timeout=180)
        finally:
            end(process)
    text = log.read_text()
    expect("the run is red" if red else "the run is green",
           (status != 0, "Execution was successful" in text), (red, not red))
    return text


def named(log):
    """What the run says was not cancelled."""
    _, _, ended = log.partition("Execution error:\n")
    run, _ = json.JSONDecoder().raw_decode(ended[ended.index("{"):])
    return json.loads(run["data"]["resultData"]["error"]["message"].removeprefix("not cancelled: "))


def settings(folder, **step):
    return environment(
        **step, HOME=str(folder), N8N_USER_FOLDER=str(folder),
        # Execute Command is off unless it is taken off the list.
        NODES_EXCLUDE="[]",
        N8N_RUNNERS_BROKER_PORT=str(free_port()), N8N_RUNNERS_BROKER_LISTEN_ADDRESS="127.0.0.1",
        N8N_LISTEN_ADDRESS="127.0.0.1", N8N_PORT=str(free_port()),
        N8N_DIAGNOSTICS_ENABLED="false", N8N_VERSION_NOTIFICATIONS_ENABLED="false", N8N_TEMPLATES_ENABLED="false")


if __name__ == "__main__":
    main()
