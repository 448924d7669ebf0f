"""Lets the inspector of the Model Context Protocol look at the tools: it must find nothing that a client may refuse.

    look.py FOLDER

The folder is where the inspector is installed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = ["list_machine_actions", "get_machine_action", "cancel_machine_action"]


def main():
    # The inspector asks for a newer Node than many systems have; npm has it.
    program = Path(sys.argv[1], "node_modules/.bin")
    with tempfile.TemporaryDirectory(prefix="inspector-") as home:
        done = subprocess.run(
            [program / "mcp-inspector", "--cli", "cancel-machine-action", "mcp", "--sandbox", "--allow", "any",
             "--method", "tools/list", "--strict"],
            env={"PATH": f"{program}:{os.environ['PATH']}", "HOME": home, "MCP_CATALOG_PATH": f"{home}/catalog.json"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    found = [line for line in done.stderr.splitlines() if not line.startswith("cancel-machine-action: sandbox: ")]
    if done.returncode or found:
        sys.exit(f"the inspector ends with {done.returncode}:\n" + "\n".join(found))
    names = [tool["name"] for tool in json.loads(done.stdout)["tools"]]
    if names != TOOLS:
        sys.exit(f"the inspector sees {names}")
    print("  the inspector finds nothing wrong with the tools")


main()
