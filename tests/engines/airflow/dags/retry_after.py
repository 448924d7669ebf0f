"""What a task makes of the verdict of `cancel-machine-action`: whether it is run again, and when; what it tells."""

from datetime import timedelta

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException, AirflowFailException

# The step has tried these again itself, until its time limit.
RETRYABLE = (429, 500, 502, 503, 504)


class Retryable(AirflowException):
    """The same request may succeed later."""

    def __init__(self, reason, seconds=None):
        super().__init__(reason)
        # Retry-After may be a date, too.
        self.delay = timedelta(seconds=int(seconds)) if str(seconds).isdigit() else None


class AfterRetryAfter(RetryPolicy):
    """Waits as long as the verdict asks, or for the task's `retry_delay` if it names no seconds."""

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
    if status in RETRYABLE:
        raise Retryable(f"the service answered {status}", verdict["response_headers"].get("Retry-After"))


def final_answer(verdict):
    """The verdict, if it is an answer that stands; if not, the task fails, and runs again only where that may help."""
    raise_if_retryable(verdict)
    if failure := verdict.get("error"):
        raise AirflowFailException(failure["message"])
    return verdict


def result(verdict):
    """What became of the cancel: `cancelled`; `refused` after any other answer; `failed` without an answer.

    Without MDE_WAIT, `cancelled` means that the service accepted the cancel.
    """
    if "error" in verdict:
        return "failed"
    if "outcome" in verdict:
        cancelled = verdict["outcome"] == "cancelled"
    else:
        cancelled = 200 <= verdict["status_code"] < 300
    return "cancelled" if cancelled else "refused"
