"""A worker of the playbook; start as many as you like."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities import cancel_machine_action, list_pending_actions
from workflow import CancelPendingActions

# Whatever calls the tenant belongs on this queue, the list too: only what is on it is counted.
TASK_QUEUE = "defender"

# The server keeps this rate for the queue as a whole, if all workers name the same. Each of the queue's partitions (4
# unless configured) may be one task ahead, and tasks may start late: 60 * 1.5 + 4 leaves room below 100 calls a minute.
# The 1,500 calls an hour would be 0.4 a second; beyond them the service throttles, and Temporal tries again later.
CALLS_PER_SECOND = 1.5


async def main():
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    slots = 20
    async with Worker(
        await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "localhost:7233")),
        task_queue=TASK_QUEUE,
        workflows=[CancelPendingActions],
        activities=[list_pending_actions, cancel_machine_action],
        activity_executor=ThreadPoolExecutor(slots),
        max_concurrent_activities=slots,
        max_task_queue_activities_per_second=CALLS_PER_SECOND,
        # What is being cancelled is finished and reported before the worker ends.
        graceful_shutdown_timeout=timedelta(seconds=30),
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
