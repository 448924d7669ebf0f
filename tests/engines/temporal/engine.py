"""Temporal for the checks: a server of its own, and workers of the playbook."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from defender import LIMITS
from support import end, environment, free_port, run

HERE = Path(__file__).parent


@contextmanager
def temporal():
    """A server. It and all its workers end when the block is left; if that fails, their log is shown."""
    with tempfile.TemporaryDirectory(prefix="temporal-") as folder:
        engine = Temporal(Path(folder))
        try:
            engine.serve()
            yield engine
        except BaseException:
            sys.stderr.write(engine.log.read_text())
            raise
        finally:
            for process in engine.processes:
                end(process)


class Temporal:
    def __init__(self, folder):
        self.log = folder / "log"
        self.processes = []
        self.port = str(free_port())
        self.environment = environment(HOME=str(folder), TEMPORAL_ADDRESS=f"127.0.0.1:{self.port}")

    def serve(self):
        """Starts the server, and waits until it is up."""
        self._spawn("temporal", "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", self.port,
                    "--log-level", "error", env=self.environment)
        wait_for(lambda: "Temporal Server:" in self.log.read_text(), seconds=60)

    def worker(self, settings, program="worker.py"):
        """Starts a worker, with these settings of the step."""
        return self._spawn("python", HERE / program, env={**self.environment, **LIMITS, **settings})

    def start(self, id, *arguments, type="CancelPendingActions", queue="defender"):
        """Starts a workflow."""
        inputs = [word for argument in arguments for word in ("--input", json.dumps(argument))]
        self._command("workflow", "start", "--workflow-id", id, "--type", type, "--task-queue", queue, *inputs)

    def end(self, id, seconds, status):
        """What a workflow returned, or the failure that it ended with; it must end in time, with the status."""
        ended = self._command("workflow", "result", "--workflow-id", id, seconds=seconds, status=status)
        if status == 0:
            return ended["result"]
        return ended["closeEvent"]["workflowExecutionFailedEventAttributes"]["failure"]

    def history(self, id):
        """All that the server has stored about a workflow."""
        return json.dumps(self._command("workflow", "show", "--workflow-id", id))

    def started(self, id):
        """The last start of each activity of the playbook: its attempt, its worker, why the attempt before failed."""
        events = self._command("workflow", "show", "--workflow-id", id)["events"]
        return [event["activityTaskStartedEventAttributes"] for event in events
                if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_STARTED"]

    def _command(self, *command, seconds=30, status=0):
        return json.loads(run(
            "temporal", *command, "--output", "json", env=self.environment, seconds=seconds, status=status))

    def _spawn(self, *command, env):
        with self.log.open("a") as log:
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process


def stop(worker):
    """Asks a worker to end, and gives its exit status."""
    worker.send_signal(signal.SIGTERM)
    return worker.wait(timeout=60)


def wait_for(condition, seconds):
    """Waits until something is so, and gives it; it must be so in time."""
    deadline = time.monotonic() + seconds
    while not (so := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"not so within {seconds} s")
        time.sleep(0.05)
    return so
