import json
import os
import subprocess

import insightconnect_plugin_runtime
from insightconnect_plugin_runtime.exceptions import PluginException
from insightconnect_plugin_runtime.helper import clean
from schema import SPEC, schema

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
            ["cancel-machine-action"], input=json.dumps(request), env={**os.environ, **self.connection.settings},
            text=True, capture_output=True)
        document = json.loads(step.stdout)
        if step.returncode != 0:
            raise PluginException(
                # The runtime knows a rate limit by its preset; of all else the step tells more than a preset does.
                preset=PluginException.Preset.RATE_LIMIT if document.get("status_code") == 429 else None,
                cause=step.stderr.splitlines()[-1],
                data=json.dumps(retry(document)))
        # The specification promises types, and null has none.
        return clean(document)


def retry(document):
    """Whether an answer or a failure is worth another try, and in how many seconds."""
    if failure := document.get("error"):
        return {name: failure[name] for name in ("retryable", "retry_after_seconds") if name in failure}
    after = document["response_headers"].get("Retry-After", "")
    return {
        "retryable": document["status_code"] in (429, 500, 502, 503, 504),
        **({"retry_after_seconds": int(after)} if after.isdecimal() else {}),
    }
