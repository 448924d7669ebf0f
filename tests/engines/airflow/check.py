"""Runs the playbooks for one machine in Airflow, each against a Defender of its own."""

import json
from contextlib import contextmanager

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from instance import Airflow
from support import expect

# What a shell, Jinja or JSON would spoil if it came to see it as more than data.
COMMENT = """It's "$HOME", `id` & {{ 1 + 1 }} \\ \u00fc"""
NO_ID = "no id"
"""An action that the step refuses to cancel, before it calls the service."""


def main():
    # At the same time, because Airflow takes long to start.
    with (started("cancel_with_bash", OPEN, THROTTLED, REFUSED) as with_bash,
          started("cancel_with_taskflow", OPEN, THROTTLED, REFUSED, NO_ID) as with_taskflow):
        status, tries, told = ended("BashOperator", *with_bash)
        expect("BashOperator: a refusal is no failure of the run", status, 0)
        expect("BashOperator: it was Airflow that tried again", tries, {0: 1, 1: 2, 2: 1})
        expect("BashOperator: the branches were told who was cancelled, and who refused", told, {
            ("tell_cancelled", -1): [OPEN, THROTTLED],
            ("tell_refused", -1): [REFUSED],
        })

        status, tries, told = ended("TaskFlow", *with_taskflow)
        expect("TaskFlow: a call that was not made fails the run", status, 1)
        expect("TaskFlow: it was Airflow that tried again, but for that call", tries, {0: 1, 1: 2, 2: 1, 3: 1})
        expect("TaskFlow: each action took the branch of its answer, and no other", told, {
            ("each.tell_cancelled", 0): OPEN,
            ("each.tell_cancelled", 1): THROTTLED,
            ("each.tell_refused", 2): REFUSED,
        })


@contextmanager
def started(playbook, *actions):
    """A playbook that runs while these actions are pending; gives the service, Airflow, and the process."""
    with (Defender(actions) as defender, Airflow(defender.environment) as airflow,
          airflow.process("dags", "test", playbook, "--conf", json.dumps({"comment": COMMENT})) as process):
        yield defender, airflow, process


def ended(way, defender, airflow, process):
    """Waits for the end, and holds what is so for each way.

    Gives the exit status, the tries of each cancel, and what the last tasks returned by name and index in the mapping.
    """
    status = process.wait(timeout=180)
    expect(f"{way}: the throttled action was called again, the refused one was not",
           defender.answered(), {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
    first, second = (call.at for call in defender.calls if call.id == THROTTLED)
    # Without the playbook's policy it would be a minute.
    expect(f"{way}: not before Retry-After, and soon after it", RETRY_AFTER <= second - first < 30, True)
    expect(f"{way}: the comment arrived as it was", {call.comment for call in defender.calls}, {COMMENT})
    tries = airflow.query("SELECT map_index, try_number FROM task_instance WHERE task_id LIKE '%cancel'")
    told = airflow.query("SELECT task_id, map_index, value FROM xcom WHERE task_id LIKE '%tell_%'")
    return status, dict(tries), {(task, index): json.loads(value) for task, index, value in told}


if __name__ == "__main__":
    main()
