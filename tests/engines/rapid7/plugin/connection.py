import insightconnect_plugin_runtime
from schema import SPEC, schema


class Connection(insightconnect_plugin_runtime.Connection):
    def __init__(self):
        super().__init__(input=schema(SPEC["connection"]))

    def connect(self, params={}):
        # The environment of the step: a secret is never an argument, which others could read.
        self.settings = {name.upper(): text(value) for name, value in params.items()}


def text(value):
    """A parameter as the step reads it from its environment."""
    return value["secretKey"] if isinstance(value, dict) else str(value)
