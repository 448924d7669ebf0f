"""Cancels many pending machine actions with several workers, within the tenant's limit of 100 calls a minute.

The pool `defender` holds the limit, because a pool is global: however many workers there are, no more of its tasks run
at once than it has slots. It is made once: `airflow pools set defender 4 "calls to Defender"`.
It does not hold the limit of an hour.
"""

import json
import os
import subprocess
from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from retry_after import AfterRetryAfter, raise_if_retryable, result

# Four slots make 88 calls a minute. The other 12 are for tasks that are run again: each begins with two calls at once,
# a tenth of its limit, and the step that it follows may have made one more call.
CALLS_PER_MINUTE = 22
# No fewer than the calls of a minute: a chunk takes a minute then, and a slot has one such beginning in it.
CHUNK = 25


@task
def list_pending():
    step = subprocess.run(["list-pending-actions"], stdout=subprocess.PIPE, check=True)
    actions = [action["id"] for action in json.loads(step.stdout)["json_body"]["value"]]
    return [actions[start:start + CHUNK] for start in range(0, len(actions), CHUNK)]


# A retry does the whole chunk again: to cancel an action twice is harmless.
@task(pool="defender", retries=3, retry_delay=timedelta(seconds=5), retry_policy=AfterRetryAfter())
def cancel(actions, params, ti):
    requests = [{"path_parameters": {"machineactionid": action}, "json_body": {"Comment": params["comment"]}}
                for action in actions]
    step = subprocess.run(
        ["cancel-machine-action", "--batch"], input="\n".join(map(json.dumps, requests)),
        env={**os.environ, "MDE_CALLS_PER_MINUTE": str(CALLS_PER_MINUTE)}, stdout=subprocess.PIPE, text=True)
    verdicts = [json.loads(line) for line in step.stdout.splitlines()]
    if len(verdicts) < len(actions):
        raise AirflowException(f"the step ended after {len(verdicts)} of {len(actions)} actions")
    # After the last try the chunk is told as it stands: one action must not hide what became of the others.
    if ti.try_number <= ti.max_tries:
        for verdict in verdicts:
            raise_if_retryable(verdict)
    return verdicts


@task
def tell(chunks, verdicts):
    told = {"cancelled": [], "refused": [], "failed": []}
    for chunk, of_chunk in zip(chunks, verdicts):
        for action, verdict in zip(chunk, of_chunk):
            told[result(verdict)].append(action)
    return told


# A task of its own: what a task that fails returns is lost.
@task
def fail_if_any_failed(told):
    if told["failed"]:
        raise AirflowFailException(f"no answer for {told['failed']}; the log of each chunk tells why")


@dag(schedule=None, params={"comment": "Machine action was canceled by automation"})
def cancel_with_workers():
    chunks = list_pending()
    fail_if_any_failed(tell(chunks, cancel.expand(actions=chunks)))


cancel_with_workers()
