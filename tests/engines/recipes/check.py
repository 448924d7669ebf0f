"""Runs each recipe as an engine would."""

import base64
import json
import os
import subprocess
import tempfile
from pathlib import Path
from unittest.mock import patch

from defender import FINISHED, FINISHED_IN_SANDBOX, INHERITED, OPEN, REFUSED, Defender
from merged import answer
from subprocess_of_a_program import cancel
from support import environment, expect, expect_hidden

HERE = Path(__file__).parent
COMMENT = """It's "$HOME", `id` & %s \\ \u00fc"""
THROTTLED = "00000000-0000-0000-0000-000000429000"
"""An action of the step's sandbox, for which the service asks to wait for an hour."""
CALLED = {OPEN: "cancelled", FINISHED: "already_final", REFUSED: "404 Not Found"}


def main():
    for recipe in of_a_program, shell_string, exit_status, merged:
        with Defender() as defender:
            recipe(environment(**defender.environment))
        name = recipe.__name__.replace("_", " ")
        expect(f"{name}: each was called once, with the comment as it was",
               [(call.id, call.comment) for call in defender.calls], [(id, COMMENT) for id in CALLED])


def request(id):
    return json.dumps({"path_parameters": {"machineactionid": id}, "json_body": {"Comment": COMMENT}})


def of_a_program(env):
    def raised(id):
        try:
            return cancel(id, COMMENT)["outcome"]
        except RuntimeError as error:
            return error.args[:3]

    with patch.dict(os.environ, env, clear=True):
        expect("a program: what is cancelled is returned, all else is raised", {id: raised(id) for id in CALLED},
               {OPEN: "cancelled", FINISHED: (FINISHED, False, None), REFUSED: (REFUSED, False, None)})
        os.environ["MDE_SANDBOX"] = "1"
        expect("a program: with when to try again", raised(THROTTLED), (THROTTLED, True, 3600))


def shell_string(env):
    def sh(id):
        encoded = base64.b64encode(request(id).encode()).decode()
        string = (HERE / "shell_string.sh").read_text().replace("BASE64", encoded)
        return subprocess.run(string, shell=True, env=env, capture_output=True, text=True, timeout=60)

    ended = {id: sh(id) for id in CALLED}
    expect("a shell string: stdout is not thrown away", {id: run.returncode for id, run in ended.items()},
           dict.fromkeys(CALLED, 0))
    expect("a shell string: the verdict is in the JSON",
           {id: json.loads(run.stdout).get("outcome") for id, run in ended.items()},
           {OPEN: "cancelled", FINISHED: "already_final", REFUSED: "pending"})
    expect_hidden(*(run.stdout + run.stderr for run in ended.values()))


def exit_status(env):
    def sh(id, **settings):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "request.json").write_text(request(id))
            ended = subprocess.run(["sh", HERE / "exit_status.sh", "request.json"], env={**env, **settings}, cwd=folder,
                                   capture_output=True, text=True, timeout=60)
        return ended.returncode, (ended.stdout + ended.stderr).splitlines()[-1].split(":")[0]

    expect("the exit status: only 0 is cancelled", {id: sh(id) for id in CALLED}, {
        OPEN: (0, "cancelled"),
        FINISHED: (1, "the action did not end as cancelled"),
        REFUSED: (1, "not known to be cancelled")})
    expect("the exit status: also where the engine's own environment asks for 0", sh(FINISHED_IN_SANDBOX, **INHERITED),
           (1, "the action did not end as cancelled"))
    expect("the exit status: 8 is not now", sh(THROTTLED, MDE_SANDBOX="1"), (75, "not now"))


def merged(env):
    def both(id):
        return subprocess.run(["cancel-machine-action", "--wait", "120"], input=request(id), env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60).stdout

    ended = {id: both(id) for id in CALLED}
    expect("merged: there is more than the document", {id: len(text.splitlines()) > 1 for id, text in ended.items()},
           {OPEN: False, FINISHED: True, REFUSED: True})
    expect("merged: the last line is the document", {id: answer(text)["status_code"] for id, text in ended.items()},
           {OPEN: 200, FINISHED: 200, REFUSED: 404})


if __name__ == "__main__":
    main()
