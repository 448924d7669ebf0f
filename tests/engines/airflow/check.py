"""Runs the playbooks for one machine in Airflow, each against a Defender of its own."""

import json
from concurrent.futures import ThreadPoolExecutor

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from instance import Airflow
from support import expect

# What a shell, Jinja or JSON would spoil if it came to see it as more than data.
COMMENT = """It's "$HOME", `id` & {{ 1 + 1 }} \\ \u00fc"""


def main():
    # At the same time, because Airflow takes long to start.
    with ThreadPoolExecutor() as threads:
        with_bash = threads.submit(play, "cancel_with_bash")
        # A refused action is a failed task in this one, and so the run ends as failed.
        with_taskflow = threads.submit(play, "cancel_with_taskflow", status=1)

    told = check("BashOperator", *with_bash.result())
    expect("BashOperator: the branches were told who was cancelled, and who refused", told, {
        ("tell_cancelled", -1): [OPEN, THROTTLED],
        ("tell_refused", -1): [REFUSED],
    })
    told = check("TaskFlow", *with_taskflow.result())
    expect("TaskFlow: each action took the branch of its answer, and no other", told, {
        ("each.tell_cancelled", 0): OPEN,
        ("each.tell_cancelled", 1): THROTTLED,
        ("each.tell_refused", 2): REFUSED,
    })


def play(playbook, status=0):
    """Runs a playbook; gives the service, the tries of each cancel, and what the last tasks returned."""
    with Defender() as defender, Airflow(defender.environment) as airflow:
        airflow.command("dags", "test", playbook, "--conf", json.dumps({"comment": COMMENT}), status=status)
        tries = airflow.query("SELECT map_index, try_number FROM task_instance WHERE task_id LIKE '%cancel'")
        told = airflow.query("SELECT task_id, map_index, value FROM xcom WHERE task_id LIKE '%tell_%'")
    return defender, dict(tries), {(task, index): json.loads(value) for task, index, value in told}


def check(way, defender, tries, told):
    """Holds what is so for each way; gives what the last tasks returned, by name and index in the mapping."""
    expect(f"{way}: the throttled action was called again, the refused one was not",
           defender.answered(), {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
    expect(f"{way}: it was Airflow that tried again", tries, {0: 1, 1: 2, 2: 1})
    first, second = (call.at for call in defender.calls if call.id == THROTTLED)
    expect(f"{way}: not before Retry-After", second - first >= RETRY_AFTER, True)
    expect(f"{way}: the comment arrived as it was", {call.comment for call in defender.calls}, {COMMENT})
    return told


if __name__ == "__main__":
    main()
