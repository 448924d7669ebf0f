"""The playbook: cancels all pending machine actions, and tells what became of each."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import cancel_machine_action, list_pending_actions

TIMEOUTS = {
    # Longer than MDE_TIMEOUT and MDE_WAIT together (20 will do), so that the step can tell what went wrong. After this
    # time the activity of a worker that died is run again.
    "start_to_close_timeout": timedelta(seconds=30),
    # For all tries, and the wait in the queue.
    "schedule_to_close_timeout": timedelta(days=1),
}


@workflow.defn
class CancelPendingActions:
    @workflow.run
    async def run(self, comment: str) -> dict[str, str]:
        listed = await workflow.execute_activity(list_pending_actions, **TIMEOUTS)
        ids = [action["id"] for action in listed["json_body"]["value"]]
        outcomes = await asyncio.gather(*(self.cancel(id, comment) for id in ids))
        return dict(zip(ids, outcomes))

    async def cancel(self, id: str, comment: str) -> str:
        """What became of the cancel: cancelled; refused after any other answer; failed without an answer that stands.

        Without MDE_WAIT, cancelled means that the service accepted the cancel.
        """
        request = {"path_parameters": {"machineactionid": id}, "json_body": {"Comment": comment}}
        try:
            answer = await workflow.execute_activity(cancel_machine_action, request, **TIMEOUTS)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return f"failed: {error.cause}"
        if "outcome" in answer:
            return "cancelled" if answer["outcome"] == "cancelled" else f"refused: {answer['outcome']}"
        accepted = 200 <= answer["status_code"] < 300
        return "cancelled" if accepted else f"refused: {answer['status_code']} {answer['reason']}"
