"""Measures several workers of the playbook at one tenant's limit of 100 calls a minute, one of them killed half-way."""

import os
import signal
import subprocess
import time
from collections import Counter

from defender import Defender
from engine import temporal, wait_for
from support import end, expect

WORKERS = 3
ACTIONS = [f"00000000-0000-0000-0000-{number:012x}" for number in range(200)]


def kill_one(workers):
    """Kills a worker that has a call in hand, and its step with it, as if its machine were gone."""
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


with Defender(ACTIONS, calls_per_minute=100, seconds_to_answer=1) as defender, temporal() as engine:
    workers = [engine.worker(defender.environment) for _ in range(WORKERS)]
    began = time.monotonic()
    engine.start("cancel", "Cancelled by one of several workers")
    wait_for(lambda: len(defender.calls) >= len(ACTIONS) / 2, seconds=180)
    killed = wait_for(lambda: kill_one(workers), seconds=30)
    outcomes = engine.result("cancel", seconds=300)
    seconds = time.monotonic() - began
    starts = engine.started("cancel")

statuses = Counter(call.status for call in defender.calls)
lost = set(ACTIONS) - {call.id for call in defender.calls if call.status == 200}
most = defender.most_calls_in_a_minute()
print(f"  {WORKERS} workers, {len(defender.calls)} calls in {seconds:.0f} s, {most} in the busiest minute, "
      f"{statuses[429]} answered with 429; 1 worker killed, {len(lost)} actions lost")
again = [start for start in starts if start["attempt"] > 1]

expect("all workers called", callers(starts), {worker.pid for worker in workers})
expect("no minute had more than 100 calls", most <= 100, True)
expect("none was throttled", set(statuses), {200})
expect("every action was cancelled", outcomes, dict.fromkeys(ACTIONS, "cancelled"))
expect("nothing else was called", {call.id for call in defender.calls}, set(ACTIONS))
expect("what the killed worker had in hand was run again",
       {start["lastFailure"]["timeoutFailureInfo"]["timeoutType"] for start in again}, {"TIMEOUT_TYPE_START_TO_CLOSE"})
expect("by another", killed.pid in callers(again), False)
expect("and nothing but that was called twice", len(defender.calls) - len(ACTIONS) <= len(again), True)
