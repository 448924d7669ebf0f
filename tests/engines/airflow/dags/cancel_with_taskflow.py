"""Cancels all pending machine actions with TaskFlow, and tells of each whether it was cancelled or refused."""

import json
import subprocess
from datetime import timedelta

from airflow.sdk import dag, task, task_group
from airflow.sdk.exceptions import AirflowSkipException

from retry_after import AfterRetryAfter, final_answer, result


@task
def list_pending():
    step = subprocess.run(["list-pending-actions"], stdout=subprocess.PIPE, check=True)
    return [action["id"] for action in json.loads(step.stdout)["json_body"]["value"]]


@task(retries=3, retry_delay=timedelta(minutes=1), retry_policy=AfterRetryAfter())
def cancel(action, params):
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": params["comment"]}}
    step = subprocess.run(["cancel-machine-action"], input=json.dumps(request), stdout=subprocess.PIPE, text=True)
    return final_answer(json.loads(step.stdout))


# Each branch looks for itself: in a mapped task group `@task.branch` skips nothing (Airflow 3.3).
@task
def tell_cancelled(action, verdict):
    if result(verdict) != "cancelled":
        raise AirflowSkipException
    return action


@task
def tell_refused(action, verdict):
    if result(verdict) != "refused":
        raise AirflowSkipException
    return action


@dag(schedule=None, params={"comment": "Machine action was canceled by automation"})
def cancel_with_taskflow():
    @task_group
    def each(action):
        verdict = cancel(action)
        tell_cancelled(action, verdict)
        tell_refused(action, verdict)

    each.expand(action=list_pending())


cancel_with_taskflow()
