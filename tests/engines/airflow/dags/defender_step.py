"""What the playbooks share: the step's settings and time limits, and what a task makes of its answer.

The credentials are in the connection `defender`: login is the client id, password the secret, and the extra has the
tenant_id.
"""

import os
from datetime import timedelta

from airflow.sdk import BaseHook, RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException, AirflowFailException

# Seconds that the step has for a cancel, and then until the action is final.
TIMEOUT = int(os.environ.get("MDE_TIMEOUT", 60))
WAIT = int(os.environ.get("MDE_WAIT", 120))
# Longer than both together: Airflow's own time-out would end the step without an answer.
EXECUTION_TIMEOUT = timedelta(seconds=TIMEOUT + WAIT + 30)

# As templates, for BashOperator. Airflow masks a connection's password wherever it shows it.
TEMPLATES = {
    "AZURE_TENANT_ID": "{{ conn.defender.extra_dejson.tenant_id }}",
    "AZURE_CLIENT_ID": "{{ conn.defender.login }}",
    "AZURE_CLIENT_SECRET": "{{ conn.defender.password }}",
    "MDE_TIMEOUT": str(TIMEOUT),
    "MDE_WAIT": str(WAIT),
}


def settings():
    """The environment of a step that a task starts by itself."""
    connection = BaseHook.get_connection("defender")
    return {
        **os.environ,
        "AZURE_TENANT_ID": connection.extra_dejson["tenant_id"],
        "AZURE_CLIENT_ID": connection.login,
        "AZURE_CLIENT_SECRET": connection.password,
        "MDE_TIMEOUT": str(TIMEOUT),
        "MDE_WAIT": str(WAIT),
    }


class NotNow(AirflowException):
    """The same request may succeed later."""

    def __init__(self, reason, seconds):
        super().__init__(reason)
        self.delay = timedelta(seconds=seconds)


class AfterRetryAfter(RetryPolicy):
    """Waits as long as the service asks, or a minute; after anything else for the task's `retry_delay`."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        if isinstance(exception, NotNow):
            return RetryDecision.retry(delay=exception.delay, reason=str(exception))
        return RetryDecision.default()


def fate(answer):
    """What became of the action: `cancelled`, or what it is instead."""
    if error := answer.get("error"):
        return f"{error['code']}: {error['message']}"
    # Without an outcome, or with one of these, a 2xx means only that the service accepted the cancel.
    outcome = answer.get("outcome", "pending")
    if outcome not in ("pending", "unverified"):
        return outcome
    return "accepted" if answer["status_code"] < 300 else f"{answer['status_code']} {answer['reason']}"


def raise_if_not_now(answer):
    """Fails the task, for Airflow to run it again, if the same request may succeed later."""
    advice = answer.get("error", answer)
    if fate(answer) != "cancelled" and advice.get("retryable"):
        raise NotNow(fate(answer), advice.get("retry_after_seconds", 60))


def cancelled(answer):
    """The answer, if the action is cancelled. If not, the task fails, and runs again only where that may help."""
    raise_if_not_now(answer)
    if fate(answer) != "cancelled":
        raise AirflowFailException(f"not cancelled: {fate(answer)}")
    return answer
