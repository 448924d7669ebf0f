"""The programs that the playbook runs, with a tenant's settings. Each makes one call; stderr goes to the worker's log."""

import json
import os
from datetime import timedelta
from subprocess import PIPE, Popen, TimeoutExpired

from temporalio import activity
from temporalio.exceptions import ApplicationError


class Step:
    """The step for one tenant."""

    def __init__(self, settings: dict):
        # Seconds for a call. MDE_WAIT is off: the workflow waits, so that each activity is one call, and the rate of the
        # task queue is that of the calls. `workflow.py` adds to the 60.
        self.settings = {"MDE_TIMEOUT": "60", **os.environ, **settings, "MDE_WAIT": ""}

    @activity.defn
    def list_pending_actions(self) -> list[str]:
        actions = [json.loads(line) for line in self.run("list").splitlines()]
        # The last line of a list that is not whole is a refusal or a failure.
        if actions and "id" not in actions[-1]:
            accepted(actions[-1])
        return [action["id"] for action in actions]

    @activity.defn
    def cancel_machine_action(self, request: dict) -> None:
        """Returns if the service has accepted the cancel."""
        accepted(json.loads(self.run(input=json.dumps(request))))

    @activity.defn
    def read_machine_action(self, id: str) -> str | None:
        """What became of the action, if it is final."""
        return accepted(json.loads(self.run("get", id))).get("outcome")

    def run(self, *arguments: str, input: str | None = None) -> str:
        """Runs the step to its end; returns its stdout. Meanwhile Temporal hears that this worker is alive."""
        command = ["cancel-machine-action", *arguments]
        with Popen(command, env=self.settings, stdin=PIPE, stdout=PIPE, text=True) as step:
            while True:
                try:
                    return step.communicate(input, timeout=3)[0]
                except TimeoutExpired:
                    # It has been handed over once.
                    input = None
                    activity.heartbeat()


def accepted(answer: dict) -> dict:
    """The answer, if it is a 2xx. Raises any other, and a failure: Temporal retries what may succeed later."""
    if 200 <= answer.get("status_code", 0) < 300:
        return answer
    # An answer and a failure say in the same words whether and when to try again.
    advice = answer.get("error", answer)
    raise ApplicationError(
        f"{advice['code']}: {advice['message']}" if "error" in answer else f"{answer['status_code']} {answer['reason']}",
        answer,
        type=advice.get("code", "answer"),
        non_retryable=not advice["retryable"],
        next_retry_delay=timedelta(seconds=advice.get("retry_after_seconds", 60)))
