"""Measures the step against what a user would otherwise pick: `curl`, a connector in Python, and the floor of a process.

    tests/bench/run            prints the tables
    tests/bench/run --guard    fails if the step has grown since `committed.json`
    tests/bench/run --renew    writes `committed.json`, the tables of `README.md`, `growth.svg`, and the rows that the
                               README of the repository repeats
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import growth
import measure
from server import Server

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "cancel-machine-action"
STEP = Path(os.environ.get("STEP", BUILT))
REQUEST = ROOT / "schema" / "sample.json"
COMMITTED = HERE / "committed.json"
READMES = [HERE / "README.md", ROOT / "README.md"]
HEAD = [("what", "measured", "target"), ("---", "---", "---")]
TOLERANCE = 1.10
"""How much more than committed is no failure."""


def main():
    with Server() as server:
        if sys.argv[1:] == ["--guard"]:
            guard(server)
            return
        points = list(batches(server))
        rows = [*table(server), speed(server, points[-1]), *map(batch_row, points)]
        if sys.argv[1:] == ["--renew"]:
            COMMITTED.write_text(json.dumps(current(server), indent=2) + "\n")
            (HERE / "growth.svg").write_text(growth.draw(points))
            for readme in READMES:
                readme.write_text(renewed(readme.read_text(), rows))
        for row in [*HEAD, *rows]:
            print(markdown(row))


def markdown(row):
    """A row of a table in Markdown."""
    return "|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|"


def renewed(text, rows):
    """A README with what was measured: each row whose first cell is that of a row that was measured is replaced."""
    measured = {row[0]: markdown(row) for row in rows}
    return "\n".join(measured.get(line.removeprefix("| ").split(" | ")[0], line) for line in text.split("\n"))


def with_token(server):
    """The environment of a step that has been given a token."""
    return {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(server.certificate), "MDE_BASE_URL": server.url,
            "MDE_ACCESS_TOKEN": "a.b.c", "MDE_CALLS_PER_MINUTE": "0", "MDE_CALLS_PER_HOUR": "0"}


def with_secret(server):
    """The environment of a step that signs in."""
    return {**with_token(server), "MDE_ACCESS_TOKEN": "", "AZURE_AUTHORITY_HOST": server.url,
            "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555", "AZURE_CLIENT_SECRET": "s",
            "AZURE_CLIENT_ID": "66666666-7777-8888-9999-000000000000"}


def current(server):
    """What the guard watches."""
    return {
        "instructions_of_one_cancel": measure.instructions([STEP], with_token(server), REQUEST),
        "bytes_of_the_binary": STEP.stat().st_size,
    }


def guard(server):
    """Ends with a failure if something has grown by more than the tolerance."""
    committed = json.loads(COMMITTED.read_text())
    for name, now in current(server).items():
        print(f"{name}: {now:,}, committed: {committed[name]:,}")
        if now > TOLERANCE * committed[name]:
            sys.exit(f"{name} has grown by {now / committed[name] - 1:.0%}. Find out why (callgrind_annotate names the "
                     "functions, `cargo bloat` the bytes); if it is meant, `tests/bench/run --renew` commits the new figure.")


def table(server):
    """The rows of the table, but for those about batches."""
    yield from one_cancel(server)
    yield from refused(server)
    yield from counted(server)
    yield "binary", f"{STEP.stat().st_size / 1e6:.2f} MB", "at most 4.5 MB"
    tree = subprocess.run(["cargo", "tree", "--edges=normal,no-proc-macro", "--prefix=none", "--locked"], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    yield "crates in it", str(len({line.split(" (")[0] for line in tree.stdout.splitlines()}) - 1), ""


def one_cancel(server):
    """The step, `curl` and the connector make the same call."""
    url = f"{server.url}/api/machineactions/988cc94e-7a8f-4b28-ab65-54970c5d5018/cancel"
    curl = ("curl --silent --header 'Authorization: Bearer a.b.c' --header 'Content-Type: application/json' "
            f"--cacert {server.certificate} --data '{{\"Comment\":\"Machine action was canceled by automation\"}}' {url}")
    connector, step = f"python3 {HERE / 'connector.py'} {REQUEST}", f"{STEP} {REQUEST}"
    environment = with_token(server)
    _, python = measure.times([step, connector], environment, runs=10, rounds=3)
    step, curl = measure.times([step, curl], environment, runs=100)
    yield "one cancel over TLS, given token: wall time", f"{step.wall:.2f} ms", ""
    yield "… of `curl`'s", f"{step.wall / curl.wall:.2f} × ({curl.wall:.2f} ms)", "at most 0.42 ×"
    yield ("… processor time of `curl`'s",
           f"{step.processor / curl.processor:.2f} × ({step.processor:.2f} of {curl.processor:.2f} ms)", "at most 0.42 ×")
    yield "… faster than the connector in Python", f"{python.wall / step.wall:.0f} × ({python.wall:.0f} ms)", "at least 40 ×"


def refused(server):
    """A request that is refused: nothing but the start of the process, and the end."""
    request = server.folder / "refused.json"
    request.write_text("{}")
    floor = server.folder / "floor"
    subprocess.run(["gcc", "-O2", "-static", "-o", floor, HERE / "floor.c"], check=True)
    step, floor = measure.times([f"sh -c '{program} {request}'" for program in (STEP, floor)], with_token(server), runs=200)
    yield ("refused input, of an empty static program's, both started by `sh -c`",
           f"{step.wall / floor.wall:.2f} × ({step.wall:.2f} of {floor.wall:.2f} ms)", "at most 1.35 ×")
    count = measure.instructions([STEP], with_token(server), request)
    yield "instructions: refused input", f"{count / 1e6:.2f} million", ""


def counted(server):
    """Instructions and memory."""
    given, signing = with_token(server), with_secret(server)
    caching = {**signing, "MDE_TOKEN_CACHE": str(server.folder / "cache")}
    measure.cost([STEP], caching, REQUEST)
    for name, environment, target in (
            ("one cancel with a given token", given, "at most 4.3 million"),
            ("one cancel with sign-in", signing, ""),
            ("one cancel with a token from the cache", caching, "")):
        yield f"instructions: {name}", f"{measure.instructions([STEP], environment, REQUEST) / 1e6:.2f} million", target
    few, many = (measure.instructions([STEP, "--batch"], given, lines(server, count)) for count in (100, 300))
    yield "instructions: one more line of a batch", f"{(many - few) / 200 / 1e6:.3f} million", ""
    yield "peak memory, one cancel", f"{measure.cost([STEP], given, REQUEST).kibibytes / 1024:.1f} MiB", "at most 6.5 MiB"


def speed(server, largest):
    """The row about the calls a second of the largest batch, which all go over one connection."""
    load = subprocess.run(
        ["wrk", "--threads=1", "--connections=1", "--duration=5s", "--script", HERE / "post.lua",
         f"{server.url}/api/machineactions/988cc94e-7a8f-4b28-ab65-54970c5d5018/cancel"],
        capture_output=True, text=True, check=True)
    most = float(re.search(r"Requests/sec:\s+(\S+)", load.stdout)[1])
    calls = 1000 / largest.milliseconds_a_line
    return ("`--batch`, pacing off: calls a second, of the load generator's on one connection",
           f"{calls / most:.2f} × ({calls:.0f} of {most:.0f})", "at least 0.6 ×")


def batches(server):
    """What becomes of time and memory as a batch grows."""
    for count in (1, 10, 100, 1_000, 10_000, 100_000):
        cost = measure.cost([STEP, "--batch"], with_token(server), lines(server, count))
        yield growth.Point(count, 1000 * cost.seconds / count, cost.kibibytes / 1024)


def batch_row(point):
    """A row of the table."""
    return f"`--batch` of {point.lines:,}", f"{point.milliseconds_a_line:.2f} ms a line, {point.mebibytes:.1f} MiB", ""


def lines(server, count):
    """A file with so many requests."""
    file = server.folder / f"{count}.ndjson"
    file.write_text((json.dumps(json.loads(REQUEST.read_text())) + "\n") * count)
    return file


if __name__ == "__main__":
    main()
