"""Holds what the server wrote in a conversation to the strict types of the SDK, each line in its revision."""

import json
from collections import Counter

import mcp_types._v2025_11_25 as v2025
import mcp_types._v2026_07_28 as v2026
from mcp_types import methods
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter

ERRORS = {version: TypeAdapter(types.JSONRPCErrorResponse) for version, types in (("legacy", v2025), ("modern", v2026))}
ANSWER = TypeAdapter(v2026.JSONRPCResultResponse)


DEEP = b'{"jsonrpc":"2.0","id":"deep","method":"ping",'
"""How a request begins that is deeper than Python can read."""


def is_id(value):
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def key(value):
    """1 and "1" are two ids."""
    return type(value).__name__, value


def asked(line):
    """What a line asks for, as far as it can be told: its id, its method, its revision."""
    try:
        message = json.loads(line)
        if not isinstance(message, dict) or not is_id(message.get("id")):
            return None
    except RecursionError:
        # Too deep for Python, but not for the server.
        return (key("deep"), ("ping", "2025-11-25")) if line.startswith(DEEP) else None
    except ValueError:
        return None
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    version = meta.get("io.modelcontextprotocol/protocolVersion") if isinstance(meta, dict) else None
    # A handshake is one, whatever it carries.
    is_modern = version in MODERN_PROTOCOL_VERSIONS and message.get("method") != "initialize"
    return key(message["id"]), (message.get("method"), version if is_modern else "2025-11-25")


def check(said, heard):
    """Checks each line that was `heard` against those that were `said`; gives the answers, by their ids."""
    requests = {}
    for line in said:
        if request := asked(line):
            requests.setdefault(request[0], []).append(request[1])
    count = Counter()
    for line in heard:
        answer = json.loads(line)
        text = line if isinstance(line, str) else line.decode()
        assert "\n" not in text.rstrip("\n") and answer["jsonrpc"] == "2.0", text
        if "error" in answer:
            for adapter in ERRORS.values():
                adapter.validate_python(answer)
            assert "id" not in answer or is_id(answer["id"]), text
        else:
            ANSWER.validate_python(answer | {"result": {"resultType": "complete"} | answer["result"]})
        if "id" not in answer:
            continue
        count[key(answer["id"])] += 1
        known = requests.get(key(answer["id"]), [])
        assert known, f"nobody has asked for this: {text}"
        if "result" in answer:
            assert any(fits(method, version, answer["result"]) for method, version in known), text
    for id, answers in count.items():
        assert answers <= len(requests[id]), f"{answers} answers to {len(requests[id])} requests {id}"
    return count


def fits(method, version, result):
    """Whether a result is what its revision says."""
    try:
        methods.validate_server_result(method, version, result)
    except (KeyError, TypeError, ValueError):
        return False
    # Before 2026-07-28 there was no such key, and since then each result has it.
    return ("resultType" in result) == (version in MODERN_PROTOCOL_VERSIONS)
