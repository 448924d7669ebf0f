import json
import os
import subprocess

from sekoia_automation.action import Action

# Seconds that the step has for a cancel, and then until the action is final. Sekoia's own time-out for an action is to
# be longer: 60 + 120 + 30 to spare.
LIMITS = {"MDE_TIMEOUT": "60", "MDE_WAIT": "120"}


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
        # The node is red unless the action is cancelled; its results still tell a playbook what to do about it.
        if document.get("outcome") != "cancelled":
            self.error(f"not cancelled: {arguments['action_id']}: {(step.stderr or step.stdout).splitlines()[-1]}")
        return results(document)

    def settings(self) -> dict:
        """The environment of the step: a secret is never an argument, which others could read."""
        configured = {name.upper(): str(value) for name, value in self.module.configuration.items() if value}
        return {**os.environ, **LIMITS, **configured}


def results(document: dict) -> dict:
    """What the next node gets to see of an answer or a failure."""
    # Both say in the same words whether and when to try again.
    advice = document.get("error", document)
    told = {name: advice[name] for name in ("status_code", "outcome", "retry_after_seconds") if name in advice}
    told["retryable"] = advice.get("retryable", False)
    # With an outcome it is the action as it was read last.
    return document.get("json_body", {}) | told if document.get("status_code", 0) < 300 else told
