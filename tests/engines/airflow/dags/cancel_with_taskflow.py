"""Cancels all pending machine actions with TaskFlow. The task of each action that is not cancelled is red."""

import json
import subprocess
from datetime import timedelta

from airflow.sdk import dag, task

from defender_step import EXECUTION_TIMEOUT, AfterRetryAfter, cancelled, settings


@task
def list_pending():
    step = subprocess.run(["cancel-machine-action", "list"], env=settings(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line)["id"] for line in step.stdout.splitlines()]


@task(
    # The grid shows each task with its action.
    map_index_template="{{ action }}",
    execution_timeout=EXECUTION_TIMEOUT,
    retries=3,
    retry_delay=timedelta(minutes=1),
    retry_policy=AfterRetryAfter(),
)
def cancel(action, params):
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": params["comment"]}}
    step = subprocess.run(
        ["cancel-machine-action"], input=json.dumps(request), env=settings(), stdout=subprocess.PIPE, text=True)
    return cancelled(json.loads(step.stdout))


@dag(schedule=None, params={"comment": "Machine action was canceled by automation"})
def cancel_with_taskflow():
    # The last task: its state is the run's.
    cancel.expand(action=list_pending())


cancel_with_taskflow()
