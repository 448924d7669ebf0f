"""Measures several workers of Airflow, one of which is killed: nothing is lost, and the tenant's limit is kept."""

import json
import os
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from defender import Defender
from instance import Airflow
from support import expect, free_port

ACTIONS = [f"00000000-0000-0000-0000-{number:012d}" for number in range(105)]
LIMIT = 100
"""Calls a minute that the service allows."""
SLOTS = 4
"""Of the pool: how many tasks run at once."""
WORKERS = 6
"""More than there are slots, so that it is the pool that holds the limit."""
KILL_AFTER = 20
"""So many calls: each slot is in the middle of its first chunk then."""


def main():
    with Defender(ACTIONS, limits=[(LIMIT, 60)]) as defender:
        killed, ended, again, told = play(defender)
    expect("the run succeeded", ended, [("success",)])
    expect("the task of the worker that was killed was run again, and no other", again, killed)
    expect("every action was reported as cancelled", [json.loads(value) for value, in told],
           [dict.fromkeys(ACTIONS, "cancelled")])

    calls = defender.calls
    lost = set(ACTIONS) - {call.id for call in calls if call.status == 200}
    throttled = sum(call.status == 429 for call in calls)
    times = defender.times
    most = defender.most_calls_in(60)
    expect("none was lost", lost, set())
    expect("nothing else was called", {call.id for call in calls} - set(ACTIONS), set())
    expect("no call was throttled", throttled, 0)
    expect("the limit was kept", most <= LIMIT, True)
    print(f"{WORKERS} workers in {SLOTS} slots: {len(ACTIONS)} actions, {len(times)} calls in "
          f"{times[-1] - times[0]:.0f} s, "
          f"at most {most} in a minute, {throttled} throttled; {len(killed)} worker killed, {len(lost)} actions lost, "
          f"{len(calls) - len(ACTIONS)} cancelled twice")


def play(defender):
    """Runs the playbook and kills a worker; gives its task, the run's state, the tasks run again, what was told."""
    port = free_port()
    settings = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(WORKERS),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        # How soon Airflow sees that a worker is dead: after 10 seconds instead of 5 minutes.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
        # The service is not slow here, but the machine may be.
        "MDE_TIMEOUT": "30",
    }
    with ExitStack() as stack:
        airflow = stack.enter_context(Airflow(defender, **settings))
        stack.enter_context(airflow.process(
            "api-server", "--apps", "execution", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"))
        stack.enter_context(airflow.process("dag-processor"))
        scheduler = stack.enter_context(airflow.process("scheduler", "--skip-serve-logs"))
        airflow.command("pools", "set", "defender", str(SLOTS), "calls to Defender")
        wait_until("the playbook is known", 90, lambda: airflow.query(
            "SELECT 1 FROM serialized_dag WHERE dag_id = 'cancel_with_workers'"))
        # A worker that does not find the server gives its task up.
        wait_until("the server listens", 90, lambda: listens(port))
        airflow.command("dags", "trigger", "cancel_with_workers")

        wait_until("the first chunks are under way", 90, lambda: len(defender.calls) >= KILL_AFTER)
        processes = kill_a_worker(scheduler.pid)
        killed = airflow.query(f"SELECT map_index FROM task_instance WHERE pid IN {processes}")
        wait_until("the run has ended", 300, lambda: airflow.query(
            "SELECT 1 FROM dag_run WHERE state IN ('success', 'failed')"))
        return (killed, airflow.query("SELECT state FROM dag_run"),
                airflow.query("SELECT map_index FROM task_instance WHERE try_number > 1"),
                airflow.query("SELECT value FROM xcom WHERE task_id = 'report'"))


def kill_a_worker(scheduler):
    """Kills a worker in the middle of its work: the process that watches over the task, and the task's own."""
    workers = [child for child in children(scheduler) if name(child) == "airflow worker"]
    at_work = [(worker, task) for worker in workers for task in children(worker)]
    expect(f"of {WORKERS} workers as many are at work as the pool has slots",
           (len(workers), len(at_work)), (WORKERS, SLOTS))
    for process in at_work[0]:
        os.kill(process, signal.SIGKILL)
    return at_work[0]


def children(process):
    """The processes that a process has started, by id."""
    threads = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text().split()]


def name(process):
    """What a process calls itself."""
    return Path(f"/proc/{process}/comm").read_text().strip()


def listens(port):
    """Whether there is somebody at the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what, seconds, is_so):
    """Waits for something that has to come in time."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            sys.exit(f"not in {seconds} s: {what}")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
