"""What a piece of work borrows, given back in order however the work ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from resumelog.application.errors import ReleaseFailed
from resumelog.application.export_options import require_function
from resumelog.application.ports import PARTIAL_MARK
from resumelog.application.releases import Failure, Releases

T = TypeVar("T")

logger = logging.getLogger("resumelog")


class Resources:
    """Temporary directories, files, context managers and callbacks, released when it is left.

    A higher `priority` is released first, and of one priority what came last. What fails stops
    none of the others, nor does Ctrl+C or SIGTERM; each is released once. All failures are logged,
    and told by notes on the exception that ended the work, else by ReleaseFailed. What comes while
    the others are released is released after them; later it is refused with ResourcesReleased.
    """

    def __init__(self, job: str = "", noted: Callable[[Path], object] | None = None) -> None:
        """Hold nothing yet; `noted` is told of each temporary directory."""
        self._job, self._noted = job, noted
        self._releases = Releases(job)

    def temporary_directory(
        self, prefix: str = "", *, within: str | Path | None = None, priority: int = 0
    ) -> Path:
        """Make a folder that goes with all that is in it; `within` another than the system's.

        What a SIGKILL leaves of an export's, the next worker on this machine removes.
        """
        stack = self._releases.add(f"temporary directory {prefix!r}", priority)
        parent = None if within is None else str(Path(within).absolute())
        folder = TemporaryDirectory(prefix=prefix + PARTIAL_MARK, dir=parent)
        path = Path(stack.enter_context(folder))
        if self._noted:
            self._noted(path)
        return path

    def open(
        self, path: str | Path, mode: str = "r", *, priority: int = 0, **options: Any
    ) -> IO[Any]:
        """Open a file as the built-in does, and close it; a failure to close it fails the work."""
        stack = self._releases.add(str(path), priority, of_work=True)
        return stack.enter_context(Path(path).open(mode, **options))

    def enter(self, resource: AbstractContextManager[T], *, priority: int = 0) -> T:
        """Enter a context manager, and leave it as `with` does; a failure in that fails the work.

        It sees the exception that ended the work, and can't suppress it.
        """
        stack = self._releases.add(type(resource).__name__, priority, of_work=True)
        return stack.enter_context(resource)

    def callback(
        self,
        function: Callable[..., object],
        /,
        *args: object,
        priority: int = 0,
        only_on_failure: bool = False,
    ) -> None:
        """Call a function at the end; with `only_on_failure` to roll back what was not finished."""
        require_function("callback", function)
        name = getattr(function, "__qualname__", repr(function))
        stack = self._releases.add(name, priority, only_on_failure=only_on_failure)
        stack.callback(function, *args)

    def finish(self) -> None:
        """Release all but the rollbacks, while the work can still be told as failed.

        Raises ReleaseFailed, or the interruption, if a file or a context manager failed: what they
        do at their end belongs to the work. Other failures wait for `release`.
        """
        self._releases.run(None, failed=None)
        if any(failure.of_work for failure in self._releases.failures):
            self._tell(None)

    def release(self, error: BaseException | None = None, *, failed: bool) -> None:
        """Release what is left, and tell all failures: on `error`, or by raising ReleaseFailed."""
        self._releases.run(error, failed=failed)
        self._tell(error)

    def __enter__(self) -> Self:
        """Return the resources themselves."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release everything; the work has failed where it raised, or where what it entered did."""
        with ExitStack() as stack:
            stack.push(lambda _, late, __: self.release(late or error, failed=bool(late or error)))
            if error is None:
                self.finish()

    def _tell(self, error: BaseException | None) -> None:
        failures, self._releases.failures = self._releases.failures, []
        for failure in failures:
            logger.warning("%s: not released: %s", self._job or "resources", failure)
        raised = _interruption(failures, error) or error
        if failures and raised is None:
            group = BaseExceptionGroup("not released", [one.error for one in failures])
            named = "; ".join(map(str, failures))
            raise ReleaseFailed(self._job, failures=named, count=len(failures)) from group
        for failure in failures:
            assert raised
            raised.add_note(f"not released: {failure}")
        if raised and raised is not error:
            raise raised


def _interruption(failures: list[Failure], error: BaseException | None) -> BaseException | None:
    """Return what interrupted a release, unless the work had been interrupted already."""
    if error is not None and not isinstance(error, Exception):
        return None
    errors = (failure.error for failure in failures)
    return next((error for error in errors if not isinstance(error, Exception)), None)
