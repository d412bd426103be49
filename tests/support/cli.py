"""The installed command line in processes of its own, as people run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue
from support.cli_forks import AT_START, cli_forks
from support.logs import events_of
from support.terminals import Terminal, shown_in_a_terminal

import resumelog
from resumelog.domain.events import DomainEvent

RESUMELOG = Path(sys.executable).with_name("resumelog")
PATIENCE_S = 120.0
"""After so long a process is taken for hung; nothing is measured against it."""
A_DAY = "86400"
ABOUT_TERMINALS = {"COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE"}

JOB = "reel/video"
SCENES = "scenes.jsonl"
RECORDS = ("sh", "-c", 'echo "$1" >> ran; echo "made $1"', "sh", "{id}")
"""A command that notes each of its runs in the file `ran`."""


class Ran(NamedTuple):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Cli:
    """`resumelog` in one folder, whose scenes and log it uses unless told otherwise."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        inherited = {name: os.environ[name] for name in os.environ.keys() - ABOUT_TERMINALS}
        self.environment = {**inherited, "RESUMELOG_LEASE_S": A_DAY, **environment}

    def __call__(self, *arguments: object, stdin: str = "", through: Sequence[str] = ()) -> Ran:
        """Run it to its end, perhaps through another program."""
        if not (through or self._is_set_up_at_start()):
            words = [*map(str, arguments)]
            return Ran(*cli_forks().ran(words, self.folder, self.environment, stdin))
        with self.started(*arguments, through=through, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(stdin, timeout=PATIENCE_S)
        return Ran(process.returncode, out, err)

    def run(self, *command: object, options: Sequence[object] = (), source: str = SCENES) -> Ran:
        """Run a command for each scene."""
        return self(*line(*command, options=options, source=source))

    @contextmanager
    def started(
        self,
        *arguments: object,
        through: Sequence[str] = (),
        stdin: int = subprocess.DEVNULL,
        terminal: int | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """Start it in a session of its own, perhaps on a terminal; kill what is left at the end."""
        with subprocess.Popen(
            [*through, RESUMELOG, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdin=terminal or stdin,
            stdout=terminal or subprocess.PIPE,
            stderr=terminal or subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def _is_set_up_at_start(self) -> bool:
        """Tell whether its environment has what a process only looks at when it starts."""
        differs = {*self.environment.items()} ^ {*os.environ.items()}
        return any(name.startswith(AT_START) for name, _ in differs)

    def in_terminal(self, *arguments: object) -> AbstractContextManager[Terminal]:
        """Run it in a new terminal."""
        return shown_in_a_terminal([RESUMELOG, *arguments], self.folder, self.environment)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file as it is."""
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / name).write_bytes(data)

    def scenes(self, *ids: object, **fields: JsonValue) -> None:
        """Write one scene an id to the default INPUT."""
        lines = (json.dumps({"id": str(key), **fields}, ensure_ascii=False) for key in ids)
        self.write(SCENES, "".join(f"{each}\n" for each in lines))

    def events(self, job: str = JOB) -> list[DomainEvent]:
        """Return every event of a job, as another reader of the log sees them."""
        with resumelog.open(self.folder / "resumelog.db", must_exist=True) as log:
            return events_of(log, job)

    def names(self, job: str = JOB) -> list[str]:
        """Return the names of a job's events, oldest first."""
        return [type(event).__name__ for event in self.events(job)]

    def files(self) -> dict[str, bytes | None]:
        """Return every file with its content, and every folder."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else None
            for path in sorted(self.folder.rglob("*"))
        }

    def lines(self, name: str) -> list[str]:
        """Return what commands appended to a file so far."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


def line(*command: object, options: Sequence[object] = (), source: str = SCENES) -> list[object]:
    """Return the arguments that run a command for each scene of the default job."""
    project, stage = JOB.split("/")
    return ["run", source, "--project", project, "--stage", stage, *options, "--", *command]


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def finished(process: subprocess.Popen[str]) -> Ran:
    """Wait for the end of what was started."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ran(process.returncode, out, err)


def require_one_line(ran: Ran, why: str, codes: Sequence[int] = (2,)) -> None:
    """Expect one line that says what to do, and nothing else."""
    assert "Traceback" not in ran.err, ran.err
    assert re.fullmatch(r"resumelog: .+\n", ran.err), ran.err
    assert re.search(why, ran.err), ran.err
    assert ran.code in codes, ran
    assert not ran.out, ran.out


def require_refused(cli: Cli, arguments: Sequence[object], why: str) -> None:
    """Expect that line, exit code 2, and every file as it was."""
    before = cli.files()
    require_one_line(cli(*arguments), why)
    after = cli.files()
    assert after == before, after.keys() ^ before.keys()
