"""Cancels one machine action: the first example. A worker, its activity and its workflow."""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from subprocess import PIPE, run

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker


@activity.defn
def cancel(action: str) -> dict:
    request = {"path_parameters": {"machineactionid": action}, "json_body": {"Comment": "False alarm"}}
    step = run(["cancel-machine-action", "--timeout", "60", "--wait", "120"], input=json.dumps(request), stdout=PIPE,
               text=True)
    answer = json.loads(step.stdout)
    if answer.get("outcome") != "cancelled":
        # An answer and a failure say in the same words whether and when to try again.
        advice = answer.get("error", answer)
        raise ApplicationError(
            f"not cancelled: {action}", answer, non_retryable=not advice.get("retryable"),
            next_retry_delay=timedelta(seconds=advice.get("retry_after_seconds", 60)))
    return answer


@workflow.defn
class Cancel:
    @workflow.run
    async def run(self, action: str) -> None:
        await workflow.execute_activity(
            cancel, action,
            # 60 for the cancel + 120 until the action is final + 30 to spare.
            start_to_close_timeout=timedelta(seconds=210),
            # For all tries: without it Temporal tries for ever, and a lasting outage never turns red.
            schedule_to_close_timeout=timedelta(hours=2))


async def main():
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    await Worker(client, task_queue="first", workflows=[Cancel], activities=[cancel],
                 activity_executor=ThreadPoolExecutor(4), max_concurrent_activities=4).run()


if __name__ == "__main__":
    asyncio.run(main())
