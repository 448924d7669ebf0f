"""Runs the Ansible playbook and checks what the service saw and what was reported."""

import json
import tempfile
from pathlib import Path

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from support import environment, expect, run

PLAYBOOK = Path(__file__).with_name("playbook.yml")
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        dry_run(home)
        playbook(home)
        last_try(home)


def dry_run(home):
    with Defender() as defender:
        _, report = play(home, defender, "--check")
    expect("a dry run cancels nothing and reports nothing", (defender.calls, report), ([], None))


def playbook(home):
    with Defender() as defender:
        told, report = play(home, defender, "--extra-vars", json.dumps({"comment": COMMENT}))
    expect("what is throttled is called again, what is refused is not", defender.answered(),
           {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
    first, second = (call.at for call in defender.calls if call.id == THROTTLED)
    expect("no sooner than the service asks", second - first >= RETRY_AFTER, True)
    # Ansible takes its time: that alone might be long enough.
    expect("because the playbook waits for it", f"Pausing for {RETRY_AFTER} seconds" in told, True)
    expect("each call has the comment", {call.comment for call in defender.calls}, {COMMENT})
    expect("the playbook tells who was cancelled and who was refused", report,
           {"cancelled": [OPEN, THROTTLED], "refused": {REFUSED: 404}})


def last_try(home):
    with Defender(actions=[THROTTLED]) as defender:
        _, report = play(home, defender, "--extra-vars", "tries=1")
    expect("what is throttled at the last try is refused", (defender.answered(), report),
           ({THROTTLED: [429]}, {"cancelled": [], "refused": {THROTTLED: 429}}))


def play(home, defender, *options):
    """Runs the playbook to its good end; gives what Ansible told, and the report if there is one."""
    report = home / "report.json"
    report.unlink(missing_ok=True)
    told = run("ansible-playbook", PLAYBOOK, "--extra-vars", f"report={report}", *options,
               env=environment(**defender.environment, HOME=str(home)), seconds=60, cwd=home)
    return told, json.loads(report.read_text()) if report.exists() else None


if __name__ == "__main__":
    main()
