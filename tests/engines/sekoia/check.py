"""The action in Sekoia's own runner.

This plays the part of the vendor's cloud: it starts the module as the cloud does, gives it its secret, takes its
reports, and acts on them as a playbook would.
"""

import ast
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from defender import FATES, FINISHED_IN_SANDBOX, INHERITED, SECRET, STEP_TIMEOUT, STEP_WAIT, THROTTLED, Defender
from support import environment, expect, expect_hidden, expect_playbook, run

HERE = Path(__file__).parent
CATALOG = HERE.parents[2] / "schema" / "catalog" / "sekoia"
"""What the vendor lists: the manifest of the module, and its action."""
COMMENT = "Cancelled by the playbook"
CONFIGURATION = {
    "azure_tenant_id": "11111111-2222-3333-4444-555555555555",
    "azure_client_id": "66666666-7777-8888-9999-000000000000",
}
"""How the module is configured, but for its secret."""
TRIES = 3
OUTCOMES = {"cancelled": "cancelled", "already_final": "already_final", "pending": "accepted"}
"""What a playbook calls an outcome."""
ENVIRONMENTS = INHERITED, {"MDE_SANDBOX": "1", "MDE_WAIT": ""}
"""What the environment of the module may say."""
CANCELLED_IN_SANDBOX = "00000000-0000-0000-0000-000000200000"


def main():
    with tempfile.TemporaryDirectory(prefix="sekoia-") as folder:
        module = assemble(Path(folder))
        with Defender() as defender, Cloud() as cloud:
            taken, errors = play(module, cloud, defender)
            inherited = [branch(report) for settings in ENVIRONMENTS
                         for report in cancel(module, cloud, environment(**settings), FINISHED_IN_SANDBOX)]
        accepted = run_locally(module, action_id=CANCELLED_IN_SANDBOX, comment=COMMENT)
        refused = run_locally(module, action_id=CANCELLED_IN_SANDBOX)

    expect_playbook(defender, COMMENT)
    expect("the reports tell the playbook which branch to take", taken,
           {id: ["again"] * (id == THROTTLED) + [fate if fate in OUTCOMES.values() else "refused"] for id, fate in FATES.items()})
    expect("the node of what was not cancelled is red, and names it",
           {id: f"not cancelled: {id}: " in errors.get(id, "") for id in FATES},
           {id: fate != "cancelled" for id, fate in FATES.items()})
    expect("whatever the module's environment says, what had already finished is red", inherited,
           ["already_final"] * len(ENVIRONMENTS))
    expect_hidden(json.dumps(cloud.reports), *cloud.logs)

    expect("the vendor's local runner takes the results for what the catalog promises", accepted.returncode, 0)
    results = ast.literal_eval(accepted.stdout)
    catalog = json.loads((CATALOG / "action_cancel_machine_action.json").read_text())
    expect("they tell what became of the machine action", (results["status"], results["outcome"]),
           ("Cancelled", "cancelled"))
    expect("the catalog lists each of them", results.keys() - catalog["results"]["properties"].keys(), set())
    expect("the local runner refuses arguments that the catalog does not allow",
           "'comment' is a required property" in refused.stderr, True)


def assemble(folder):
    """The module as the vendor keeps it: its code beside what the catalog lists; with shorter limits."""
    module = folder / "cancel-machine-action"
    shutil.copytree(HERE / "module", module)
    shutil.copytree(CATALOG, module, dirs_exist_ok=True)
    code = module / "cancel_machine_action.py"
    code.write_text(code.read_text().replace('"60"', f'"{STEP_TIMEOUT}"').replace('"120"', f'"{STEP_WAIT}"'))
    return module


def play(module, cloud, defender):
    """Cancels what is pending; returns the branches that the playbook took for each action, and the last errors."""
    listed = run("cancel-machine-action", "list", env=environment(**defender.environment), seconds=30)
    # The credentials come from the cloud alone.
    settings = {name: value for name, value in defender.environment.items() if not name.startswith("AZURE_CLIENT")}
    taken, errors = {}, {}
    for id in (json.loads(line)["id"] for line in listed.splitlines()):
        taken[id] = []
        for report in cancel(module, cloud, environment(**settings), id):
            taken[id].append(branch(report))
            errors[id] = report.get("error", "")
    return taken, errors


def cancel(module, cloud, env, action_id):
    """Runs the action, again as long as its reports say that this may help; returns each report."""
    for _ in range(TRIES):
        report = cloud.run(module, env, {"action_id": action_id, "comment": COMMENT})
        yield report
        if branch(report) != "again":
            return
        time.sleep(report["results"]["retry_after_seconds"])


def branch(report):
    """The branch that a playbook takes after this report."""
    results = report["results"]
    if "error" not in report:
        return "cancelled" if results.get("outcome") == "cancelled" else "green, but not cancelled"
    if results["retryable"]:
        return "again"
    # An outcome says what the action is; whether the cancel was accepted, the status.
    return OUTCOMES[results["outcome"]] if results.get("status_code", 999) < 300 else "refused"


def run_locally(module, **arguments):
    """Has the vendor's tool for developers run the action in the step's sandbox: it checks both ways by the catalog."""
    properties = json.loads((CATALOG / "manifest.json").read_text())["configuration"]["properties"]
    # This runner takes what is not given for null, which is no string: an empty setting counts as not set.
    empty = {name: property.get("enum", [""])[0] for name, property in properties.items()}
    given = {**empty, **CONFIGURATION, "mde_auth": "client-secret", "mde_sandbox": "true", **arguments}
    return subprocess.run(
        ["sekoia-automation", "run-action", "--modules-path", module.parent, "--module-name", module.name,
         "--class-name", "CancelMachineAction", *(f"{name}={value}" for name, value in given.items())],
        cwd=module, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)


class Cloud:
    """What the module sees of the vendor's cloud, as a context manager: where it asks for its secret and reports to."""

    def __enter__(self):
        self.reports = []
        """All that the module has reported."""
        self.logs = []
        """All that it has written."""
        handler = type("Handler", (_Callback,), {"reports": self.reports})
        self._server = HTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def run(self, module, env, arguments):
        """Runs the action once and gives its last report."""
        log = run("python", "main.py", "CancelMachineAction", cwd=module, seconds=60, stderr=subprocess.STDOUT, env={
            **env,
            "URL_CALLBACK": f"http://127.0.0.1:{self._server.server_address[1]}/callback",
            "TOKEN": "token-of-the-cloud",
            "MODULE_CONFIGURATION": json.dumps({**CONFIGURATION, "azure_client_secret": None}),
            "ARGUMENTS": json.dumps(arguments),
        })
        self.logs.append(log)
        report = self.reports[-1]
        if "results" not in report:
            sys.exit(f"the action has no results: {report}")
        return report


class _Callback(BaseHTTPRequestHandler):
    reports: list

    def do_PATCH(self):
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reports.append(report)
        secrets = {"azure_client_secret": SECRET} if report.get("need_secrets") else {}
        body = json.dumps({"module_configuration": {"value": secrets}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    main()
