"""Cancels all pending machine actions; the run fails if any is not cancelled.

The settings are in the environment of the code location, the secret in the file that AZURE_CLIENT_SECRET_FILE names: a
mounted secret. (Dagster shows what is handed over as configuration.)
"""

import json
import os
import subprocess

from dagster import Config, DynamicOut, DynamicOutput, Failure, RetryRequested, job, multiprocess_executor, op

# Seconds that the step has for a cancel, and then until the action is final.
TIMEOUT = int(os.environ.get("MDE_TIMEOUT", 60))
WAIT = int(os.environ.get("MDE_WAIT", 120))
TRIES = 5


class Comment(Config):
    comment: str = "Machine action was canceled by automation"


@op(out=DynamicOut(str))
def list_pending():
    step = subprocess.run(["cancel-machine-action", "list"], stdout=subprocess.PIPE, check=True)
    for action in map(json.loads, step.stdout.splitlines()):
        # The step of each action has this in its name.
        key = "".join(letter if letter.isalnum() else "_" for letter in action["id"])
        yield DynamicOutput(action["id"], mapping_key=key)


@op
def cancel(config: Comment, action: str) -> None:
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": config.comment}}
    step = subprocess.run(
        ["cancel-machine-action", "--timeout", str(TIMEOUT), "--wait", str(WAIT)],
        input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    answer = json.loads(step.stdout)
    if (became := fate(answer)) != "cancelled":
        # An answer and a failure say in the same words whether and when to try again.
        advice = answer.get("error", answer)
        if advice.get("retryable"):
            raise RetryRequested(max_retries=TRIES - 1, seconds_to_wait=advice.get("retry_after_seconds", 60))
        raise Failure(f"not cancelled: {action}: {became}", metadata={"fate": became}, allow_retries=False)


def fate(answer: dict) -> str:
    """What became of the action: `cancelled`, or what it is instead."""
    if error := answer.get("error"):
        return f"{error['code']}: {error['message']}"
    # Without an outcome, or with one of these, a 2xx means only that the service accepted the cancel.
    outcome = answer.get("outcome", "pending")
    if outcome not in ("pending", "unverified"):
        return outcome
    return "accepted" if answer["status_code"] < 300 else f"{answer['status_code']} {answer['reason']}"


# Dagster has a time-out for the run alone, and it abandons the steps. Longer than 100 actions take, four at a time, each
# with the step's own limits together and 30 to spare, at every try, and with pauses of up to an hour between the tries.
@job(tags={"dagster/max_runtime": 100 // 4 * TRIES * (TIMEOUT + WAIT + 30) + (TRIES - 1) * 3600},
     executor_def=multiprocess_executor.configured({"max_concurrent": 4}))
def cancel_pending_actions():
    list_pending().map(cancel)
