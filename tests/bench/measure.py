"""The instruments: wall and processor time, instructions, memory."""

import json
import re
import statistics
import subprocess
import tempfile
import time
from typing import NamedTuple


class Time(NamedTuple):
    """What one run of a command takes, in milliseconds: the median of many runs."""

    wall: float
    processor: float


def times(commands, env, runs, rounds=5):
    """The times of several commands, taken in turns, so that what else the machine does meets all of them alike."""
    found = [[] for _ in commands]
    for _ in range(rounds):
        with tempfile.NamedTemporaryFile() as report:
            # The floor ends with the status of a refusal.
            subprocess.run(
                ["hyperfine", "--shell=none", "--ignore-failure", "--warmup=5", f"--runs={runs}",
                 f"--export-json={report.name}", "--style=none", *commands],
                env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for of_command, result in zip(found, json.load(report)["results"], strict=True):
                of_command.append(Time(1000 * result["median"], 1000 * (result["user"] + result["system"])))
    return [Time(*map(statistics.median, zip(*of_command))) for of_command in found]


def instructions(command, env, stdin):
    """How many instructions the command takes, as callgrind counts them: the same on a busy machine."""
    report = _run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], env, stdin)
    return int(re.search(r"Collected : (\d+)", report)[1])


class Cost(NamedTuple):
    """What one run of a command took."""

    seconds: float
    kibibytes: int
    """The most memory that it had."""


def cost(command, env, stdin):
    """The cost of a single run."""
    began = time.perf_counter()
    report = _run(["/usr/bin/time", "--format=cost %M", *command], env, stdin)
    return Cost(time.perf_counter() - began, int(re.search(r"cost (\d+)", report)[1]))


def _run(command, env, stdin):
    with open(stdin) as request:
        run = subprocess.run(
            command, env=env, stdin=request, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=600)
    return run.stderr
