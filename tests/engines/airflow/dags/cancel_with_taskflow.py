"""Cancels all pending machine actions with TaskFlow; an action that is refused is a failed task."""

import json
import subprocess
from datetime import timedelta

from airflow.sdk import dag, task, task_group
from airflow.sdk.exceptions import AirflowFailException

from retry_after import AfterRetryAfter, raise_if_retryable


@task
def list_pending():
    step = subprocess.run(["list-pending-actions"], stdout=subprocess.PIPE, check=True)
    return [action["id"] for action in json.loads(step.stdout)["json_body"]["value"]]


@task(retries=3, retry_delay=timedelta(minutes=1), retry_policy=AfterRetryAfter())
def cancel(action, params):
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": params["comment"]}}
    step = subprocess.run(["cancel-machine-action"], input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    verdict = json.loads(step.stdout)
    raise_if_retryable(verdict)
    if step.returncode != 0:
        raise AirflowFailException(step.stdout)
    return verdict


@task
def tell_cancelled(action):
    return action


@task(trigger_rule="one_failed")
def tell_refused(action):
    return action


@dag(schedule=None, params={"comment": "Machine action was canceled by automation"})
def cancel_with_taskflow():
    @task_group
    def each(action):
        cancel(action) >> [tell_cancelled(action), tell_refused(action)]

    each.expand(action=list_pending())


cancel_with_taskflow()
