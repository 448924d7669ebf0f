"""A worker of the playbook, for one tenant or many; start as many as you like.

The folder TENANTS has a file for each tenant: `contoso.json` with `settings` (the step's, among them
AZURE_CLIENT_SECRET_FILE) and `calls_per_second`. Its task queue is `defender-contoso`. Without TENANTS the worker's own
environment has the settings of the one tenant, whose queue is `defender`.
"""

import asyncio
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities import Step
from workflow import CancelPendingActions

# The server keeps this rate for a task queue as a whole, if all workers name the same; an activity is one call. Each of
# the queue's partitions (4 unless configured) may be one call ahead: 60 * 1.5 + 4 is below 100 calls a minute.
# A cancel takes two calls or more, it and the reads: for more than 700 actions the 1,500 calls an hour set the rate. Name
# 0.4 for such a tenant: 3600 * 0.4 + 4.
CALLS_PER_SECOND = 1.5
# How many steps this worker runs at once for a tenant: a tenant that is slow uses its own slots only.
SLOTS = 4


def tenants() -> dict[str, dict]:
    """Each task queue, and what is known of its tenant."""
    if folder := os.environ.get("TENANTS"):
        return {f"defender-{file.stem}": json.loads(file.read_text()) for file in sorted(Path(folder).glob("*.json"))}
    return {"defender": {}}


def worker(client: Client, queue: str, tenant: dict) -> Worker:
    step = Step(tenant.get("settings", {}))
    return Worker(
        client,
        # One for each tenant, because the limits are each tenant's. Whatever calls the tenant belongs on it.
        task_queue=queue,
        workflows=[CancelPendingActions],
        activities=[step.list_pending_actions, step.cancel_machine_action, step.read_machine_action],
        activity_executor=ThreadPoolExecutor(SLOTS),
        max_concurrent_activities=SLOTS,
        max_concurrent_activity_task_polls=2,
        max_concurrent_workflow_task_polls=2,
        max_task_queue_activities_per_second=tenant.get("calls_per_second", CALLS_PER_SECOND),
        # What is being called is finished and reported before the worker ends.
        graceful_shutdown_timeout=timedelta(seconds=90),
    )


async def main():
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    async with AsyncExitStack() as workers:
        for queue, tenant in tenants().items():
            await workers.enter_async_context(worker(client, queue, tenant))
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
