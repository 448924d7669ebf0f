"""Checks the MCP tool definition: a real client finds the tool at a real server, and calls it in the sandbox.

    mcp_check.py mcp-tool.json

The SDK ignores keys that it does not know, so that the definition is compared with what comes back from it.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters
from mcp_types import Tool
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from support import expect  # noqa: E402

ERAS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28"}
"""The ways to begin, the handshake of old and none, and the versions of the protocol that follow."""


def request(status):
    """A request that the sandbox answers with a status."""
    return {"path_parameters": {"machineactionid": f"00000000-0000-0000-0000-000000{status}000"},
            "json_body": {"Comment": "called by a model"}}


def plain(tool):
    """The tool as JSON has it."""
    return tool.model_dump(by_alias=True, exclude_none=True, mode="json")


def definition(file):
    """The tool as the file defines it, with nothing in it that the SDK does not know."""
    try:
        tool = Tool.model_validate_json(file.read_bytes())
    except ValidationError as error:
        sys.exit(f"{file.name}: {error}")
    document = json.loads(file.read_bytes())
    expect("the SDK knows each key", plain(tool), document)
    for schema in (tool.input_schema, tool.output_schema):
        Draft202012Validator.check_schema(schema)
        expect(f"{schema['title']}: the root is an object", schema["type"], "object")
    hints = tool.annotations
    expect("read-only, destructive, idempotent, open world",
           (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint),
           (False, True, True, True))
    return tool, document


async def conversation(file, tool, document, mode):
    server = StdioServerParameters(
        command=sys.executable, args=[str(Path(__file__).with_name("mcp_server.py")), str(file)],
        env={"PATH": os.environ["PATH"], "MDE_SANDBOX": "1"})
    async with Client(server, mode=mode, read_timeout_seconds=60) as client:
        expect("the protocol's version", client.protocol_version, ERAS[mode])
        (listed,) = (await client.list_tools()).tools
        expect("the tool is listed as defined", plain(listed), document)

        # The client holds each result that is no error to the output schema.
        done = await client.call_tool(tool.name, request(200))
        expect("a cancel succeeds",
               (done.is_error, done.structured_content["json_body"]["status"]), (False, "Cancelled"))
        expect("its text is its structure", json.loads(done.content[0].text), done.structured_content)

        refused = await client.call_tool(tool.name, request(404))
        expect("a refusal is an error", (refused.is_error, refused.structured_content["status_code"]), (True, 404))
        Draft202012Validator(tool.output_schema).validate(refused.structured_content)

        wrong = request(200) | {"json_body": {"comment": "a wrong key"}}
        expect("wrong arguments do not fit the input schema",
               Draft202012Validator(tool.input_schema).is_valid(wrong), False)
        failed = await client.call_tool(tool.name, wrong)
        failure = json.loads(failed.content[0].text)["error"]
        expect("and the tool refuses them", (failed.is_error, failed.structured_content, failure["code"]),
               (True, None, "invalid_input"))
        for example in tool.input_schema["examples"]:
            expect("a documented request succeeds", (await client.call_tool(tool.name, example)).is_error, False)


def main():
    file = Path(sys.argv[1]).resolve()
    tool, document = definition(file)
    for mode in ERAS:
        asyncio.run(conversation(file, tool, document, mode))


main()
