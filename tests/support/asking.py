"""Who asks a real server, by the command line, for a run that stays in its first step."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.cli import PATIENCE_S, Cli, wait_for
from support.pilots import HEAD, Piloted, processes_in, work
from support.served import Served, serving

SIM = "village"
TOKEN = "t0ken"
KNOWN = HEAD.replace('"any"', '{ folder = "sims" }')
HELD = "echo x >> begun; echo progress 40 drawing; until test -e go; do sleep 0.05; done"


class Asking:
    """Who asks the server from another folder, so that nothing comes from its log."""

    def __init__(self, folder: Path, served: Served) -> None:
        (folder / "elsewhere").mkdir()
        self.host, self.process, self.url = folder, *served
        self.cli = Cli(folder / "elsewhere", RESUMELOG_TOKEN=TOKEN)

    def line(self, verb: str, *more: object) -> list[object]:
        return ["pilot", verb, SIM, *more, "--server", self.url]

    def told(self, verb: str, *more: object) -> str:
        """Return what a command that went well told on standard output."""
        ran = self.cli(*self.line(verb, *more))
        assert (ran.code, ran.err) == (0, "")
        assert not self.cli.files()
        return ran.out

    def status(self, verb: str = "status", *more: object) -> str:
        return str(json.loads(self.told(verb, *more, "--json"))["status"])

    def begun(self) -> int:
        """Return how often the command of the first step began."""
        path = self.host / "begun"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def hold(self) -> None:
        """Configure and start the run, and wait until it is in its first step."""
        self.told("config", "auto")
        assert self.told("start").startswith("village: active")
        wait_for(self.begun, "the command")

    def commands(self) -> list[str]:
        """Return the command lines of what the service runs now."""
        return [line for line in processes_in(self.host).values() if "begun" in line]

    def end(self, number: signal.Signals) -> None:
        """End the service, and wait until it has."""
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)

    def let_go(self) -> None:
        (self.host / "go").touch()


@contextmanager
def held(folder: Path) -> Iterator[Asking]:
    """Serve a run that stays in its first step until there is a file `go`."""
    Piloted(folder, work("draw", HELD), work("print", "true"), head=KNOWN)
    (folder / "sims" / SIM).mkdir(parents=True)
    try:
        with serving(folder, "--pilot", "pilot.toml", RESUMELOG_TOKEN=TOKEN) as served:
            yield Asking(folder, served)
    finally:
        (folder / "go").touch()  # a command that a killed service has left ends as well
