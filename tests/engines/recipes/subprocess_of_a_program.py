"""A program that starts the step."""

import json
import subprocess


def cancel(action: str, comment: str) -> dict:
    """The answer, if the action is cancelled; anything else raises."""
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": comment}}
    # Its own time-out, if it has one: 210 seconds, 60 for the cancel + 120 until the action is final + 30 to spare.
    step = subprocess.run(["cancel-machine-action", "--timeout", "60", "--wait", "120"],
                          input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    answer = json.loads(step.stdout)
    if answer.get("outcome") == "cancelled":
        return answer
    # Not cancelled. An answer and a failure say in the same words whether and when to try again.
    advice = answer.get("error", answer)
    raise RuntimeError(action, advice.get("retryable", False), advice.get("retry_after_seconds"), answer)
