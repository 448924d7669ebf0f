"""The programs that the playbook runs, with a tenant's settings; their stderr goes to the worker's log."""

import json
import os
from datetime import timedelta
from subprocess import PIPE, Popen, TimeoutExpired, run

from temporalio import activity
from temporalio.exceptions import ApplicationError

# Seconds that the step has for a cancel, and then until the action is final. `workflow.py` adds to these.
LIMITS = {"MDE_TIMEOUT": "60", "MDE_WAIT": "120"}


class Step:
    """The step for one tenant."""

    def __init__(self, settings: dict):
        self.settings = {**LIMITS, **os.environ, **settings}

    @activity.defn
    def list_pending_actions(self) -> list[str]:
        listed = run(["cancel-machine-action", "list"], env=self.settings, stdout=PIPE, check=True)
        return [json.loads(line)["id"] for line in listed.stdout.splitlines()]

    @activity.defn
    def cancel_machine_action(self, request: dict) -> None:
        """Returns only if the action is cancelled. Raises what it is instead: Temporal retries what may succeed later."""
        answer = json.loads(self.run("cancel-machine-action", json.dumps(request)))
        if (became := fate(answer)) == "cancelled":
            return
        # An answer and a failure say in the same words whether and when to try again.
        advice = answer.get("error", answer)
        seconds = advice.get("retry_after_seconds")
        raise ApplicationError(
            became, answer, type=advice.get("code", answer.get("outcome", "answer")),
            non_retryable=not advice.get("retryable"), next_retry_delay=seconds and timedelta(seconds=seconds))

    def run(self, program: str, request: str) -> str:
        """Runs a program to its end; returns its stdout. Meanwhile Temporal hears that this worker is alive."""
        with Popen(program, env=self.settings, stdin=PIPE, stdout=PIPE, text=True) as step:
            while True:
                try:
                    return step.communicate(request, timeout=3)[0]
                except TimeoutExpired:
                    activity.heartbeat()


def fate(answer: dict) -> str:
    """What became of the action: `cancelled`, or what it is instead."""
    if error := answer.get("error"):
        return f"{error['code']}: {error['message']}"
    # Without an outcome, or with one of these, a 2xx means only that the service accepted the cancel.
    outcome = answer.get("outcome", "pending")
    if outcome not in ("pending", "unverified"):
        return outcome
    return "accepted" if answer["status_code"] < 300 else f"{answer['status_code']} {answer['reason']}"
