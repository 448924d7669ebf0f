"""What the step would be as a small connector in Python: the same contract, on `requests` and `jsonschema`."""

import json
import os
import sys
from pathlib import Path

import jsonschema
import requests

SCHEMA = Path(__file__).parents[2] / "schema" / "input.schema.json"


def main():
    request = json.loads(Path(sys.argv[1]).read_text())
    jsonschema.validate(request, json.loads(SCHEMA.read_text()))
    answer = requests.post(
        f"{os.environ['MDE_BASE_URL']}/api/machineactions/{request['path_parameters']['machineactionid']}/cancel",
        json=request["json_body"],
        headers={"Authorization": f"Bearer {os.environ['MDE_ACCESS_TOKEN']}"},
        verify=os.environ["SSL_CERT_FILE"],
        timeout=60,
    )
    json.dump({
        "status_code": answer.status_code,
        "reason": answer.reason,
        "response_headers": dict(answer.headers),
        "json_body": answer.json(),
    }, sys.stdout)
    sys.exit(0 if answer.ok else 1)


if __name__ == "__main__":
    main()
