"""The playbook: cancels all pending machine actions, and fails if any is not cancelled."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import Step

TIMEOUTS = {
    # MDE_TIMEOUT (60) + MDE_WAIT (120) + 30 to spare: this time-out would lose the step's answer.
    "start_to_close_timeout": timedelta(seconds=210),
    # The activity of a worker that died is run again after this time, by another.
    "heartbeat_timeout": timedelta(seconds=15),
    # For all tries, and the wait in the queue.
    "schedule_to_close_timeout": timedelta(days=1),
}


@workflow.defn
class CancelPendingActions:
    def __init__(self) -> None:
        self.fates: dict[str, str] = {}

    @workflow.run
    async def run(self, comment: str) -> dict[str, str]:
        ids = await workflow.execute_activity(Step.list_pending_actions, **TIMEOUTS)
        await asyncio.gather(*(self.cancel(id, comment) for id in ids))
        if not_cancelled := {id: fate for id, fate in self.fates.items() if fate != "cancelled"}:
            raise ApplicationError(f"not cancelled: {not_cancelled}", self.fates, non_retryable=True)
        return self.fates

    async def cancel(self, id: str, comment: str) -> None:
        request = {"path_parameters": {"machineactionid": id}, "json_body": {"Comment": comment}}
        try:
            await workflow.execute_activity(Step.cancel_machine_action, request, **TIMEOUTS)
            self.fates[id] = "cancelled"
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self.fates[id] = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
