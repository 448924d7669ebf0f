"""Cancels one machine action: the first example. `python first.py ID`"""

import json
import subprocess
import sys

from prefect import flow, task


# Seconds: 60 for the cancel + 120 until the action is final + 30 to spare.
@task(timeout_seconds=210)
def cancel(action: str):
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": "False alarm"}}
    step = subprocess.run(
        ["cancel-machine-action", "--timeout", "60", "--wait", "120"],
        input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    if json.loads(step.stdout).get("outcome") != "cancelled":
        raise RuntimeError(f"not cancelled: {action}: {step.stdout}")


@flow
def first(action: str):
    cancel(action)


if __name__ == "__main__":
    first(sys.argv[1])
