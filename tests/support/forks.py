"""Child processes that start at once: forked from one that has imported everything already.

`python -m support.forks` reads one JSON list a line: ["start", task, arguments, folder, environment,
traced] answers with a process id, ["wait", id] with an exit code (a signal's number below zero).
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from support.batch_tasks import BATCH_TASKS
from support.children import PATIENCE_S, child
from support.export_tasks import export_by
from support.fault_tasks import TASKS
from support.pilot_tasks import PILOT_TASKS
from support.pipeline_tasks import make_all_stages
from support.scene_tasks import SCENE_TASKS
from support.tracees import wait_for_tracer

A_DAY = "86400"


class Fork:
    """One child; what it tells stands in a file, so that it survives the child."""

    def __init__(self, ask: Callable[..., int], pid: int, told: Path) -> None:
        self.pid = pid
        self._ask, self.path = ask, told

    def wait(self) -> int:
        """Return the exit code; minus the signal's number where one ended it."""
        return self._ask("wait", self.pid)

    def told(self) -> list[str]:
        """Return the lines that it told; each was written when what it says was so."""
        return self.path.read_text().splitlines()

    def tells(self, line: str) -> None:
        """Return once it has told a line."""
        self._until(lambda: line in self.told())

    def tells_lines(self, count: int) -> None:
        """Return once it has told so many lines."""
        self._until(lambda: len(self.told()) >= count)

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, self.stderr()
            time.sleep(0.001)

    def stderr(self) -> str:
        """Return what it wrote to standard error."""
        return self.path.with_suffix(".err").read_text()

    def succeeded(self) -> list[str]:
        """Wait for its end, which must be a good one; return what it told."""
        code = self.wait()
        assert (code, self.stderr()) == (0, "")
        return self.told()


class Forks:
    """The process that others are forked from."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process
        self._number = 0

    def start(
        self,
        task: str,
        *arguments: object,
        folder: Path,
        traced: bool = False,
        **environment: str,
    ) -> Fork:
        """Start a task in a folder; one that is to be traced waits for its tracer."""
        self._number += 1
        told = folder / f"{task}-{self._number}.told"
        words = [str(argument) for argument in arguments]
        environment = {"RESUMELOG_LEASE_S": A_DAY, **environment}
        pid = self._ask("start", task, words, str(told), environment, traced)
        return Fork(self._ask, pid, told)

    def _ask(self, *question: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    """Start the process that others are forked from; end it."""
    with child(cwd=folder, module="support.forks") as process:
        yield Forks(process)


def serve() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        question, *words = json.loads(line)
        answer = _start(*words) if question == "start" else _wait(*words)
        print(answer, flush=True)  # noqa: T201 - the pipe to the test


def _start(
    task: str, arguments: list[str], told: str, environment: dict[str, str], traced: bool
) -> int:
    for path in (Path(told), Path(told).with_suffix(".err")):
        path.touch()  # it may be killed before it comes to that
    pid = os.fork()
    if not pid:
        code = 1
        try:
            _become(Path(told), environment)
            if traced:
                wait_for_tracer()
            others = {each.__name__: each for each in (export_by, make_all_stages)}
            (TASKS | BATCH_TASKS | SCENE_TASKS | PILOT_TASKS | others)[task](*arguments)
            code = 0
        except BaseException:  # noqa: BLE001 - the parent sees it in the file of errors
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def _become(told: Path, environment: dict[str, str]) -> None:
    os.chdir(told.parent)
    os.environ.update(environment)
    for path, number in ((told, 1), (told.with_suffix(".err"), 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)


def _wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    serve()
