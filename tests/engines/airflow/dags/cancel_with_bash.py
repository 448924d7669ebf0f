"""Cancels all pending machine actions with BashOperator, and tells who was cancelled and who was refused."""

import json
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task

from retry_after import AfterRetryAfter, final_answer, result


def pending_actions(line):
    return [{"action": action["id"]} for action in json.loads(line)["json_body"]["value"]]


def final_verdict(line):
    return final_answer(json.loads(line))


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
        results = {"cancelled": [], "refused": []}
        for asked, verdict in zip(pending, verdicts):
            results[result(verdict)].append(asked["action"])
        return results

    @task.branch
    def branch(results):
        return [f"tell_{kind}" for kind, actions in results.items() if actions]

    @task
    def tell_cancelled(results):
        return results["cancelled"]

    @task
    def tell_refused(results):
        return results["refused"]

    results = sort(pending.output, cancel.output)
    branch(results) >> [tell_cancelled(results), tell_refused(results)]
