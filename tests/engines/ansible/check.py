"""Runs the Ansible playbooks and checks what the service saw and what was reported."""

import json
import subprocess
import tempfile
from pathlib import Path

from defender import FATES, FINISHED, NO_ID, OPEN, RETRY_AFTER, SECRET, STEP_TIMEOUT, STEP_WAIT, THROTTLED, Defender
from support import environment, expect, expect_hidden, expect_playbook, run

HERE = Path(__file__).parent
COMMENT = 'False alarm: the "EICAR" test, über 3 machines'


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        keep_secret(home)
        first(home)
        dry_run(home)
        playbook(home)
        last_try(home)


def keep_secret(home):
    """Puts the secret into Ansible's own store."""
    (home / "password").write_text("password-of-the-vault")
    (home / "secrets.yml").write_text(f"azure_client_secret: {SECRET}\n")
    run("ansible-vault", "encrypt", "--vault-password-file", "password", "secrets.yml", env=settings(home), seconds=60,
        cwd=home)


def first(home):
    with Defender() as defender:
        def play(id, status):
            return run("ansible-playbook", HERE / "first.yml", "--extra-vars", f"machine_action={id} comment=test",
                       env=settings(home, **defender.environment, MDE_EXIT_ZERO="1"), seconds=60, cwd=home,
                       status=status, stderr=subprocess.STDOUT)

        green = play(OPEN, status=0)
        shown = play(FINISHED, status=2)
    expect("the first example: no name that is reserved", "reserved name" in green, False)
    # Also where the environment of Ansible asks for 0 whatever became of an action.
    expect("the first example: what was not cancelled is red, and named",
           f"Cancel {FINISHED}" in shown and "already_final" in shown, True)
    expect("the first example: each was called once", defender.answered(), {OPEN: [200], FINISHED: [200]})


def dry_run(home):
    with Defender() as defender:
        _, report = play(home, defender, "--check")
    expect("a dry run cancels nothing and reports nothing", (defender.calls, report), ([], None))


def playbook(home):
    with Defender() as defender:
        # As much as Ansible can say: this must not be the secret.
        shown, report = play(home, defender, "-vvv", "--extra-vars", json.dumps({"comment": COMMENT}), status=2)
    expect_playbook(defender, COMMENT)
    expect("it is the playbook that waits", f"Pausing for {RETRY_AFTER} seconds" in shown, True)
    expect("the report says what became of each, and nothing else is cancelled", report, FATES)
    red = shown[shown.index("TASK [Fail if any is not cancelled]"):]
    expect("the run is red, and names what was not cancelled", [id in red for id in FATES],
           [fate != "cancelled" for fate in FATES.values()])
    expect_hidden(shown)
    expect("the file with the secret is gone", [file for file in home.rglob("*") if file.is_file()
                                                and SECRET in file.read_text(errors="replace")], [])


def last_try(home):
    with Defender(actions=[NO_ID, THROTTLED]) as defender:
        _, report = play(home, defender, "--extra-vars", "tries=1", status=2)
    expect("a failure is reported as one", report.pop(NO_ID).startswith("invalid_input: the request is not"), True)
    expect("but only after the others; what is throttled at the last try is not cancelled",
           (defender.answered(), report), ({THROTTLED: [429]}, {THROTTLED: "429 Too Many Requests"}))
    with Defender(actions=[OPEN]) as defender:
        _, report = play(home, defender)
    expect("if all are cancelled, the run is green", report, {OPEN: "cancelled"})


def play(home, defender, *options, status=0):
    """Runs the playbook to its end; returns what Ansible showed, and the report if there is one."""
    report = home / "report.json"
    report.unlink(missing_ok=True)
    variables = {"report": str(report), "step_timeout": STEP_TIMEOUT, "step_wait": STEP_WAIT}
    shown = run("ansible-playbook", HERE / "playbook.yml", "--vault-password-file", "password",
                "--extra-vars", "@secrets.yml", "--extra-vars", json.dumps(variables), *options,
                env=settings(home, **defender.environment), seconds=90, cwd=home, status=status)
    return shown, json.loads(report.read_text()) if report.exists() else None


def settings(home, **step):
    # Its temporary files, too, are looked into.
    return environment(**step, HOME=str(home), TMPDIR=str(home))


if __name__ == "__main__":
    main()
