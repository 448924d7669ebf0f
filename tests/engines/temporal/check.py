"""Runs the playbooks in Temporal, and checks what the service saw and what the playbooks say."""

from defender import FATES, FINISHED, NO_ID, OPEN, REFUSED, THROTTLED, Defender
from engine import HERE, stop, temporal, wait_for
from support import expect, expect_hidden, expect_playbook, free_port

COMMENT = "Cancelled by the Temporal playbook"


def main():
    with temporal() as engine:
        first(engine)
        outage(engine)
        playbook(engine)
        misconfigured(engine)
        expect_hidden(engine.log.read_text(), *map(engine.history, ["cancel", "green", "misconfigured", FINISHED]))


def first(engine):
    with Defender() as defender:
        worker = engine.worker(defender.environment, program="first.py")
        for id in OPEN, THROTTLED, FINISHED, REFUSED:
            engine.start(id, id, type="Cancel", queue="first")
        green = [engine.end(id, seconds=60, status=0) for id in (OPEN, THROTTLED)]
        red = {id: str(engine.end(id, seconds=60, status=1)) for id in (FINISHED, REFUSED)}
        stop(worker)
    expect("the first example: what is cancelled is green", len(green), 2)
    expect("the first example: what is not is red, and named",
           [f"not cancelled: {id}" in failure for id, failure in red.items()], [True, True])
    expect("the first example: only what may succeed is called again",
           defender.answered(), {OPEN: [200], THROTTLED: [429, 200], FINISHED: [200], REFUSED: [404]})


def outage(engine):
    """The first example with shorter limits, and nobody there to answer."""
    text = (HERE / "first.py").read_text()
    program = engine.log.with_name("first.py")
    program.write_text(text.replace('"60"', '"2"').replace('"120"', '"1"').replace("hours=2", "seconds=20"))
    with Defender() as defender:
        worker = engine.worker({**defender.environment, "MDE_BASE_URL": f"https://127.0.0.1:{free_port()}"}, program)
        engine.start("outage", OPEN, type="Cancel", queue="first")
        failure = str(engine.end("outage", seconds=60, status=1))
        stop(worker)
    expect("the first example: a lasting outage is red in the end", "network_error" in failure, True)


def playbook(engine):
    with Defender(actions=[*FATES, NO_ID], seconds_to_answer=0.5) as defender:
        worker = engine.worker(defender.environment)
        engine.start("cancel", COMMENT, [0, 1])
        wait_for(lambda: defender.calls, seconds=30)
        other = engine.worker(defender.environment)
        expect("a worker that is told to end with a call in hand ends in good order", stop(worker), 0)
        failure = engine.end("cancel", seconds=90, status=1)
        starts = engine.started("cancel")
        stop(other)
    expect_playbook(defender, COMMENT)
    expect("nothing but what is throttled was a second try", max(start["attempt"] for start in starts), 2)
    expect("nor that more than once", [start["attempt"] for start in starts].count(2), 1)
    expect("the workflow fails, and names what was not cancelled",
           [f"'{id}': " in failure["message"] for id in defender.actions],
           [FATES.get(id) != "cancelled" for id in defender.actions])
    [fates] = failure["applicationFailureInfo"]["details"]
    expect("a failure is reported as one", fates.pop(NO_ID).startswith("invalid_input: "), True)
    expect("the report says what became of each other action", fates, FATES)

    with Defender(actions=[OPEN]) as defender:
        worker = engine.worker(defender.environment)
        engine.start("green", COMMENT, [0, 1])
        expect("if all are cancelled, it is completed", engine.end("green", seconds=60, status=0),
               {OPEN: "cancelled"})
        stop(worker)


def misconfigured(engine):
    with Defender(actions=[OPEN, THROTTLED]) as defender:
        worker = engine.worker({**defender.environment, "MDE_TIMEOUT": "soon"})
        engine.start("misconfigured", COMMENT)
        failure = str(engine.end("misconfigured", seconds=60, status=1))
        starts = engine.started("misconfigured")
        stop(worker)
    expect("with settings that cannot be used it fails", "invalid_settings" in failure, True)
    expect("at its first try", {start["attempt"] for start in starts}, {1})


if __name__ == "__main__":
    main()
