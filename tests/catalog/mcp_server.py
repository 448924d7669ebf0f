"""A minimal MCP server over stdio: one tool, as the catalog defines it, which is the step.

    mcp_server.py mcp-tool.json

The arguments of a call are the step's request. An answer of the service is the structured result, and an error if it is
a refusal. A failure, which is no answer, is an error in text: it has another shape than the tool's output schema.
"""

import asyncio
import json
import sys
from pathlib import Path

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

TOOL = Tool.model_validate_json(Path(sys.argv[1]).read_bytes())


async def list_tools(_context, _params):
    return ListToolsResult(tools=[TOOL])


async def call_tool(_context, params):
    if params.name != TOOL.name:
        raise ValueError(f"there is no tool {params.name!r}")
    step = await asyncio.create_subprocess_exec(
        "cancel-machine-action", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    document, _ = await step.communicate(json.dumps(params.arguments or {}).encode())
    said = json.loads(document)
    result = CallToolResult(content=[TextContent(type="text", text=document.decode())], is_error=step.returncode != 0)
    if "error" not in said:
        result.structured_content = said
    return result


async def main():
    server = Server("cancel-machine-action", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


asyncio.run(main())
