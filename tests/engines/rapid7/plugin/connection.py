import insightconnect_plugin_runtime
from schema import SPEC, schema


class Connection(insightconnect_plugin_runtime.Connection):
    def __init__(self):
        super().__init__(input=schema(SPEC["connection"]))

    def connect(self, params={}):
        # The environment of the step: a secret is never an argument, which others could read.
        settings = {name.upper(): text(value) for name, value in params.items()}
        self.settings = {name: value for name, value in settings.items() if value}


def text(value):
    """A parameter as the step reads it from its environment."""
    if isinstance(value, dict):
        return value["secretKey"]
    return str(int(value)) if isinstance(value, bool) else value
