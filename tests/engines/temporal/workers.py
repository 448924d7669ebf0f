"""Measures several workers for many tenants, one of the workers killed half-way: each tenant's limits are kept, none
waits for another, and nothing is lost."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from defender import Defender
from engine import temporal, wait_for
from support import end, expect

WORKERS = 4
TENANTS = [f"tenant-{number:02}" for number in range(1, 13)]
ACTIONS = [f"00000000-0000-0000-0000-{number:012x}" for number in range(40)]
SLOW = TENANTS[0]
"""A tenant whose service takes 20 seconds for each answer."""
BUSY = TENANTS[1:3]
"""Tenants that have more to do than fits into an hour: the hour's limit sets their rate."""

# The windows are scaled down, so that a run of two minutes has several. A minute is 30 seconds and has 50 calls, which is
# the rate of 100 in 60. An hour is 60 seconds; it has 100 calls, more than a tenant needs, or 50 for those that are busy.
MINUTE, HOUR = 30, 60
CALLS_IN_MINUTE, CALLS_IN_HOUR = 50, 100
CALLS_IN_BUSY_HOUR = 50
# With one call for each of the queue's four partitions to spare: (50 - 4) / 60.
CALLS_PER_SECOND_IF_BUSY = 0.75


def main():
    with tempfile.TemporaryDirectory(prefix="tenants-") as name, ExitStack() as stack, temporal() as engine:
        folder = Path(name)
        defenders = {tenant: stack.enter_context(Defender(
            ACTIONS, limits=[(CALLS_IN_MINUTE, MINUTE), (in_hour(tenant), HOUR)],
            seconds_to_answer=20 if tenant == SLOW else 0.1)) for tenant in TENANTS}
        for tenant, defender in defenders.items():
            describe(folder, tenant, defender)
        workers = [engine.worker({"TENANTS": str(folder)}) for _ in range(WORKERS)]
        began = time.monotonic()
        for tenant in TENANTS:
            engine.start(tenant, "Cancelled for one of many tenants", queue=f"defender-{tenant}")
        half = len(TENANTS) * len(ACTIONS) / 2
        wait_for(lambda: sum(len(defender.calls) for defender in defenders.values()) >= half, seconds=120)
        killed = wait_for(lambda: kill_one(workers), seconds=30)
        fates = {tenant: engine.end(tenant, seconds=600, status=0) for tenant in TENANTS}
        seconds = time.monotonic() - began
        starts = [start for tenant in TENANTS for start in engine.started(tenant)]
        judge(defenders, fates, starts, killed, workers, began, seconds)


def in_hour(tenant):
    return CALLS_IN_BUSY_HOUR if tenant in BUSY else CALLS_IN_HOUR


def describe(folder, tenant, defender):
    """Writes the file of a tenant, for the workers."""
    tokens = folder / "tokens" / tenant
    tokens.mkdir(parents=True, mode=0o700)
    # The service is not too slow, and the machine may be.
    known = {"settings": {**defender.environment, "MDE_TIMEOUT": "60", "MDE_TOKEN_CACHE": str(tokens)}}
    if tenant in BUSY:
        known["calls_per_second"] = CALLS_PER_SECOND_IF_BUSY
    (folder / f"{tenant}.json").write_text(json.dumps(known))


def kill_one(workers):
    """Kills a worker that has a call in hand, and its steps with it, as if its machine were gone."""
    for worker in workers:
        os.killpg(worker.pid, signal.SIGSTOP)
        if subprocess.call(["pgrep", "--parent", str(worker.pid)], stdout=subprocess.DEVNULL) == 0:
            end(worker)
            return worker
        os.killpg(worker.pid, signal.SIGCONT)
    return None


def callers(starts):
    """The process ids of the workers that these activities ran on."""
    return {int(start["identity"].split("@")[0]) for start in starts}


def judge(defenders, fates, starts, killed, workers, began, seconds):
    """Prints what was measured, and holds what is to be so."""
    services = defenders.values()
    calls = sum(len(defender.times) for defender in services)
    throttled = sum(call.status == 429 for defender in services for call in defender.calls)
    again = [start for start in starts if start["attempt"] > 1]
    twice = sum(len(defender.calls) - len(ACTIONS) for defender in services)
    minute = max(defender.most_calls_in(MINUTE) for defender in services)
    hour = {tenant: defender.most_calls_in(HOUR) for tenant, defender in defenders.items()}
    took = {tenant: defender.times[-1] - began for tenant, defender in defenders.items()}
    others = max(time for tenant, time in took.items() if tenant not in [SLOW, *BUSY])
    print(f"  {len(TENANTS)} tenants, {len(TENANTS) * len(ACTIONS)} actions, {WORKERS} workers, 1 killed: "
          f"{calls} calls in {seconds:.0f} s; busiest minute (of {MINUTE} s) {minute} of {CALLS_IN_MINUTE}, "
          f"busiest hour (of {HOUR} s) {max(hour[tenant] for tenant in BUSY)} of {CALLS_IN_BUSY_HOUR}; "
          f"slow tenant {took[SLOW]:.0f} s, busy ones {max(took[tenant] for tenant in BUSY):.0f} s, others {others:.0f} s; "
          f"{throttled} answered with 429, {twice} cancelled twice")

    expect("all workers called", callers(starts) | {killed.pid}, {worker.pid for worker in workers})
    expect("no tenant's minute had more calls than its limit", minute <= CALLS_IN_MINUTE, True)
    expect("no tenant's hour either", {tenant for tenant in TENANTS if hour[tenant] > in_hour(tenant)}, set())
    expect("so none was throttled", {call.status for defender in services for call in defender.calls}, {200})
    expect("every action was cancelled", fates, dict.fromkeys(TENANTS, dict.fromkeys(ACTIONS, "cancelled")))
    expect("the slow tenant took longer than the others, which did not wait for it", took[SLOW] > 1.3 * others, True)
    expect("what the killed worker had in hand was run again, and nothing else",
           {start["lastFailure"]["timeoutFailureInfo"]["timeoutType"] for start in again}, {"TIMEOUT_TYPE_HEARTBEAT"})
    expect("so nothing else was called twice", twice <= len(again), True)


if __name__ == "__main__":
    main()
