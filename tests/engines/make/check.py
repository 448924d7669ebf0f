"""Runs the playbooks in GNU make, an engine that knows the exit status only."""

import json
import subprocess
import tempfile
from pathlib import Path

from defender import FATES, FINISHED, NO_ID, OPEN, RETRY_AFTER, STEP_TIMEOUT, STEP_WAIT, Defender
from support import environment, expect, expect_hidden, expect_playbook, run

HERE = Path(__file__).parent
COMMENT = "Cancelled by make"


def main():
    first()
    playbook()


def first():
    with tempfile.TemporaryDirectory() as name, Defender() as defender:
        folder = Path(name)
        ask(folder, OPEN, FINISHED)
        log = make(folder, defender, "first.mk", status=2)
        expect("the first example: only what is cancelled has an answer", answers(folder), {OPEN: "cancelled"})
        expect("the first example: what is not is red, and named", f"answers/{FINISHED}.json] Error 6" in log, True)
        (folder / f"requests/{FINISHED}.json").unlink()
        make(folder, defender, "first.mk", status=0)
        expect("the first example: each was called once", defender.answered(), {OPEN: [200], FINISHED: [200]})


def playbook():
    with tempfile.TemporaryDirectory() as name, Defender() as defender:
        folder = Path(name)
        ask(folder, *FATES, NO_ID)
        # Make's own data base has the whole environment.
        log = make(folder, defender, "Makefile", f"TIMEOUT={STEP_TIMEOUT}", f"WAIT={STEP_WAIT}", f"PAUSE={RETRY_AFTER}",
                   "--print-data-base", status=2)
        expect_playbook(defender, COMMENT)
        cancelled = {id: fate for id, fate in FATES.items() if fate == "cancelled"}
        expect("only what is cancelled has an answer", answers(folder), cancelled)
        expect("what is not is red, and named", {id for id in [*FATES, NO_ID] if f"answers/{file(id)}] Error " in log},
               {*FATES, NO_ID} - {*cancelled})
        expect_hidden(log, folder)


def ask(folder, *ids):
    """Writes the requests."""
    (folder / "requests").mkdir()
    for id in ids:
        request = {"path_parameters": {"machineactionid": id}, "json_body": {"Comment": COMMENT}}
        (folder / "requests" / file(id)).write_text(json.dumps(request))


def file(id):
    """The file of an action: make's names have no blanks."""
    return f"{id.replace(' ', '_')}.json"


def answers(folder):
    """The outcome of each answer."""
    return {answer.stem: json.loads(answer.read_text())["outcome"] for answer in (folder / "answers").iterdir()}


def make(folder, defender, makefile, *options, status):
    # The environment of make asks for 0 whatever became of an action: the playbooks do not.
    return run("make", "--keep-going", "--jobs", "4", "--output-sync", "--file", HERE / makefile, *options,
               env=environment(**defender.environment, MDE_EXIT_ZERO="1"), seconds=60, cwd=folder, status=status,
               stderr=subprocess.STDOUT)


if __name__ == "__main__":
    main()
