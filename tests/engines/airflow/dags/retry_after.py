"""When a task that calls `cancel-machine-action` is run again: if its verdict says so, and not sooner than it says."""

from datetime import timedelta

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException


class Retryable(AirflowException):
    """The same request may succeed later."""

    def __init__(self, reason, seconds=None):
        super().__init__(reason)
        self.delay = None if seconds is None else timedelta(seconds=int(seconds))


class AfterRetryAfter(RetryPolicy):
    """Waits as long as the verdict asks, or for the task's `retry_delay` if it does not ask."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        if isinstance(exception, Retryable):
            return RetryDecision.retry(delay=exception.delay, reason=str(exception))
        return RetryDecision.default()


def raise_if_retryable(verdict):
    """Fails the task, for Airflow to run it again, if the same request may succeed later."""
    if failure := verdict.get("error"):
        if failure["retryable"]:
            raise Retryable(failure["message"], failure.get("retry_after_seconds"))
        return
    status = verdict["status_code"]
    if status == 429 or status >= 500:
        raise Retryable(f"the service answered {status}", verdict["response_headers"].get("Retry-After"))


def is_cancelled(verdict):
    """Whether the service accepted the cancel."""
    return verdict.get("status_code", 0) // 100 == 2
