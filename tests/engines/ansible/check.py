"""Runs the Ansible playbook and checks what the service saw and what was reported."""

import json
import tempfile
from pathlib import Path

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from support import environment, expect, run

NO_ID = "no id"
"""A request with this is not valid: the step fails, and the service is not asked."""
PLAYBOOK = Path(__file__).with_name("playbook.yml")
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'
CANCELLED, FINAL, PENDING = (f"00000000-0000-0000-0000-000000{digits}" for digits in ("200000", "200001", "200006"))
"""Actions of the step's sandbox: a cancel of each is accepted, and this is what becomes of it."""


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        dry_run(home)
        playbook(home)
        last_try(home)
        wait(home)


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
           {"cancelled": [OPEN, THROTTLED], "not_cancelled": {REFUSED: 404}, "failed": {}})


def last_try(home):
    with Defender(actions=[NO_ID, THROTTLED]) as defender:
        _, report = play(home, defender, "--extra-vars", "tries=1", status=2)
    message = report["failed"].pop(NO_ID)
    expect("a failure is told as one, and fails the play", message.startswith("the request is not valid"), True)
    expect("but only after the others; what is throttled at the last try is not cancelled",
           (defender.answered(), report),
           ({THROTTLED: [429]}, {"cancelled": [], "not_cancelled": {THROTTLED: 429}, "failed": {}}))


def wait(home):
    with Defender(actions=[CANCELLED, FINAL, PENDING]) as defender:
        _, report = play(home, defender, MDE_SANDBOX="1", MDE_WAIT="1")
    expect("with MDE_WAIT only what has ended as cancelled is told as that", report,
           {"cancelled": [CANCELLED], "not_cancelled": {FINAL: "already_final", PENDING: "pending"}, "failed": {}})


def play(home, defender, *options, status=0, **settings):
    """Runs the playbook to its end; gives what Ansible told, and the report if there is one."""
    report = home / "report.json"
    report.unlink(missing_ok=True)
    told = run("ansible-playbook", PLAYBOOK, "--extra-vars", f"report={report}", *options,
               env=environment(**defender.environment, **settings, HOME=str(home)),
               seconds=60, cwd=home, status=status)
    return told, json.loads(report.read_text()) if report.exists() else None


if __name__ == "__main__":
    main()
