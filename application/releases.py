"""Releases in their order: each once, none held up by another, all failures kept."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple

from resumelog.application.errors import ResourcesReleased
from resumelog.domain.values import error_text


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """What one resource needs at its end; `of_work`: a failure in that is one of the work."""

    name: str
    priority: int
    only_on_failure: bool
    of_work: bool
    stack: ExitStack


class Failure(NamedTuple):
    """A release that raised, or an interruption between two."""

    name: str
    error: BaseException
    of_work: bool

    def __str__(self) -> str:
        """Name what was not released, and why."""
        return f"{self.name}: {error_text(self.error)}"


class Releases:
    """Higher priorities first, and of one priority what came last.

    Each is an ExitStack of its own, which runs what it holds once, so that one that was interrupted
    can be left again: whatever it had not come to is made up for.
    """

    def __init__(self, job: str) -> None:
        """Hold nothing yet; `job` is named in errors."""
        self._job = job
        self._left: dict[Release, None] = {}
        self._is_over = False
        self.failures: list[Failure] = []

    def add(
        self, name: str, priority: int, *, only_on_failure: bool = False, of_work: bool = False
    ) -> ExitStack:
        """Return the stack to put one resource on, registered before anything is on it.

        So no interrupt comes between a resource and its release. Raises ResourcesReleased.
        """
        if self._is_over:
            raise ResourcesReleased(self._job, name=name)
        release = Release(name, priority, only_on_failure, of_work, ExitStack())
        self._left[release] = None
        return release.stack

    def run(self, error: BaseException | None, *, failed: bool | None) -> None:
        """Release all that is there; `failed` is None while that is open: rollbacks wait."""
        try:
            while self._run_round(error, failed):
                pass
        except BaseException as interrupt:  # noqa: BLE001 - it came between two; the rest is due
            self.failures.append(Failure("the release", interrupt, of_work=False))
            self.run(error, failed=failed)

    def _run_round(self, error: BaseException | None, failed: bool | None) -> bool:
        """Tell whether there was anything: what came meanwhile, or failed, makes another round."""
        pending, stack = self._pending(failed), ExitStack()
        for release in pending:
            stack.callback(self._run_one, release, error)
        stack.close()
        return bool(pending)

    def _pending(self, failed: bool | None) -> list[Release]:
        """Return what is to be released, the last one first, as a stack is filled."""
        pending = [one for one in [*self._left] if failed or not one.only_on_failure]
        self._is_over = not pending and failed is not None
        return sorted(pending, key=lambda one: one.priority)

    def _run_one(self, release: Release, error: BaseException | None) -> None:
        try:
            release.stack.__exit__(type(error) if error else None, error, _traceback(error))
            self._left.pop(release, None)
        except BaseException as failure:  # noqa: BLE001 - told once all others are released
            if failure is not error:
                self.failures.append(Failure(release.name, failure, release.of_work))


def _traceback(error: BaseException | None) -> TracebackType | None:
    return error.__traceback__ if error else None
