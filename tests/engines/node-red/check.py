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


def main():
    with Defender() as defender, tempfile.TemporaryDirectory(prefix="node-red-") as folder:
        told = play(Path(folder), environment(**defender.environment))
        left = [file.name for file in Path(folder).glob("request-*")]

    expect("each action is called once, the throttled one again", defender.answered(),
           {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
    first, second = (call.at for call in defender.calls if call.id == THROTTLED)
    expect("the throttled action is called again no sooner than Retry-After", second - first >= RETRY_AFTER, True)
    expect("the comment arrives", {call.comment for call in defender.calls}, {COMMENT})
    expect("the branches tell what has become of each action, and at which try", sorted(told), [
        f"cancelled {OPEN} at try 1", f"cancelled {THROTTLED} at try 2", f"refused {REFUSED} at try 1: Not Found"])
    expect("no request is left behind", left, [])


def play(folder, env):
    """Runs Node-RED in the folder until the playbook has told of three actions, and for two seconds more."""
    for file in "flows.json", "settings.js":
        shutil.copy(HERE / file, folder)
    report = folder / "report.txt"
    with (folder / "log").open("w+") as log:
        node_red = subprocess.Popen(
            ["node-red", "--userDir", folder, "--settings", "settings.js", "flows.json"],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            if not within(60, lambda: len(lines(report)) >= 3):
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
