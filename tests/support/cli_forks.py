"""`resumelog` in processes of its own that start at once: forked from one that has imported it all.

`python -m support.cli_forks` reads one JSON object a line, starts what it asks for and answers with
a process id, or with how that process ended (null: not yet).
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pkgutil
import sys
import tempfile
import threading
import time
import traceback
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from support.children import PATIENCE_S, child

LOOKS_S = 0.002
AT_START = ("PYTHON", "LC_", "LANG")
"""What a process only looks at when it starts."""


class CliForks:
    """The process that all of a test session are forked from."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._lock = threading.Lock()
        self._folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory()))
        self._process = self._opened.enter_context(
            child(cwd=self._folder, module="support.cli_forks")
        )
        atexit.register(self._opened.close)

    def ran(
        self, arguments: list[str], folder: Path, environment: dict[str, str], stdin: str
    ) -> tuple[int, str, str]:
        """Run it to its end; return its exit code and what it wrote."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            files = [Path(name, each) for each in ("stdin", "stdout", "stderr")]
            files[0].write_text(stdin, encoding="utf-8")
            asked = {"arguments": arguments, "folder": str(folder), "environment": environment}
            code = self._code(self._ask(**asked, files=[str(each) for each in files]))
            out, err = (each.read_text(encoding="utf-8") for each in files[1:])
            return code, out, err

    def _code(self, pid: int) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while (code := self._ask(pid=pid)) is None:
            assert time.monotonic() < deadline, f"process {pid} hangs"
            time.sleep(LOOKS_S)
        return int(code)

    def _ask(self, **question: object) -> Any:
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@cache
def cli_forks() -> CliForks:
    """Return the one of this session."""
    return CliForks()


def _serve() -> None:
    _import_all()
    for line in sys.stdin:
        question = json.loads(line)
        answer = _ended(question["pid"]) if "pid" in question else _start(**question)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the pipe to the tests


def _import_all() -> None:
    from resumelog.infrastructure import cli
    from resumelog.infrastructure.storage import sqlite

    for package in (cli, sqlite):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _ended(pid: int) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _start(arguments: list[str], folder: str, environment: dict[str, str], files: list[str]) -> int:
    pid = os.fork()
    if not pid:
        code = 1
        try:
            _become(folder, environment, files)
            code = _main(arguments)
        except BaseException:  # noqa: BLE001 - the test sees it where it looks for errors
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def _become(folder: str, environment: dict[str, str], files: list[str]) -> None:
    """Be as a process that was just started in that folder, in a session of its own."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(files):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as it lives
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - as above


def _main(arguments: list[str]) -> int:
    """Run the command and end as the interpreter does; return its exit code."""
    from resumelog.infrastructure.cli import main

    sys.argv = ["resumelog", *arguments]
    sys.modules["__main__"].__package__ = None  # it is no `python -m` to whoever asks for its name
    try:
        main()
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    if code and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does at its end
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(bool(code))


if __name__ == "__main__":
    _serve()
