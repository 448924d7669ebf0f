"""Runs the playbook in Temporal, and checks what the service saw and what the playbook says."""

from defender import OPEN, REFUSED, RETRY_AFTER, THROTTLED, Defender
from engine import stop, temporal, wait_for
from support import expect

COMMENT = "Cancelled by the Temporal playbook"
NO_ID = "no id"
"""An action that the step refuses to cancel, before it calls the service."""

with Defender(actions=(OPEN, THROTTLED, REFUSED, NO_ID), seconds_to_answer=0.5) as defender, temporal() as engine:
    worker = engine.worker(defender.environment)
    engine.start("cancel", COMMENT)
    wait_for(lambda: defender.calls, seconds=30)
    other = engine.worker(defender.environment)
    expect("a worker that is told to end with a call in hand ends in good order", stop(worker), 0)
    outcomes = engine.result("cancel", seconds=60)
    starts = engine.started("cancel")
    stop(other)

    engine.worker({**defender.environment, "MDE_TIMEOUT": "soon"})
    engine.start("misconfigured", COMMENT)
    misconfigured = engine.result("misconfigured", seconds=60)
    misconfigured_starts = engine.started("misconfigured")

expect("its call was not lost; the throttled one was tried again, the refused one was not",
       defender.answered(), {OPEN: [200], THROTTLED: [429, 200], REFUSED: [404]})
first, second = (call.at for call in defender.calls if call.id == THROTTLED)
expect("the second try came no earlier than Retry-After asked", second - first >= RETRY_AFTER, True)
expect("nothing but it was a second try", sorted(start["attempt"] for start in starts), [1, 1, 1, 1, 2])
expect("the comment arrived", {call.comment for call in defender.calls}, {COMMENT})
failed = outcomes.pop(NO_ID)
expect("the playbook tells what became of each action",
       outcomes, {OPEN: "cancelled", THROTTLED: "cancelled", REFUSED: "refused: 404 Not Found"})
expect("and which call was not made", failed.startswith("failed: invalid_input: "), True)
expect("with settings that cannot be used each call has failed",
       {id: outcome.split(": ")[:2] for id, outcome in misconfigured.items()},
       {**dict.fromkeys([OPEN, THROTTLED, REFUSED], ["failed", "invalid_settings"]),
        NO_ID: ["failed", "invalid_input"]})
expect("at its first try", {start["attempt"] for start in misconfigured_starts}, {1})
