"""The playbook: cancels all pending machine actions, and fails if any is not cancelled."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import Step

TIMEOUTS = {
    # MDE_TIMEOUT (60) + 30 to spare: this time-out would lose the step's answer.
    "start_to_close_timeout": timedelta(seconds=90),
    # The activity of a worker that died is run again after this time, by another.
    "heartbeat_timeout": timedelta(seconds=15),
    # For all tries, and the wait in the queue.
    "schedule_to_close_timeout": timedelta(days=1),
}
# Seconds before each read, 120 in all: as MDE_WAIT=120, but while it waits no program runs.
PAUSES = [0, 5, 15, 40, 60]


@workflow.defn
class CancelPendingActions:
    def __init__(self) -> None:
        self.fates: dict[str, str] = {}

    @workflow.run
    async def run(self, comment: str, pauses: list[int] = PAUSES) -> dict[str, str]:
        ids = await workflow.execute_activity(Step.list_pending_actions, **TIMEOUTS)
        await asyncio.gather(*(self.cancel(id, comment, pauses) for id in ids))
        if not_cancelled := {id: fate for id, fate in self.fates.items() if fate != "cancelled"}:
            raise ApplicationError(f"not cancelled: {not_cancelled}", self.fates, non_retryable=True)
        return self.fates

    async def cancel(self, id: str, comment: str, pauses: list[int]) -> None:
        request = {"path_parameters": {"machineactionid": id}, "json_body": {"Comment": comment}}
        try:
            await workflow.execute_activity(Step.cancel_machine_action, request, **TIMEOUTS)
            # That is all that a 2xx means.
            self.fates[id] = "accepted"
            for pause in pauses:
                await workflow.sleep(pause)
                if outcome := await workflow.execute_activity(Step.read_machine_action, id, **TIMEOUTS):
                    self.fates[id] = outcome
                    return
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            reason = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
            self.fates[id] = f"accepted, but not read: {reason}" if id in self.fates else reason
