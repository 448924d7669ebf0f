"""Cancels all pending machine actions with BashOperator. The task of each action that is not cancelled is red."""

import json
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from defender_step import EXECUTION_TIMEOUT, TEMPLATES, AfterRetryAfter, cancelled


def pending_actions(line):
    return [{"action": action["id"]} for action in json.loads(line)]


def final_answer(line):
    return cancelled(json.loads(line))


with DAG("cancel_with_bash", schedule=None, params={"comment": "Machine action was canceled by automation"}):
    pending = BashOperator(
        task_id="list_pending",
        # The operator takes the last line alone for the result.
        bash_command='actions=$(cancel-machine-action list) && echo "[$(paste -sd , <<<"$actions")]"',
        env=TEMPLATES,
        append_env=True,
        output_processor=pending_actions)

    # The last task: its state is the run's.
    cancel = BashOperator.partial(
        task_id="cancel",
        # The grid shows each task with its action.
        map_index_template="{{ params.action }}",
        # A comment that stood in the command itself would be read by the shell.
        env={"REQUEST": "{{ {'path_parameters': {'machineactionid': params.action},"
                        " 'json_body': {'Comment': params.comment}} | tojson }}", **TEMPLATES},
        append_env=True,
        # The operator throws stdout away when the exit status is not 0; the JSON says as much.
        bash_command='printf %s "$REQUEST" | cancel-machine-action --exit-zero',
        output_processor=final_answer,
        execution_timeout=EXECUTION_TIMEOUT,
        retries=3,
        retry_delay=timedelta(minutes=1),
        retry_policy=AfterRetryAfter(),
    ).expand(params=pending.output)
