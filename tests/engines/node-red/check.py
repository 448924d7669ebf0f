"""The playbook in Node-RED, run without its editor."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from support import end, environment, expect

HERE = Path(__file__).parent
COMMENT = "Cancelled by the playbook"
CANCELLED, FINAL, PENDING = (f"00000000-0000-0000-0000-000000{digits}" for digits in ("200000", "200001", "200006"))
"""Actions of the step's sandbox: a cancel of each is accepted, and this is what becomes of it."""
NO_ID = "no id"
"""A request with this is not valid: the step fails, and the service is not asked."""


def main():
    playbook()
    wait()


def playbook():
    with Defender(actions=[OPEN, THROTTLED, REFUSED, NO_ID]) as defender:
        told, left = play(defender)

    expect("each action is called once, the throttled one again", defender.answered(),
           {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
    first, second = (call.at for call in defender.calls if call.id == THROTTLED)
    expect("the throttled action is called again no sooner than Retry-After", second - first >= RETRY_AFTER, True)
    expect("the comment arrives", {call.comment for call in defender.calls}, {COMMENT})
    failed = [line for line in told if line.startswith(f"failed {NO_ID} at try 1: the request is not valid")]
    expect("a failure is told as one", len(failed), 1)
    expect("the branches tell what has become of each other action, and at which try", sorted({*told} - {*failed}), [
        f"cancelled {OPEN} at try 1", f"cancelled {THROTTLED} at try 2",
        f"not cancelled {REFUSED} at try 1: 404 Not Found"])
    expect("no request is left behind", left, [])


def wait():
    with Defender(actions=[CANCELLED, FINAL, PENDING]) as defender:
        told, _ = play(defender, MDE_SANDBOX="1", MDE_WAIT="1")
    expect("with MDE_WAIT only what has ended as cancelled is told as that", sorted(told), [
        f"cancelled {CANCELLED} at try 1", f"not cancelled {FINAL} at try 1: already_final",
        f"not cancelled {PENDING} at try 1: pending"])


def play(defender, **settings):
    """Runs the playbook; gives what it told, and the requests it has left."""
    with tempfile.TemporaryDirectory(prefix="node-red-") as name:
        folder = Path(name)
        told = run_node_red(folder, environment(**defender.environment, **settings), len(defender.actions))
        return told, [file.name for file in folder.glob("request-*")]


def run_node_red(folder, env, actions):
    """Runs Node-RED in the folder until the playbook has told of so many actions, and for two seconds more."""
    for file in "flows.json", "settings.js":
        shutil.copy(HERE / file, folder)
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
