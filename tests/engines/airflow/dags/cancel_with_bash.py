"""Cancels all pending machine actions with BashOperator, and tells who was cancelled and who was refused."""

import json
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task

from retry_after import AfterRetryAfter, is_cancelled, raise_if_retryable


def pending_actions(line):
    return [{"action": action["id"]} for action in json.loads(line)["json_body"]["value"]]


def final_verdict(line):
    verdict = json.loads(line)
    raise_if_retryable(verdict)
    return verdict


with DAG("cancel_with_bash", schedule=None, params={"comment": "Machine action was canceled by automation"}):
    pending = BashOperator(
        task_id="list_pending", bash_command="list-pending-actions", output_processor=pending_actions)

    cancel = BashOperator.partial(
        task_id="cancel",
        # A comment that stood in the command itself would be read by the shell.
        env={"REQUEST": "{{ {'path_parameters': {'machineactionid': params.action},"
                        " 'json_body': {'Comment': params.comment}} | tojson }}"},
        append_env=True,
        # The operator throws stdout away when the exit status is not 0; the verdict is in the JSON, too.
        bash_command='printf %s "$REQUEST" | cancel-machine-action --exit-zero',
        output_processor=final_verdict,
        retries=3,
        retry_delay=timedelta(minutes=1),
        retry_policy=AfterRetryAfter(),
    ).expand(params=pending.output)

    @task
    def sort(pending, verdicts):
        outcome = {"cancelled": [], "refused": []}
        for asked, verdict in zip(pending, verdicts):
            outcome["cancelled" if is_cancelled(verdict) else "refused"].append(asked["action"])
        return outcome

    @task.branch
    def branch(outcome):
        return [f"tell_{kind}" for kind, actions in outcome.items() if actions]

    @task
    def tell_cancelled(outcome):
        return outcome["cancelled"]

    @task
    def tell_refused(outcome):
        return outcome["refused"]

    outcome = sort(pending.output, cancel.output)
    branch(outcome) >> [tell_cancelled(outcome), tell_refused(outcome)]
