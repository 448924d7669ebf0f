"""Proves that a check checks: it must find each of these mistakes, and name it.

    typos.py CHECK.py FILE [FURTHER ARGUMENTS OF THE CHECK]

Each mistake is made in a copy of the file, by itself, where the pattern first matches.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TYPOS = {
    "openapi.py": [
        (r'"operationId"', '"operationID"', "operationID"),
        (r'"in": "path"', '"in": "pth"', "pth"),
        (r'"additionalProperties"', '"additionalPropertys"', "additionalPropertys"),
        (r'#/components/schemas/', '#/components/schema/', "Can't resolve|does not exist"),
        (r'"example": \{\s*"Comment"', '"example": {"Coment"', "Coment"),
        (r'"securitySchemes"', '"securitySchema"', "securitySchema"),
        (r'"required": true', '"required": "yes"', "boolean"),
    ],
    "prism.py": [
        (r'/cancel"', '/cancell"', "a described request is accepted"),
        (r'"Comment": \{', '"Coment": {', "a described request is accepted"),
        (r'"429"', '"430"', "statuses with an example"),
        (r'"Retry-After"', '"Retry-Afer"', "429 tells when to try again"),
    ],
    "json_schema.py": [
        (r'"additionalProperties"', '"additionalPropertys"', "unknown keyword"),
        (r'"type": "object"', '"type": "objekt"', "objekt"),
        (r'"pattern": "\^', '"pattern": "^(', "regex|regular expression"),
        (r'"Comment"', '"Coment"', "Comment"),
    ],
    "mcp_check.py": [
        (r'"destructiveHint"', '"destructivHint"', "the SDK knows each key"),
        (r'"idempotentHint": true', '"idempotentHint": false', "idempotent"),
        (r'"readOnlyHint": false', '"readOnlyHint": "no"', "readOnlyHint"),
        (r'"inputSchema"', '"input_schema_"', "inputSchema"),
        (r'"type": "integer",\s*"minimum": 100', '"type": "string", "minimum": 100', "listed as defined"),
        (r'"Comment"', '"comment"', "listed as defined"),
    ],
    "xsoar.py": [
        (r'\ndisplay:', r'\ndispaly:', "dispaly"),
        (r'execution: true', 'execusion: true', "execusion"),
        (r'type: 9\b', 'type: nine', "integer"),
        (r'contextPath:', 'contextpath:', "contextpath"),
        (r'category: Endpoint\b', 'category: Endpoints', "Endpoints"),
        (r'contextPath:', 'contentPath:', "IN115"),
        (r'"json_body"', '"json_bdy"', "a cancel is a note|the integration's script"),
    ],
    "rapid7.py": [
        (r'\nvendor:', r'\nvender:', "vender"),
        (r'required: true', 'required: "yes"', "must be boolean"),
        (r'required: true', 'requierd: true', "requierd"),
        (r'type: credential_secret_key', 'type: credential_secret', "credential_secret"),
        (r'\n    output:', r'\n    outputs:', "outputs"),
        (r'\nversion: 1', r'\nversion: 0', "semver"),
        (r'cloud_ready: false', 'cloud_ready: "no"', "neither true nor false"),
        (r'threat_detection_and_response', 'threat_detection', "Invalid use cases"),
    ],
}
"""For each check: what is replaced, by what, and what the check must then say."""


def main():
    check, path = Path(__file__).with_name(sys.argv[1]), Path(sys.argv[2])
    for pattern, replacement, said in TYPOS[check.name]:
        with tempfile.TemporaryDirectory(prefix="typo-") as folder:
            copy = Path(folder, path.name)
            # Of a folder of schemas it is the input's that gets the typo.
            file = copy / "input.schema.json" if path.is_dir() else copy
            shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)
            text, made = re.subn(pattern, replacement, file.read_text(), count=1)
            if not made:
                sys.exit(f"{file.name}: {pattern!r} is not in it")
            file.write_text(text)
            done = subprocess.run([sys.executable, check, copy, *sys.argv[3:]], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
            if done.returncode == 0 or not re.search(said, done.stdout):
                sys.exit(f"{check.name}: {pattern!r} replaced by {replacement!r} is not found:\n{done.stdout}")
        print(f"  {path.name}: {replacement.strip()!r} is found")


main()
