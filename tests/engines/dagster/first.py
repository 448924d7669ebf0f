"""Cancels one machine action: the first example."""

import json
import subprocess

from dagster import Config, Failure, RetryRequested, job, op


class Asked(Config):
    action: str


@op
def cancel(config: Asked):
    request = {"path_parameters": {"machineactionid": config.action}, "json_body": {"Comment": "False alarm"}}
    step = subprocess.run(
        ["cancel-machine-action", "--timeout", "60", "--wait", "120"],
        input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    answer = json.loads(step.stdout)
    if answer.get("outcome") != "cancelled":
        # An answer and a failure say in the same words whether and when to try again.
        advice = answer.get("error", answer)
        if advice.get("retryable"):
            raise RetryRequested(max_retries=4, seconds_to_wait=advice.get("retry_after_seconds", 60))
        raise Failure(f"not cancelled: {config.action}: {step.stdout}", allow_retries=False)


# Seconds: five tries, each 60 for the cancel + 120 until the action is final + 30 to spare, and four pauses of up to an
# hour, which is the longest that the service counts calls by. The time-out of the run would abandon its steps.
@job(tags={"dagster/max_runtime": 5 * 210 + 4 * 3600})
def first():
    cancel()
