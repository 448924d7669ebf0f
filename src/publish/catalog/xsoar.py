import json
import os
import subprocess

# Where each argument of the command stands in the step's request.
ARGUMENTS = {}


def text(value):
    """A parameter of the instance as the step reads it from its environment."""
    if isinstance(value, dict):
        return value.get("password") or ""
    return str(int(value)) if isinstance(value, bool) else value or ""


def run(*arguments, request=""):
    """Runs the step; its settings are the instance's. A secret is never an argument."""
    params = {name.upper(): text(value) for name, value in demisto.params().items()}
    # What is not filled in leaves what the image sets, a proxy say, as it is.
    settings = {name: value for name, value in params.items() if value}
    return subprocess.run(
        ["cancel-machine-action", *arguments],
        input=request,
        # Here it is the exit status that counts.
        env={**os.environ, **settings, "MDE_EXIT_ZERO": ""},
        capture_output=True,
        text=True,
    )


def what_to_do(step):
    """The last line for people."""
    return step.stderr.strip().rpartition("\n")[2]


def cancel():
    request = {"path_parameters": {}, "json_body": {}}
    for argument, value in demisto.args().items():
        place, name = ARGUMENTS[argument]
        request[place][name] = value
    step = run(request=json.dumps(request))
    answer = json.loads(step.stdout)
    note, error = 1, 4
    demisto.results({
        "Type": error if step.returncode else note,
        "ContentsFormat": "text" if step.returncode else "json",
        "Contents": what_to_do(step) if step.returncode else answer,
        "EntryContext": {"CancelMachineAction": answer},
    })


def test_module():
    step = run("check")
    demisto.results(what_to_do(step) if step.returncode else "ok")


if demisto.command() == "test-module":
    test_module()
else:
    cancel()
