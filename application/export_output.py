"""The output of an export: written beside its place, made durable, moved there, described."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resumelog.application.errors import NoOutput, OutputMissing
from resumelog.application.event_log import of
from resumelog.application.ports import Artifacts, InFlight
from resumelog.application.running import Running, Saved
from resumelog.domain.export_job import ExportJob, Report
from resumelog.domain.values import Artifact

OUTPUT = "output"

logger = logging.getLogger("resumelog")


class ExportOutput(ABC):
    """What a worker's handle on an export does with its output. `output_path` is absolute."""

    def __init__(
        self, running: Running[ExportJob], artifacts: Artifacts, output: Path | None
    ) -> None:
        """Take the job, and the path of its output, if it has one."""
        self._running, self._artifacts = running, artifacts
        self.output_path = output
        self._appended: Path | None = None
        self._left: str | None = None
        self._kept: Path | None = None
        self._began_at = 0.0
        self._is_noted = self._is_asked = False
        self._former: Path | None = None
        self._stood: tuple[int, ...] = ()
        self._placed: Artifact | None = None

    @abstractmethod
    def begin_again(self, reason: str) -> Saved:
        """Forget the progress."""

    def was_at(self, output: str) -> None:
        """Take the path of the output that the last attempt was to make, "" where there was none."""
        self._former = Path(output) if output else None

    def begins(self) -> None:
        """Look at what earlier attempts left, now that this one has begun."""
        former = self._former
        if former and former != self.output_path and former.parent.is_dir() and not former.is_dir():
            self._discard_kept_of(former)
        self._began_at = self._running.state.progress
        if self._running.claim is None:
            self.discard_kept()
        elif self.output_path and not self._began_at:
            self._stood = self._artifacts.stamp(self.output_path, patiently=True)

    def _lacks_output(self, *, is_again: bool) -> bool:
        """Tell whether a file was to be made, in this attempt or before one that goes on, and is not.

        A first attempt that asks for no temporary path may be one of a job that makes none.
        """
        was_to_be_made = is_again or self._is_asked
        return bool(self.output_path and was_to_be_made and not self.output_path.is_file())

    @property
    def title(self) -> str:
        """How messages name the job."""
        return self._running.state.title

    @property
    def artifact_path(self) -> Path | None:
        """Where the finished output is."""
        artifact = self._running.state.artifact
        return self._artifacts.path_of(artifact) if artifact else None

    @contextmanager
    def output(self, *, keep_partial: bool = False) -> Iterator[Path]:
        """Yield a temporary path; move it into place when the block ends without an error.

        What a kill leaves of it, the next worker removes: so it is empty in each attempt, and one that
        goes on with units left is warned of that. With `keep_partial`, for exporters that
        append, it stays until the job is completed, and is yielded again, unless the job is at 0: a
        kill may leave more in it than was saved, so cut it to what `cursor` says. It is made durable
        before each save. That of an imported job begins as a copy of the output that the old system
        left. Where an earlier attempt had written to it, and it is gone, the job begins again at 0 on
        entering this block; an exporter that writes only at its end goes on where it was. A worker that
        succeeds one which isn't known to be gone (it hung, or is on another machine) goes on with a copy
        under a new name, so that what the other one still writes does no harm.
        Raises OutputMissing where nothing was written, NotRunning where the export is completed
        already, and LeaseLost.
        """
        with self.beside_output(keep_partial=keep_partial) as partial:
            if not keep_partial:
                self._warn_of_emptiness()
            yield partial
            self.place(partial, self._final)

    def _warn_of_emptiness(self) -> None:
        """Tell an attempt that goes on, and has not made all yet, what it finds."""
        job = self._running.state
        if self._began_at and 0 < job.progress < 1:
            logger.warning(
                "%s: goes on at %.1f%%, and the path that `output()` gives is empty again: to go on"
                " within the file use `output(keep_partial=True)`, or keep what is done in pieces,"
                " files of their own",
                job.title,
                job.progress * 100,
                extra=of(job),
            )

    @contextmanager
    def beside_output(self, *, keep_partial: bool = False) -> Iterator[Path]:
        """Yield a temporary path as `output` does, and move nothing: `place` does."""
        final, self._is_asked = self._final, True
        partial = self._kept_partial(final) if keep_partial else self._artifacts.partial(final)
        self._left = None if keep_partial else str(partial)
        self._running.begun(InFlight(OUTPUT, 0, partial=self._left))
        self._appended = self._kept = partial if keep_partial else None
        try:
            yield partial
        finally:
            self._leave_partial(partial, keep_partial=keep_partial)

    def _leave_partial(self, partial: Path, *, keep_partial: bool) -> None:
        with self._running.lock:  # the throttle's timer may be about to sync it
            try:
                self._sync_appended()  # a fraction that the throttle kept is saved after this
            finally:
                self._appended = self._left = None
                if not keep_partial or self._running.state.artifact:
                    self._artifacts.discard(partial)
                self._running.ended(OUTPUT)

    def place(self, partial: Path, final: Path) -> None:
        """Make a file durable and move it into place. Raises LeaseLost: a successor's stays.

        One that is kept stays beside it until the job is completed: an attempt that ends in between
        is gone on with, and must not begin with nothing and put that over the output.
        """
        self._running.watch()
        if not partial.is_file():
            raise self.missing(final, partial)
        if partial == self._kept:
            partial = self._doubled(partial, final)
        self._placed = self._artifacts.commit(partial, final, self._running.watch)

    def missing(self, output: Path, written: Path) -> OutputMissing:
        """Return the error that no file was written where `output` was to be made of it."""
        why = ": what stands there is a folder" if written.is_dir() else ""
        if self._placed and not written.exists():
            why = ": it was put there, and was moved or removed since"
        return OutputMissing(self.title, output=f"{output}{why}")

    def doubt_partial(self) -> None:
        """Let the next attempt begin with an empty partial: this one may hold parts twice."""
        with self._running.lock:
            if self._appended:
                self._artifacts.note(self._appended, doubtful=True)
                self._is_noted = True

    def _doubled(self, partial: Path, final: Path) -> Path:
        beside = self._artifacts.partial(final)
        self._running.begun(InFlight(OUTPUT, 0, partial=str(beside)))
        self._artifacts.double(partial, beside)
        return beside

    def discard_kept(self) -> None:
        """Remove the partial of a job that is completed, also that of an attempt that was killed."""
        if self._kept and not self._appended:
            self._artifacts.discard(self._kept)
        if self.output_path and self.output_path.is_file() and not self._appended:
            self._discard_kept_of(self.output_path)

    def begun(self, group: int, started: int) -> None:
        """Note the process group that works on it: whoever takes over ends that before it begins.

        `started` is its leader's start time, as `Worker.started`. Raises LeaseLost.
        """
        self._running.begun(InFlight(OUTPUT, 0, group, started, self._left))

    def _require_made(self, path: Path) -> None:
        """Raise OutputMissing for no file, and for one that stood there before this job began."""
        if not path.is_file():
            raise self.missing(path, path)
        if not self.has_made(path):
            raise OutputMissing(self.title, output=f"{path} but the one that was there before")

    def has_made(self, path: Path) -> bool:
        """Tell whether a file stands there that is not the one from before this job began at 0."""
        if not path.is_file():
            return False
        is_old = self._stood and path == self.output_path
        return not (is_old and self._artifacts.stamp(path) == self._stood)

    def _settled(self, path: Path) -> Artifact:
        """Describe the output; the file that was just placed has been hashed already."""
        placed = self._placed
        if placed and self._artifacts.path_of(placed) == path and not self._artifacts.fault(placed):
            return placed
        return self._artifacts.settle(path)

    def _sync_appended(self) -> None:
        """What is said to be done is in the file that is appended to. Under the lock."""
        appended = self._appended
        if appended and appended.is_file():
            self._artifacts.sync(appended)
            if not self._is_noted:
                self._artifacts.note(appended, written=True)
                self._is_noted = True

    @property
    def _final(self) -> Path:
        if self.output_path is None:
            raise NoOutput(self.title)
        return self.output_path

    @property
    def _mark(self) -> str:
        return self._running.state.id.hex[:8]

    def _all_kept(self, final: Path) -> list[Path]:
        """Return where attempts may have kept what they wrote, the newest first.

        A first attempt has succeeded nobody, and need not look through the folder.
        """
        is_first = self._running.state.epoch <= 1
        later = [] if is_first else self._artifacts.kept(final, self._mark)
        return [*later, self._artifacts.partial(final, self._mark)]

    def _discard_kept_of(self, final: Path) -> None:
        for partial in self._all_kept(final):
            self._artifacts.discard(partial)

    def _kept_partial(self, final: Path) -> Path:
        partial, *_ = self._all_kept(final)
        state = self._running.state
        was_noted = self._began_at > 0 and not state.imported_from
        if state.progress:
            if self._artifacts.is_lost(partial, was_noted=was_noted):
                self.begin_again("what it had written is gone")
            elif self._artifacts.is_doubtful(partial):
                self.begin_again("what it had written may hold parts twice")
            state = self._running.state
        if state.report == Report(0.0):
            self._artifacts.discard(partial)
        partial = self._own(partial, final)
        self._artifacts.part(partial)
        if (
            state.report != Report(0.0) and state.imported_from
        ):  # the old system wrote to the output itself
            self._artifacts.begin_with(final, partial)
        self._artifacts.note(partial)
        self._is_noted = False
        return partial

    def _own(self, partial: Path, final: Path) -> Path:
        """Return a path that no earlier worker which may live knows, with what it had written."""
        claim = self._running.claim
        if claim is None or not claim.holder_may_live:
            return partial
        own = self._artifacts.partial(final, f"{self._mark}-{claim.epoch}")
        if own != partial:
            beside = self._artifacts.partial(final)
            self._running.begun(InFlight(OUTPUT, 0, partial=str(beside)))
            self._artifacts.take_over(partial, beside, own)
        return own
