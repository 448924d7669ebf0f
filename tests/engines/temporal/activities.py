"""The programs that the playbook runs: with the settings in the worker's environment; their stderr goes to its log."""

import json
from datetime import timedelta
from subprocess import PIPE, run

from temporalio import activity
from temporalio.exceptions import ApplicationError

# The step has tried these again itself, until its time limit.
RETRYABLE = (429, 500, 502, 503, 504)


@activity.defn
def list_pending_actions() -> dict:
    """The answer with the actions."""
    return json.loads(run("list-pending-actions", stdout=PIPE, check=True).stdout)


@activity.defn
def cancel_machine_action(request: dict) -> dict:
    """The service's answer, even a refusal. What may succeed later is raised: Temporal retries errors."""
    # No timeout here: the step has its own, MDE_TIMEOUT, which ends it even if this worker has died.
    answer = json.loads(run("cancel-machine-action", input=json.dumps(request), stdout=PIPE, text=True).stdout)
    if error := answer.get("error"):
        raise ApplicationError(
            error["message"],
            answer,
            type=error["code"],
            non_retryable=not error["retryable"],
            next_retry_delay=delay(error.get("retry_after_seconds")),
        )
    status = answer["status_code"]
    if status in RETRYABLE:
        raise ApplicationError(
            f"{status} {answer['reason']}",
            answer,
            type=f"status_{status}",
            next_retry_delay=delay(answer["response_headers"].get("Retry-After")),
        )
    return answer


def delay(seconds: int | str | None) -> timedelta | None:
    """The pause that was asked for; without one (or with a date) the retry policy chooses it."""
    return timedelta(seconds=int(seconds)) if str(seconds).isdigit() else None
