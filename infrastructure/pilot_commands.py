"""The commands of a pilot.toml: run for one simulation, listened to, and ended when they should stop."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import NamedTuple

from resumelog.application.errors import CommandFailed, StoreError
from resumelog.application.step_context import StepContext
from resumelog.application.steps import StopAsked
from resumelog.domain.errors import BadInput
from resumelog.infrastructure.gate import Ended
from resumelog.infrastructure.pilot_placeholders import SIMULATION_ID, filled
from resumelog.infrastructure.relay import Relay
from resumelog.infrastructure.step_lines import StepLines, StepReport
from resumelog.infrastructure.streamed_commands import StreamedCommand

LOOK_EVERY_S = 0.25
"""So often a command's step is asked whether it should stop."""
SECRETS = ("RESUMELOG_TOKEN",)

logger = logging.getLogger("resumelog")


class StepCommand(NamedTuple):
    """A command of the file, ready to be filled in for a simulation."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    grace_s: float
    hurry: Event
    """Set where no command that should stop has any more time."""

    def run(
        self,
        simulation_id: str,
        context: StepContext | None = None,
        *,
        limit_s: float | None = None,
        reports: bool = False,
        **values: str,
    ) -> Ended:
        """Run it to its end. Raises CommandFailed after `limit_s`, StopAsked, LeaseLost.

        Without a step's context nobody asks it to stop. `reports`: it tells the step's progress.
        """
        values = {SIMULATION_ID: simulation_id, **values}
        argv = [filled(each, values) for each in self.argv]
        return _Run(self, context, limit_s, reports=reports).ended(argv, values)


class _Run:
    """One run of a command."""

    def __init__(
        self,
        command: StepCommand,
        context: StepContext | None,
        limit_s: float | None,
        *,
        reports: bool,
    ) -> None:
        self._command, self._context, self._limit_s = command, context, limit_s
        self._relay = Relay(logger.info, command.grace_s)
        self._lines = StepLines(reports=reports)
        self._began_at = self._look_at = time.monotonic()

    def ended(self, argv: list[str], values: Mapping[str, str]) -> Ended:
        streamed = StreamedCommand[StepReport](
            out=self._lines.hear,
            err=_ignored,
            heard=self._heard,
            tick=self._tick,
            is_patient=lambda: False,
        )
        environment = _environment(self._command, values, self._context)
        try:
            ended = streamed.run(argv, environment, self._began, str(self._command.folder))
        finally:
            if self._context:
                self._context.ended()
        if self._relay.is_asked:  # also with exit code 0: who stops is not done
            raise StopAsked
        return ended._replace(printed=self._lines.text)

    def _began(self, group: int, started: int) -> None:
        if self._context:
            self._context.began(group, started)
        self._relay.watch(group, started)

    def _heard(self, report: StepReport) -> None:
        assert self._context is not None
        try:
            self._context.progress(
                report.percent, report.message, resume_data=report.resume_data, **report.detail
            )
        except BadInput as error:
            logger.warning("a report of step %s is left out: %s", self._context.step, error)

    def _tick(self) -> None:
        if self._relay.is_asked and self._command.hurry.is_set():
            self._relay.ask(signal.SIGKILL)
        self._relay.press()
        now = time.monotonic()
        if self._limit_s is not None and now - self._began_at > self._limit_s:
            raise CommandFailed(why=f"it took longer than {self._limit_s:g} s")
        if self._context and not self._relay.is_asked and now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            with suppress(StoreError):  # the next look may see more
                if self._context.should_stop():
                    self._relay.ask(signal.SIGTERM)


def _ignored(_: bytes) -> None:
    """Of what a command says on standard error the end is kept anyway."""


def _environment(
    command: StepCommand, values: Mapping[str, str], context: StepContext | None
) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in SECRETS}
    env["PATH"] = search_path(env.get("PATH", os.defpath))
    told = {f"RESUMELOG_{name.upper()}": value for name, value in values.items()}
    if context:
        data = context.resume_data
        told["RESUMELOG_STEP"] = context.step
        told["RESUMELOG_ATTEMPT"] = str(context.attempt)
        told["RESUMELOG_RESUME_DATA"] = "" if data is None else json.dumps(data, ensure_ascii=False)
    return {**env, **command.environment, **told}


def search_path(path: str) -> str:
    """Let `python` be found without activating its environment: the Python at work here comes last."""
    return f"{path}{os.pathsep}{Path(sys.executable).parent}"
