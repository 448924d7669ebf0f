"""Checks the Rapid7 InsightConnect plugin specification with the vendor's own tools.

    rapid7.py plugin.spec.yaml

`insight-plugin create` makes a whole plugin of it, and the vendor's validators then judge the plugin. Those look for
unknown keys in actions and the connection only; the others are looked for here.
"""

import contextlib
import io
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from icon_plugin_spec.plugin_spec import KomandPluginSpec
from icon_validator.exceptions import ValidationException
from icon_validator.rules import VALIDATORS, UnapprovedKeywordsValidator, VersionValidator
from icon_validator.rules.plugin_validators.spec_properties_validator import SpecPropertiesValidator
from insight_plugin.features.create.json_generation_util import BaseTypes

LEFT_OUT = {
    "IconValidator": "wants artwork",
    "RuntimeValidator": "asks a registry for the newest base image",
    "UnapprovedKeywordsValidator": "asks the vendor's hub; its offline half is run",
    "VersionBumpValidator": "compares with the vendor's repository",
    "VersionValidator": "asks the vendor's hub; its offline half is run",
}

TOP = {
    "plugin_spec_version", "extension", "products", "name", "title", "description", "version", "connection_version",
    "supported_versions", "vendor", "support", "status", "cloud_ready", "enable_cache", "sdk", "fedramp_ready",
    "resources", "tags", "hub_tags", "key_features", "requirements", "version_history", "links", "references",
    "troubleshooting", "types", "connection", "actions", "triggers", "tasks"}
"""The keys that a specification has at its top."""

BELOW = {
    "sdk": {"type", "version", "user", "packages", "custom_cmd"},
    "resources": {"source_url", "license_url", "vendor_url", "docs_url"},
    "hub_tags": {"use_cases", "keywords", "features"},
}
"""The keys of its plain objects."""

SWITCHES = {"cloud_ready", "enable_cache", "fedramp_ready"}


def keys(spec):
    """Unknown keys, switches that are none, and types that are neither the vendor's nor the specification's own."""
    found = [f"{key}: no such key" for key in spec.keys() - TOP]
    found += [f"{name}.{key}: no such key" for name in BELOW for key in spec.get(name, {}).keys() - BELOW[name]]
    found += [f"{key}: neither true nor false" for key in SWITCHES & spec.keys() if not isinstance(spec[key], bool)]
    own = spec.get("types", {})
    properties = [(f"types.{name}", own[name]) for name in own]
    properties.append(("connection", spec.get("connection", {})))
    for name, action in spec["actions"].items():
        properties += [(f"actions.{name}.{part}", action.get(part, {})) for part in ("input", "output")]
    for place, declared in properties:
        for name, property in declared.items():
            found += [f"{place}.{name}.{key}: no such key"
                      for key in property.keys() - SpecPropertiesValidator._PROPERTIES_WHITELIST]
            kind = str(property.get("type")).removeprefix("[]")
            if kind not in BaseTypes.base_types and kind not in own:
                found.append(f"{place}.{name}.type: there is no {kind!r}")
    return found


def plugin(file, folder, name):
    """Makes a plugin of the specification; gives what the generator has to say against it."""
    # The generator knows a specification by its name.
    asked = Path(folder, "plugin.spec.yaml")
    asked.write_bytes(file.read_bytes())
    made = subprocess.run([sys.executable, "-m", "insight_plugin", "create", asked, "--target-dir", folder],
                          capture_output=True, text=True, timeout=60)
    if made.returncode == 0 and Path(folder, name, "plugin.spec.yaml").exists():
        return []
    return [f"insight-plugin create: {(made.stderr or made.stdout).strip().splitlines()[-1]}"]


def validate(spec):
    """What the vendor's validators have to say against a plugin."""
    checks = {type(rule).__name__: rule.validate for rule in VALIDATORS if type(rule).__name__ not in LEFT_OUT}
    checks |= {
        "UnapprovedKeywordsValidator": UnapprovedKeywordsValidator.validate_keywords_exists,
        "VersionValidator": lambda spec: (
            VersionValidator.validate_plugin_version(spec),
            VersionValidator.validate_version(spec.spec_dictionary()["version"]),
            VersionValidator.validate_version_quotes(spec.raw_spec())),
    }
    found = []
    for name, check in checks.items():
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                check(spec)
        # A wrong type makes a rule stumble instead of speak.
        except (ValidationException, TypeError, AttributeError, KeyError) as error:
            found.append(f"{name}: {' '.join(str(error).split())}")
    print(f"  {len(checks)} validators")
    return found


def main():
    file = Path(sys.argv[1]).resolve()
    spec = yaml.safe_load(file.read_bytes())
    with tempfile.TemporaryDirectory(prefix="rapid7-") as folder:
            # A plugin that cannot be made cannot be judged either.
        found = keys(spec) or plugin(file, folder, spec["name"]) or validate(
            KomandPluginSpec(str(Path(folder, spec["name"])), "plugin.spec.yaml"))
    if found:
        sys.exit(f"{file.name}:\n  " + "\n  ".join(found))
    print(f"  {file.name}: keys, plugin, validators")


def _offline(*_):
    raise OSError("this check stays offline")


socket.socket.connect = socket.getaddrinfo = _offline
main()
