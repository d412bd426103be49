"""A real process that serves, asked over a socket."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from support.children import child
from support.cli import PATIENCE_S, Cli

from resumelog.infrastructure.http.pilot_routes import PREFIX


class Served(NamedTuple):
    """A service and where it is."""

    process: subprocess.Popen[str]
    url: str

    def connected(self) -> HTTPConnection:
        """Return a new connection."""
        address = urlsplit(self.url)
        return HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return the status and the document of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = self.connected()
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"content-type": "application/json", **named})
            got = connection.getresponse()
            return got.status, json.loads(got.read())
        finally:
            connection.close()

    def post(self, endpoint: str, simulation_id: str, **fields: Any) -> Any:
        """Return the data that an endpoint of the autopilot gives."""
        body = {"simulation_id": simulation_id, **fields}
        status, document = self.ask("POST", f"{PREFIX}/{endpoint}", body)
        assert status == 200, document
        return document["data"]


@contextmanager
def serving(folder: Path, *options: object, **environment: str) -> Iterator[Served]:
    """Serve on any free port of this machine."""
    cli = Cli(folder, **environment)
    with cli.started("serve", "--port", 0, *options) as process:
        yield Served(process, _address(process))


@contextmanager
def serving_host(folder: Path) -> Iterator[Served]:
    """Serve the host of `support.serving_host` in a process of its own."""
    with child(cwd=folder, module="support.serving_host") as process:
        yield Served(process, _address(process))


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    line = process.stderr.readline()
    found = re.search(r"serves (http://\S+)", line)
    assert found, line + process.stderr.read()
    return found.group(1)
