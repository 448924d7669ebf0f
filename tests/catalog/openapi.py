"""Checks the OpenAPI description of the upstream call: `openapi-spec-validator` and Redocly's strict rules.

    openapi.py openapi.json

The validator knows the keys and types of the description, and not those of its schemas; Redocly knows these too,
follows references, and holds the examples to their schemas. Both stay offline.
"""

import os
import subprocess
import sys

REDOCLY = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def main():
    file = os.path.abspath(sys.argv[1])
    for command in (["openapi-spec-validator", "--schema", "3.1.0", file],
                    ["redocly", "lint", "--extends", "recommended-strict", "--format", "stylish", file]):
        done = subprocess.run(command, env=os.environ | REDOCLY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, timeout=120)
        if done.returncode != 0:
            # The validator may print all of the description behind what is wrong with it.
            sys.exit(f"{file}: {command[0]}:\n{done.stdout[:4000]}")
        print(f"  {os.path.basename(file)}: {command[0]}")


main()
