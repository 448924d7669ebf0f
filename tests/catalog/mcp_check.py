"""Checks the server for agents: the official client finds its tools, calls them in the sandbox, and is refused.

    mcp_check.py mcp-tool.json

The SDK ignores keys that it does not know, so that the definitions are compared with what comes back from it; and every
line that the server writes is held to the SDK's strict types of its revision.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from jsonschema import Draft202012Validator
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import ListToolsResult
from pydantic import ValidationError

from mcp_strict import check

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from support import expect  # noqa: E402

ERAS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28", "auto": "2026-07-28"}
"""The ways to begin, and the versions of the protocol that follow."""

HINTS = {"list_machine_actions": (True, False, True, True), "get_machine_action": (True, False, True, True),
         "cancel_machine_action": (False, True, True, True)}
"""The tools: read-only, destructive, idempotent, open world."""


def id_of(status):
    """An action for which the sandbox has an answer of that status."""
    return f"00000000-0000-0000-0000-000000{status}000"


def request(status):
    return {"path_parameters": {"machineactionid": id_of(status)}, "json_body": {"Comment": "called by a model"}}


def plain(tools):
    """The tools as JSON has them."""
    return [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]


def definitions(file):
    """The tools as the file defines them, with nothing in it that the SDK does not know."""
    try:
        tools = ListToolsResult.model_validate_json(file.read_bytes()).tools
    except ValidationError as error:
        sys.exit(f"{file.name}: {error}")
    documents = json.loads(file.read_bytes())["tools"]
    expect("the SDK knows each key", plain(tools), documents)
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema):
            Draft202012Validator.check_schema(schema)
            expect(f"{tool.name}: the root is an object", schema["type"], "object")
        hints = tool.annotations
        expect(f"{tool.name}: read-only, destructive, idempotent, open world",
               (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint),
               HINTS[tool.name])
    return {tool.name: tool for tool in tools}, documents


def server(folder, *options):
    """The server; what is said and heard is kept in the folder."""
    script = f'tee -a {folder}/said | cancel-machine-action mcp --sandbox {" ".join(options)} | tee -a {folder}/heard'
    return StdioServerParameters(command="sh", args=["-c", script], env={"PATH": os.environ["PATH"]})


async def is_protocol_error(call):
    try:
        await call
    except MCPError as error:
        return error.code
    return None


def failure(result):
    return json.loads(result.content[0].text)["error"]


async def conversation(parameters, tools, documents, mode):
    async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
        expect("the protocol's version", client.protocol_version, ERAS[mode])
        listed = (await client.list_tools()).tools
        expect("the tools are listed as defined", plain(listed), documents)
        get, cancel = tools["get_machine_action"], tools["cancel_machine_action"]

        pending = await client.call_tool("list_machine_actions", {"type": ["Isolate"]})
        expect("open actions are listed",
               (pending.is_error, pending.structured_content["more"], len(pending.structured_content["actions"]) > 0),
               (False, False, True))

        # The client holds each result that is no error to the output schema.
        read = await client.call_tool(get.name, {"machineactionid": id_of(200)})
        expect("an action is read", (read.is_error, read.structured_content["json_body"]["id"]), (False, id_of(200)))
        done = await client.call_tool(cancel.name, request(200))
        expect("a cancel succeeds",
               (done.is_error, done.structured_content["json_body"]["status"]), (False, "Cancelled"))
        expect("its text is its structure", json.loads(done.content[0].text), done.structured_content)

        refused = await client.call_tool(cancel.name, request(400))
        expect("a refusal is an error", (refused.is_error, refused.structured_content["status_code"]), (True, 400))
        Draft202012Validator(cancel.output_schema).validate(refused.structured_content)

        wrong = request(200) | {"json_body": {"comment": "a wrong key"}}
        expect("wrong arguments do not fit the input schema",
               Draft202012Validator(cancel.input_schema).is_valid(wrong), False)
        for tool, arguments in ((cancel, wrong), (get, {}), (get, {"machineactionid": "../x"}),
                                (tools["list_machine_actions"], {"status": ["'"]})):
            expect("they do not fit the input schema",
                   Draft202012Validator(tool.input_schema).is_valid(arguments), False)
            failed = await client.call_tool(tool.name, arguments)
            expect("and the tool refuses them",
                   (failed.is_error, failed.structured_content, failure(failed)["code"]), (True, None, "invalid_input"))
        expect("an unknown tool is an error", await is_protocol_error(client.call_tool("unknown", {})), -32602)
        for example in cancel.input_schema["examples"]:
            expect("a documented request succeeds", (await client.call_tool(cancel.name, example)).is_error, False)


async def limited(parameters, mode):
    """What is not allowed is refused."""
    async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
        refused = await client.call_tool("cancel_machine_action", request(200))
        expect("a type that is not allowed is refused", (refused.is_error, failure(refused)["code"]),
               (True, "not_allowed"))


async def read_only(parameters, mode):
    async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        expect("without --allow nothing cancels", names, [name for name, hints in HINTS.items() if hints[0]])
        call = client.call_tool("cancel_machine_action", request(200))
        expect("and the tool is unknown", await is_protocol_error(call), -32602)


def main():
    file = Path(sys.argv[1]).resolve()
    tools, documents = definitions(file)
    for mode in ERAS:
        with tempfile.TemporaryDirectory(prefix="mcp-") as folder:
            asyncio.run(conversation(server(folder, "--allow", "any"), tools, documents, mode))
            asyncio.run(limited(server(folder, "--allow", "Offboard"), mode))
            asyncio.run(read_only(server(folder), mode))
            said, heard = (Path(folder, name).read_text().splitlines() for name in ("said", "heard"))
            # The ids of three conversations are the same, and so are their answers' types.
            answered = check(said, heard)
            expect("most requests have an answer", sum(answered.values()) > 10, True)


main()
