"""Cancels all pending machine actions: the first example."""

import json
import subprocess
from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from defender_step import settings


@task
def list_pending():
    step = subprocess.run(["cancel-machine-action", "list"], env=settings(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["id"] for line in step.stdout.splitlines()]


# Seconds: 60 for the cancel + 120 until the action is final + 30 to spare. The grid shows each task with its action.
@task(execution_timeout=timedelta(seconds=210), map_index_template="{{ action }}")
def cancel(action):
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": "False alarm"}}
    step = subprocess.run(
        ["cancel-machine-action", "--timeout", "60", "--wait", "120"],
        input=json.dumps(request), env=settings(), stdout=subprocess.PIPE, text=True)
    if json.loads(step.stdout).get("outcome") != "cancelled":
        raise AirflowFailException(f"not cancelled: {action}: {step.stdout}")


@dag(schedule=None)
def first():
    cancel.expand(action=list_pending())


first()
