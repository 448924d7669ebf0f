"""Cancels all pending machine actions; the run fails if any is not cancelled. `python playbook.py COMMENT`

The secret is in the block `defender-client-secret` of type Secret; all other settings are in the environment.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from tempfile import NamedTemporaryFile

from prefect import flow, task
from prefect.blocks.system import Secret
from prefect.concurrency.sync import rate_limit
from prefect.futures import wait
from prefect.states import Completed, Failed

# Seconds that the step has for a cancel, and then until the action is final.
TIMEOUT = int(os.environ.get("MDE_TIMEOUT", 60))
WAIT = int(os.environ.get("MDE_WAIT", 120))


class NotCancelled(Exception):
    """What became of the action instead; for how many seconds to wait if the same request may succeed later."""

    def __init__(self, action: str, became: str, seconds: int | None):
        super().__init__(f"not cancelled: {action}: {became}")
        self.became = became
        self.seconds = seconds


def may_succeed_later(task, run, state) -> bool:
    """Waits as long as the service asks: Prefect's own delay is the same whatever the failure."""
    failure = state.result(raise_on_failure=False)
    seconds = failure.seconds if isinstance(failure, NotCancelled) else None
    if seconds is not None and run.run_count <= task.retries:
        time.sleep(seconds)
        rate_limit("defender")
    return seconds is not None


@task
def list_pending() -> list[str]:
    with settings() as environment:
        step = subprocess.run(["cancel-machine-action", "list"], env=environment, stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["id"] for line in step.stdout.splitlines()]


@task(
    task_run_name="cancel {action}",
    # Longer than the step's own limits together: Prefect's would abandon the step, which would go on, and cancel.
    timeout_seconds=TIMEOUT + WAIT + 30,
    retries=4,
    retry_condition_fn=may_succeed_later,
)
def cancel(action: str, comment: str) -> None:
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": comment}}
    with settings() as environment:
        step = subprocess.run(["cancel-machine-action"], input=json.dumps(request), env=environment,
                              stdout=subprocess.PIPE, text=True)
    answer = json.loads(step.stdout)
    if (became := fate(answer)) != "cancelled":
        # An answer and a failure say in the same words whether and when to try again.
        advice = answer.get("error", answer)
        seconds = advice.get("retry_after_seconds", 60) if advice.get("retryable") else None
        raise NotCancelled(action, became, seconds)


def fate(answer: dict) -> str:
    """What became of the action: `cancelled`, or what it is instead."""
    if error := answer.get("error"):
        return f"{error['code']}: {error['message']}"
    # Without an outcome, or with one of these, a 2xx means only that the service accepted the cancel.
    outcome = answer.get("outcome", "pending")
    if outcome not in ("pending", "unverified"):
        return outcome
    return "accepted" if answer["status_code"] < 300 else f"{answer['status_code']} {answer['reason']}"


@contextmanager
def settings():
    """The step's environment; the secret is in a file that only this user can read, for as long as it is needed."""
    with NamedTemporaryFile("w") as file:
        file.write(Secret.load("defender-client-secret").get())
        file.flush()
        yield {**os.environ, "MDE_TIMEOUT": str(TIMEOUT), "MDE_WAIT": str(WAIT), "AZURE_CLIENT_SECRET_FILE": file.name}


@flow
def cancel_pending_actions(comment: str):
    actions = list_pending()
    runs = []
    for action in actions:
        # For all processes together: `prefect gcl create defender --limit 10 --slot-decay-per-second 0.7`
        # Not in the task, whose time-out would count this wait, too.
        rate_limit("defender")
        runs.append(cancel.submit(action, comment))
    wait(runs)
    failures = {action: run.state.result(raise_on_failure=False) for action, run in zip(actions, runs)}
    became = {action: str(getattr(failure, "became", failure)) for action, failure in failures.items()}
    if not_cancelled := {action: became[action] for action, failure in failures.items() if failure}:
        return Failed(message=f"not cancelled: {json.dumps(not_cancelled)}")
    return Completed(message=f"cancelled: {len(actions)}")


if __name__ == "__main__":
    sys.exit(cancel_pending_actions(sys.argv[1], return_state=True).is_failed())
