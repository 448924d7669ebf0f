"""The JSON Schemas of plugin.spec.yaml. `insight-plugin` generates the same, as the schema.py files of a plugin."""

from pathlib import Path

import yaml

SPEC = yaml.safe_load((Path(__file__).parent / "plugin.spec.yaml").read_text())
PRIMITIVES = ("string", "integer", "boolean", "object")
SECRET_KEY = {"type": "object", "properties": {"secretKey": {"type": "string"}}, "required": ["secretKey"]}
"""The vendor's `credential_secret_key`."""


def schema(fields):
    """The schema of an object with these fields."""
    return {
        "type": "object",
        "properties": {name: of_type(field["type"]) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field["required"]],
    }


def of_type(name):
    """The schema of a type of the specification."""
    if name in PRIMITIVES:
        return {"type": name}
    if name == "credential_secret_key":
        return SECRET_KEY
    return schema(SPEC["types"][name])
