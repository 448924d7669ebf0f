import json
import os
import subprocess

from sekoia_automation.action import Action


class CancelMachineAction(Action):
    """Cancels a pending machine action in Microsoft Defender for Endpoint."""

    def run(self, arguments: dict) -> dict:
        request = {
            "path_parameters": {"machineactionid": arguments["action_id"]},
            "json_body": {"Comment": arguments["comment"]},
        }
        step = subprocess.run(
            ["cancel-machine-action"], input=json.dumps(request), env=self.settings(), text=True, capture_output=True)
        document = json.loads(step.stdout)
        # The node fails with what the step says to people; its results still tell a playbook what to do about it.
        if step.returncode != 0:
            self.error(step.stderr.splitlines()[-1])
        return results(document)

    def settings(self) -> dict:
        """The environment of the step: a secret is never an argument, which others could read."""
        configured = {name.upper(): str(value) for name, value in self.module.configuration.items() if value}
        return {**os.environ, **configured}


def results(document: dict) -> dict:
    """What the next node gets to see of an answer or a failure."""
    if failure := document.get("error"):
        return {name: failure[name] for name in ("retryable", "retry_after_seconds") if name in failure}
    status = document["status_code"]
    told = {"status_code": status, "retryable": status in (429, 500, 502, 503, 504)}
    if 200 <= status < 300:
        told |= document.get("json_body", {})
    after = document["response_headers"].get("Retry-After", "")
    if after.isdecimal():
        told["retry_after_seconds"] = int(after)
    return told
