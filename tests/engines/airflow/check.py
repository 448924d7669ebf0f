"""Runs the playbooks for one machine in Airflow, each against a Defender of its own."""

import json
from contextlib import contextmanager

from defender import FATES, FINISHED, NO_ID, OPEN, REFUSED, THROTTLED, Defender
from instance import Airflow
from support import expect, expect_hidden, expect_playbook

# What a shell, Jinja or JSON would spoil if it came to see it as more than data.
COMMENT = """It's "$HOME", `id` & {{ 1 + 1 }} \\ \u00fc"""


def main():
    # At the same time, because Airflow takes long to start.
    with (started("first", OPEN, FINISHED, REFUSED) as first,
          started("cancel_with_bash", *FATES, NO_ID) as with_bash,
          started("cancel_with_taskflow", *FATES, NO_ID) as with_taskflow):
        defender = first[0]
        tries = ended("the first example", *first)
        expect("the first example: each was called once",
               (defender.answered(), tries), ({OPEN: [200], FINISHED: [200], REFUSED: [404]},
                                              {OPEN: 1, FINISHED: 1, REFUSED: 1}))
        for name, playbook in ("BashOperator", with_bash), ("TaskFlow", with_taskflow):
            tries = ended(name, *playbook)
            expect_playbook(playbook[0], COMMENT)
            expect(f"{name}: it was Airflow that tried again, and only what may succeed",
                   tries, {id: 2 if id == THROTTLED else 1 for id in [*FATES, NO_ID]})


@contextmanager
def started(playbook, *actions):
    """A playbook that runs while these actions are pending; returns the service, Airflow, and the process."""
    with (Defender(actions) as defender, Airflow(defender) as airflow,
          airflow.process("dags", "test", playbook, "--conf", json.dumps({"comment": COMMENT})) as process):
        yield defender, airflow, process


def ended(name, defender, airflow, process):
    """Waits for the end, and holds what is so for each playbook; returns the tries of each action."""
    status = process.wait(timeout=240)
    expect(f"{name}: the run is red", status, 1)
    rows = airflow.query(
        "SELECT rendered_map_index, state, try_number FROM task_instance WHERE task_id = 'cancel'")
    expect(f"{name}: green is what was cancelled, red all else, each with its action",
           {id: state for id, state, _ in rows},
           {id: "success" if FATES.get(id) == "cancelled" else "failed" for id in defender.actions})
    expect_hidden(airflow.home)
    return {id: tries for id, _, tries in rows}


if __name__ == "__main__":
    main()
