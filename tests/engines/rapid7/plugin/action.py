import json
import os
import subprocess

import insightconnect_plugin_runtime
from insightconnect_plugin_runtime.exceptions import PluginException
from insightconnect_plugin_runtime.helper import clean
from schema import SPEC, schema

# Seconds that the step has for a cancel, and then until the action is final. The time-out of the workflow's step is to be
# longer: 60 + 120 + 30 to spare.
LIMITS = {"MDE_TIMEOUT": "60", "MDE_WAIT": "120"}
ADVICE = ("status_code", "outcome", "retryable", "retry_after_seconds")
ACTION = SPEC["actions"]["cancel_machine_action"]


class CancelMachineAction(insightconnect_plugin_runtime.Action):
    def __init__(self):
        super().__init__(
            name="cancel_machine_action",
            description=ACTION["description"],
            input=insightconnect_plugin_runtime.Input(schema(ACTION["input"])),
            output=insightconnect_plugin_runtime.Output(schema(ACTION["output"])))

    def run(self, params={}):
        request = {
            "path_parameters": {"machineactionid": params["machine_action_id"]},
            "json_body": {"Comment": params["comment"]} if "comment" in params else {},
        }
        step = subprocess.run(
            ["cancel-machine-action"], input=json.dumps(request),
            env={**os.environ, **LIMITS, **self.connection.settings}, text=True, capture_output=True)
        document = json.loads(step.stdout)
        # The action is an error unless the machine action is cancelled.
        if document.get("outcome") != "cancelled":
            # An answer and a failure say in the same words whether and when to try again.
            advice = document.get("error", document)
            raise PluginException(
                # The runtime knows a rate limit by its preset; of all else the step tells more than a preset does.
                preset=PluginException.Preset.RATE_LIMIT if document.get("status_code") == 429 else None,
                cause=f"not cancelled: {params['machine_action_id']}: {(step.stderr or step.stdout).splitlines()[-1]}",
                data=json.dumps({name: advice[name] for name in ADVICE if name in advice}))
        # The specification promises types, and null has none.
        return clean(document)
