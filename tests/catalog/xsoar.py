"""Checks the Cortex XSOAR integration: its keys, the vendor's rules, and that its script calls the step.

    xsoar.py INTEGRATION.yml

The vendor's strict model knows every key and its type, and refuses all others. The rules are those of
`demisto-sdk validate` for integrations. They need a pack in a Git repository, so one is made around the file.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

# Nothing of this check may leave the machine; the rules that want the internet then say so at once.
os.environ |= {"DEMISTO_SDK_OFFLINE_ENV": "1", "DEMISTO_SDK_IGNORE_CONTENT_WARNING": "1", "MDE_SANDBOX": "1"}

NEED_THE_INTERNET = {"IN104"}
"""Rules that ask for a list; the categories of IN104 are checked against those that the SDK carries."""


def strict_model(integration):
    """The violations of the strict model."""
    from demisto_sdk.commands.content_graph.strict_objects.integration import StrictIntegration
    from pydantic import ValidationError
    try:
        StrictIntegration.parse_obj(integration)
    except ValidationError as error:
        return [f"{'.'.join(map(str, violation['loc']))}: {violation['msg']}" for violation in error.errors()]
    return []


def category(integration):
    """The category, if the vendor has no such."""
    from demisto_sdk.commands.common.constants import INTEGRATION_CATEGORIES
    known = integration["category"] in INTEGRATION_CATEGORIES
    return [] if known else [f"category: there is no {integration['category']!r}"]


def rules(file, integration):
    """The violations of the rules for integrations, whose codes begin with IN."""
    with tempfile.TemporaryDirectory(prefix="xsoar-") as folder:
        pack = Path(folder, "Packs", "Pack")
        pack.joinpath("Integrations").mkdir(parents=True)
        pack.joinpath(".pack-ignore").touch()
        pack.joinpath("pack_metadata.json").write_text(json.dumps({
            "name": integration["name"], "description": integration["description"], "support": "community",
            "currentVersion": "1.0.0", "author": "", "url": "", "email": "", "categories": [integration["category"]],
            "tags": [], "useCases": [], "keywords": [], "marketplaces": integration.get("marketplaces", ["xsoar"])}))
        # The SDK tells an integration of one file from others by its name.
        content = pack / "Integrations" / "integration-checked.yml"
        content.write_bytes(file.read_bytes())
        author = ["-c", "user.name=check", "-c", "user.email=check@localhost"]
        for command in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"],
                        [*author, "commit", "--quiet", "--message=pack"],
                        ["remote", "add", "origin", f"https://localhost{folder}"]):
            subprocess.run(["git", *command], cwd=folder, check=True)
        with contextlib.chdir(folder):
            return _violations(content.relative_to(folder))


def _violations(content):
    from demisto_sdk.commands.common.constants import GitStatuses
    from demisto_sdk.commands.content_graph.objects.base_content import BaseContent
    from demisto_sdk.commands.content_graph.objects.integration import Integration
    from demisto_sdk.commands.validate.validators.base_validator import get_all_validators
    parsed = BaseContent.from_path(content)
    if not isinstance(parsed, Integration):
        return ["the SDK does not take the file for an integration"]
    # A rule on changes compares with the version before; there is none.
    chosen = [rule for rule in get_all_validators()
              if rule.error_code.startswith("IN") and rule.error_code not in NEED_THE_INTERNET
              and (not rule.expected_git_statuses or GitStatuses.ADDED in rule.expected_git_statuses)]
    print(f"  {len(chosen)} rules")
    return [f"{rule.error_code}: {result.message}"
            for rule in chosen for result in rule.obtain_invalid_content_items([parsed])]


NOTE, ERROR = 1, 4
"""Types of the entries that a script makes."""


class Demisto:
    """What the server hands to a script as `demisto`: a stand-in."""

    def __init__(self, command, args, params):
        self.command, self.args, self.params = lambda: command, lambda: args, lambda: params
        self.said = []
        self.results = self.said.append


def call(integration, command, **args):
    """Runs the integration's own script as the server would, in the sandbox, and gives its result."""
    empty = {8: False, 9: {"identifier": "", "password": ""}}
    params = {declared["name"]: "sandbox" in declared["name"] or declared.get("defaultvalue") or
              empty.get(declared["type"], "") for declared in integration["configuration"]}
    server = Demisto(command, args, params)
    try:
        exec(compile(integration["script"]["script"], "the integration's script", "exec"), {"demisto": server})
    except Exception as error:
        sys.exit(f"the integration's script failed on {command}: {error!r}")
    (result,) = server.said
    return result


def behaviour(integration):
    """What the script does otherwise than it should."""
    (command,) = integration["script"]["commands"]
    (id,) = [argument["name"] for argument in command["arguments"] if argument["required"]]
    (comment,) = [argument["name"] for argument in command["arguments"] if not argument["required"]]
    (prefix,) = {output["contextPath"].split(".")[0] for output in command["outputs"]}

    def run(action, **further):
        """The type of the entry, and what the context then has."""
        result = call(integration, command["name"], **{id: action}, **further)
        answer = result["EntryContext"].get(prefix, {})
        body = answer.get("json_body", {})
        return (result["Type"], answer.get("status_code", answer.get("error", {}).get("code")),
                body.get("cancellationComment") if result["Type"] == NOTE else result["Contents"] != "")

    claims = {
        "the connection is tested": (call(integration, "test-module"), "ok"),
        "a cancel is a note; the comment was sent":
            (run("00000000-0000-0000-0000-000000200000", **{comment: "a check"}), (NOTE, 200, "a check")),
        "a refusal is an error, which says why; its answer is in the context":
            (run("00000000-0000-0000-0000-000000404000"), (ERROR, 404, True)),
        "a failure is an error, which says why; it is in the context":
            (run("not/an id"), (ERROR, "invalid_input", True)),
    }
    # What the step does not take shows that it is seen.
    os.environ["MDE_TIMEOUT"] = "no number"
    claims["a parameter that is left empty leaves what the image sets"] = (
        run("00000000-0000-0000-0000-000000200000"), (ERROR, "invalid_settings", True))
    return [f"not so: {claim}: is {so}, should be {should}" for claim, (so, should) in claims.items() if so != should]


def main():
    file = Path(sys.argv[1]).resolve()
    integration = yaml.safe_load(file.read_bytes())
    # Later ones take it for granted that earlier ones have found nothing.
    for name, check in {"strict model": lambda: strict_model(integration), "category": lambda: category(integration),
                        "rules": lambda: rules(file, integration), "script": lambda: behaviour(integration)}.items():
        if found := check():
            sys.exit(f"{file.name}: {name}:\n  " + "\n  ".join(found))
        print(f"  {file.name}: {name}")


def _offline(*_):
    raise OSError("this check stays offline")


socket.socket.connect = socket.getaddrinfo = _offline
main()
