"""An Airflow of its own in a temporary folder."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

from defender import LIMITS
from support import end, environment, run

PLAYBOOKS = Path(__file__).with_name("dags")


class Airflow:
    """Airflow with our playbooks and an empty database, as a context manager."""

    def __init__(self, defender, **settings):
        step = dict(defender.environment)
        # The credentials are in Airflow's connection alone.
        tenant, client, secret = (
            step.pop(name) for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET_FILE"))
        connection = {"conn_type": "generic", "login": client, "password": Path(secret).read_text(),
                      "extra": {"tenant_id": tenant}}
        self._settings = {**step, "AIRFLOW_CONN_DEFENDER": json.dumps(connection), **LIMITS, **settings}

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="airflow-")
        self.home = Path(self._folder.name)
        self._environment = environment(**{
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PLAYBOOKS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            # One for all processes: each would make its own.
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            **self._settings,
        })
        self.command("db", "migrate")
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def command(self, *arguments):
        """Runs a command of Airflow to its end."""
        run("airflow", *arguments, env=self._environment, seconds=180)

    @contextmanager
    def process(self, *arguments):
        """A process of Airflow that ends when the block is left; if that fails, its log is shown."""
        path = self.home / f"{arguments[0]}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                ["airflow", *arguments], env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield process
        except BaseException:
            sys.stderr.write(path.read_text())
            raise
        finally:
            end(process)
            end_session(process.pid)

    def query(self, sql):
        """What the database of Airflow has."""
        with closing(sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(sql).fetchall()


def end_session(session):
    """Ends what is left of a session: a task that runs has a process group of its own."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(process)) == session:
                os.kill(int(process), signal.SIGKILL)
        except ProcessLookupError:
            pass
