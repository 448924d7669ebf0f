"""A worker of the playbook, for one tenant or many; start as many as you like."""

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

# The service allows 100 calls a minute. An action is two calls, the cancel and a read that shows it cancelled (a device
# that is slow to answer costs more reads), and each of the queue's partitions (4 unless configured) may be one action
# ahead: (100 - 2 * 4) / 60 / 2. Beyond 750 actions in an hour it is the limit of 1,500 calls an hour that counts: 0.2.
ACTIONS_PER_SECOND = 0.75

# How many steps this worker runs at once for a tenant: a tenant that is slow uses its own slots only.
SLOTS = 10


def tenants() -> dict[str, dict]:
    """Each task queue and the settings of its tenant: the files of the folder TENANTS, or this worker's environment."""
    if folder := os.environ.get("TENANTS"):
        return {f"defender-{file.stem}": json.loads(file.read_text()) for file in sorted(Path(folder).glob("*.json"))}
    return {"defender": {}}


def worker(client: Client, queue: str, tenant: dict) -> Worker:
    return Worker(
        client,
        # One for each tenant, because the limits are each tenant's. Whatever calls the tenant belongs on it.
        task_queue=queue,
        workflows=[CancelPendingActions],
        activities=[(step := Step(tenant.get("settings", {}))).list_pending_actions, step.cancel_machine_action],
        activity_executor=ThreadPoolExecutor(SLOTS),
        max_concurrent_activities=SLOTS,
        # The server keeps this rate for the queue as a whole, if all workers name the same.
        max_task_queue_activities_per_second=tenant.get("actions_per_second", ACTIONS_PER_SECOND),
        # What is being cancelled is finished and reported before the worker ends.
        graceful_shutdown_timeout=timedelta(seconds=210),
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
