"""The playbook in Node-RED, run without its editor."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from defender import FATES, NO_ID, OPEN, STEP_TIMEOUT, STEP_WAIT, THROTTLED, Defender
from support import end, environment, expect, expect_hidden, expect_playbook

HERE = Path(__file__).parent
COMMENT = "Cancelled by the playbook"
LIMITS, TIMER, TRIES = "--timeout 60 --wait 120", '"timer": "210"', "tries < 3"
"""What the playbook sets; the check has less time."""


def main():
    playbook()
    killed()


def playbook():
    with Defender(actions=[*FATES, NO_ID]) as defender:
        told, log, left = play(defender, limits=f"--timeout {STEP_TIMEOUT} --wait {STEP_WAIT}")
    expect_playbook(defender, COMMENT)
    failed = [line for line in told if line.startswith(f"{NO_ID} at try 1: invalid_input: the request is not valid")]
    expect("a failure is reported as one", len(failed), 1)
    expect("the report says what became of each other action, and at which try", sorted({*told} - {*failed}),
           sorted(f"{id} at try {2 if id == THROTTLED else 1}: {fate}" for id, fate in FATES.items()))
    expect("what was not cancelled is an error, and named", [f"not cancelled: {id}" in log for id in [*FATES, NO_ID]],
           [fate != "cancelled" for fate in FATES.values()] + [True])
    expect("no request is left behind", left, [])


def killed():
    with Defender(actions=[OPEN], seconds_to_answer=20) as defender:
        told, log, _ = play(defender, limits="--timeout 60 --wait 120", timer="1", tries=1)
    expect("a step that Node-RED ended says so, and is not taken for a cancel",
           (told[0].startswith(f"{OPEN} at try 1: interrupted: "), f"not cancelled: {OPEN}" in log), (True, True))


def play(defender, limits, timer="210", tries=3):
    """Runs the playbook with other limits; returns its report, the log, and the requests it has left."""
    with tempfile.TemporaryDirectory(prefix="node-red-") as name:
        folder = Path(name)
        shutil.copy(HERE / "settings.js", folder)
        flows = (HERE / "flows.json").read_text()
        expect("the playbook sets the limits", all(text in flows for text in (LIMITS, TIMER, TRIES)), True)
        flows = flows.replace(LIMITS, limits).replace(TIMER, f'"timer": "{timer}"').replace(TRIES, f"tries < {tries}")
        (folder / "flows.json").write_text(flows)
        told = run_node_red(folder, environment(**defender.environment), len(defender.actions))
        expect_hidden(folder)
        return told, (folder / "log").read_text(), [file.name for file in folder.glob("request-*")]


def run_node_red(folder, env, actions):
    """Runs Node-RED in the folder until the playbook has told of so many actions, and for two seconds more."""
    report = folder / "report.txt"
    with (folder / "log").open("w+") as log:
        node_red = subprocess.Popen(
            ["node-red", "--userDir", folder, "--settings", "settings.js", "flows.json"],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            if not within(60, lambda: len(lines(report)) >= actions):
                sys.exit(f"the playbook did not come to its end\n{lines(report)}\n{(folder / 'log').read_text()}")
            # What should not come, such as another try of what was refused, would come now.
            time.sleep(2)
        finally:
            end(node_red)
    return lines(report)


def lines(file):
    """The lines of a file, none if there is no file yet."""
    return file.read_text().splitlines() if file.exists() else []


def within(seconds, condition):
    """Whether the condition holds before the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    main()
