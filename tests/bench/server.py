"""nginx as the service and the sign-in service: TLS 1.3 on the loopback address, answering with the documented example."""

import json
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {folder}/1;
  proxy_temp_path {folder}/2;
  fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_protocols TLSv1.3;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    default_type "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8";
    add_header OData-Version 4.0;
    location /api/ {{ return 200 '{answer}'; }}
    location / {{ return 200 '{token}'; }}
  }}
}}
"""


class Server:
    """The running server, as a context manager."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        folder = Path(self._folder.name)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
             "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
            check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        answer = json.loads((ROOT / "schema/documented-answer.json").read_text())["json_body"]
        token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a.b.c"}
        (folder / "nginx.conf").write_text(CONFIGURATION.format(
            folder=folder, port=port, answer=json.dumps(answer), token=json.dumps(token)))
        self._process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        self._wait_for(port)
        self.url = f"https://localhost:{port}"
        self.certificate = folder / "certificate.pem"
        self.folder = folder
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=10)
        self._folder.cleanup()

    def _wait_for(self, port):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"nginx does not answer on port {port}")
