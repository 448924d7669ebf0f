"""The action in Rapid7's own runner.

This plays the part of the vendor's cloud: it starts the plugin with a message, takes its answer, and acts on it as a
workflow would.
"""

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from defender import FATES, FINISHED_IN_SANDBOX, INHERITED, SECRET, STEP_TIMEOUT, STEP_WAIT, THROTTLED, Defender
from support import environment, expect, expect_hidden, expect_playbook, run

HERE = Path(__file__).parent
CATALOG = HERE.parents[2] / "schema" / "catalog" / "rapid7"
"""What the vendor lists: the specification of the plugin."""
COMMENT = "Cancelled by the playbook"
CONNECTION = {
    "azure_tenant_id": "11111111-2222-3333-4444-555555555555",
    "azure_client_id": "66666666-7777-8888-9999-000000000000",
    "azure_client_secret": {"secretKey": SECRET},
    "mde_sandbox": False,
    "mde_scope": "",
}
TRIES = 3
OUTCOMES = {"cancelled": "cancelled", "already_final": "already_final", "pending": "accepted"}
"""What a workflow calls an outcome."""
written = []
"""All that the runner has written."""
ENVIRONMENTS = INHERITED, {"MDE_SANDBOX": "1", "MDE_WAIT": ""}
"""What the environment of the plugin may say."""
CANCELLED_IN_SANDBOX = "00000000-0000-0000-0000-000000200000"


def main():
    sandbox = {"mde_sandbox": True}
    with tempfile.TemporaryDirectory(prefix="rapid7-") as folder:
        plugin = assemble(Path(folder))
        with Defender() as defender:
            answers = play(plugin, defender)
        request = {"machine_action_id": CANCELLED_IN_SANDBOX, "comment": COMMENT}
        accepted = start(plugin, environment(), request, connection=sandbox)
        finished = {"machine_action_id": FINISHED_IN_SANDBOX}
        inherited = [branch(start(plugin, environment(**settings), finished, connection=sandbox))
                     for settings in ENVIRONMENTS]
        without_id = start(plugin, environment(), {"comment": COMMENT}, connection=sandbox)
        wrongly_connected = start(plugin, environment(), request, connection={"azure_client_secret": "no object"})

    expect_playbook(defender, COMMENT)
    expect("the answers tell the workflow which branch to take",
           {id: [branch(answer) for answer in of_action] for id, of_action in answers.items()},
           {id: ["again"] * (id == THROTTLED) + [fate if fate in OUTCOMES.values() else "refused"]
            for id, fate in FATES.items()})
    expect("what was not cancelled is an error, and named",
           {id: f"not cancelled: {id}: " in of_action[-1].get("error", "") for id, of_action in answers.items()},
           {id: fate != "cancelled" for id, fate in FATES.items()})
    expect("whatever the plugin's environment says, what had already finished is an error", inherited,
           ["already_final"] * len(ENVIRONMENTS))
    expect_hidden(json.dumps(answers), *written)

    expect("the runner takes the output for what the specification promises", accepted["status"], "ok")
    expect("it tells of the machine action", accepted["output"]["json_body"]["status"], "Cancelled")
    expect("the runner refuses an input that the specification does not allow",
           "'machine_action_id' is a required property" in without_id["error"], True)
    expect("the runner refuses a connection that the specification does not allow",
           "is not of type 'object'" in wrongly_connected["error"], True)


def assemble(folder):
    """The plugin as the vendor keeps it: its code beside its specification; with shorter limits."""
    plugin = folder / "plugin"
    shutil.copytree(HERE / "plugin", plugin)
    shutil.copytree(CATALOG, plugin, dirs_exist_ok=True)
    code = plugin / "action.py"
    code.write_text(code.read_text().replace('"60"', f'"{STEP_TIMEOUT}"').replace('"120"', f'"{STEP_WAIT}"'))
    return plugin


def play(plugin, defender):
    """Cancels what is pending; returns the answers for each action."""
    listed = run("cancel-machine-action", "list", env=environment(**defender.environment), seconds=30)
    # The credentials come from the connection alone.
    settings = {name: value for name, value in defender.environment.items() if not name.startswith("AZURE_CLIENT")}
    ids = [json.loads(line)["id"] for line in listed.splitlines()]
    return {id: list(cancel(plugin, environment(**settings), id)) for id in ids}


def cancel(plugin, env, action_id):
    """Runs the action, again as long as its answers say that this may help; returns each answer."""
    for _ in range(TRIES):
        answer = start(plugin, env, {"machine_action_id": action_id, "comment": COMMENT})
        yield answer
        if branch(answer) != "again":
            return
        time.sleep(json.loads(answer["exception"]["data"])["retry_after_seconds"])


def branch(answer):
    """The branch that a workflow takes after this answer."""
    if answer["status"] == "ok":
        return "cancelled" if answer["output"].get("outcome") == "cancelled" else "green, but not cancelled"
    advice = json.loads(answer["exception"]["data"])
    if advice.get("retryable"):
        return "again"
    # An outcome says what the action is; whether the cancel was accepted, the status.
    return OUTCOMES[advice["outcome"]] if advice.get("status_code", 999) < 300 else "refused"


def start(plugin, env, inputs, connection=CONNECTION):
    """Runs the action once and gives the body of the plugin's answer."""
    message = {"version": "v1", "type": "action_start", "body": {
        "meta": {}, "action": "cancel_machine_action", "connection": connection, "input": inputs}}
    process = subprocess.run(
        ["python", "main.py", "run"], cwd=plugin, env=env, input=json.dumps(message), capture_output=True, text=True,
        timeout=60)
    written.extend([process.stdout, process.stderr])
    # The runtime logs to stdout, too: its answer is the last line.
    return json.loads(process.stdout.splitlines()[-1])["body"]


if __name__ == "__main__":
    main()
