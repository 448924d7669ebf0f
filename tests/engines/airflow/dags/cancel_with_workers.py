"""Cancels many pending machine actions with several workers, within the tenant's limit of 100 calls a minute.

The pool `defender` holds the limit, because a pool is global: however many workers there are, no more of its tasks run
at once than it has slots. Make it once: `airflow pools set defender 4 "calls to Defender"`.
It does not hold the limit of an hour.
"""

import json
import subprocess
from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from defender_step import TIMEOUT, WAIT, AfterRetryAfter, fate, raise_if_not_now, settings

# Four slots make 88 calls a minute, the reads of MDE_WAIT among them. The other 12 are for tasks that are run again:
# each begins with two calls at once, a tenth of its limit, and the step that it follows may have made one more call.
CALLS_PER_MINUTE = 22
# No fewer than the calls of a minute: a chunk takes a minute then, and a slot has one such beginning in it.
CHUNK = 25
# Longer than the step can take for a chunk, one action after the other.
EXECUTION_TIMEOUT = timedelta(seconds=CHUNK * (TIMEOUT + WAIT) + 30)


@task
def list_pending():
    step = subprocess.run(["cancel-machine-action", "list"], env=settings(), stdout=subprocess.PIPE, check=True)
    actions = [json.loads(line)["id"] for line in step.stdout.splitlines()]
    return [actions[start:start + CHUNK] for start in range(0, len(actions), CHUNK)]


# A retry does the whole chunk again: to cancel an action twice is harmless.
@task(pool="defender", execution_timeout=EXECUTION_TIMEOUT, retries=3, retry_delay=timedelta(seconds=5),
      retry_policy=AfterRetryAfter())
def cancel(actions, params, ti):
    requests = [{"path_parameters": {"machineactionid": action}, "json_body": {"Comment": params["comment"]}}
                for action in actions]
    step = subprocess.run(
        ["cancel-machine-action", "--batch"], input="\n".join(map(json.dumps, requests)),
        env={**settings(), "MDE_CALLS_PER_MINUTE": str(CALLS_PER_MINUTE)}, stdout=subprocess.PIPE, text=True)
    answers = [json.loads(line) for line in step.stdout.splitlines()]
    if len(answers) < len(actions):
        raise AirflowException(f"the step ended after {len(answers)} of {len(actions)} actions")
    # After the last try the chunk is reported as it stands: one action must not hide what became of the others.
    if ti.try_number <= ti.max_tries:
        for answer in answers:
            raise_if_not_now(answer)
    return answers


@task
def report(chunks, answers):
    return {action: fate(answer) for chunk, of_chunk in zip(chunks, answers) for action, answer in zip(chunk, of_chunk)}


# A task of its own: what a task that fails returns is lost.
@task
def fail_if_any_is_not_cancelled(fates):
    if not_cancelled := {action: fate for action, fate in fates.items() if fate != "cancelled"}:
        raise AirflowFailException(f"not cancelled: {not_cancelled}")


@dag(schedule=None, params={"comment": "Machine action was canceled by automation"})
def cancel_with_workers():
    chunks = list_pending()
    fail_if_any_is_not_cancelled(report(chunks, cancel.expand(actions=chunks)))


cancel_with_workers()
