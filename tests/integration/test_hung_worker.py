"""A worker that hung longer than its lease and comes back writes to nothing that its successor has."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from support.logs import Store, events_of

from resumelog import LeaseLost, ResumeLog
from resumelog.application.export import Export
from resumelog.domain.export_events import Completed, Restarted
from resumelog.infrastructure.artifacts import final_of

LEASE_S = 0.05


class Hung:
    """An attempt that kept `frames` and beats no more: by a SIGSTOP, as far as others can see."""

    def __init__(self, log: ResumeLog, output: Path, frames: bytes, progress: float = 0.5) -> None:
        self.stack = ExitStack()
        self.job: Export = self.stack.enter_context(log.exports.resume(output))
        self.partial = self.stack.enter_context(self.job.output(keep_partial=True))
        self.file = self.stack.enter_context(self.partial.open("ab"))
        self.writes(frames)
        if progress:
            self.job.save_progress(progress, cursor=len(frames))
        log.leases._stop.set()
        time.sleep(2 * LEASE_S)

    def writes(self, frames: bytes) -> None:
        self.file.write(frames)
        self.file.flush()

    def comes_back(self) -> None:
        """Write to the file that it has open and to its name, and try to put it in place."""
        self.writes(b"late ")
        with self.partial.open("ab") as file:
            file.write(b"later ")
        with pytest.raises(LeaseLost):
            self.job.place(self.partial, self.job.output_path or self.partial)
        with suppress(LeaseLost):
            self.stack.close()


@pytest.fixture
def hanging(store: Store) -> ResumeLog:
    return store.open(lease_s=LEASE_S)


def went_on(log: ResumeLog, output: Path, meanwhile: Callable[[], object]) -> bytes:
    """Append what is left, with something happening in between; return what was there before."""
    with log.exports.resume(output) as job, job.output(keep_partial=True) as partial:
        before = partial.read_bytes() if partial.exists() else b""
        assert final_of(partial) == output
        with partial.open("ab") as file:
            file.write(b"two ")
            file.flush()
            meanwhile()
            file.write(b"three")
    return before


def names(output: Path) -> list[str]:
    return sorted(path.name for path in output.parent.glob(f"*{output.stem}*"))


def test_its_successor_goes_on_with_a_copy_that_it_does_not_reach(
    hanging: ResumeLog, store: Store, output: Path
) -> None:
    hung = Hung(hanging, output, b"one ")
    log = store.open(lease_s=60)
    assert went_on(log, output, hung.comes_back) == b"one "
    assert output.read_bytes() == b"one two three"
    assert isinstance(events_of(log, str(output))[-1], Completed)
    with log.exports.resume(output) as job:
        assert job.is_completed
    assert names(output) == [output.name]


def test_at_0_its_successor_begins_with_nothing_under_another_name(
    hanging: ResumeLog, store: Store, output: Path
) -> None:
    hung = Hung(hanging, output, b"one ", progress=0.0)
    assert went_on(store.open(lease_s=60), output, hung.comes_back) == b""
    assert output.read_bytes() == b"two three"


def test_whoever_comes_after_the_successor_goes_on_with_its_copy(
    hanging: ResumeLog, store: Store, output: Path
) -> None:
    hung, log = Hung(hanging, output, b"one "), store.open(lease_s=60)
    with (
        suppress(KeyboardInterrupt),
        log.exports.resume(output) as job,
        job.output(keep_partial=True) as copied,
    ):
        copied.write_bytes(b"one and a half ")
        job.save_progress(0.75)
        raise KeyboardInterrupt
    assert went_on(log, output, hung.comes_back) == b"one and a half "
    assert output.read_bytes() == b"one and a half two three"
    assert names(output) == [output.name]


def test_a_copy_that_is_gone_begins_again(hanging: ResumeLog, store: Store, output: Path) -> None:
    hung, log = Hung(hanging, output, b"one "), store.open(lease_s=60)
    with (
        suppress(KeyboardInterrupt),
        log.exports.resume(output) as job,
        job.output(keep_partial=True) as copied,
    ):
        raise KeyboardInterrupt
    copied.unlink()
    assert went_on(log, output, hung.comes_back) == b""
    assert [e.reason for e in events_of(log, str(output)) if isinstance(e, Restarted)] == [
        "what it had written is gone"
    ]


def test_who_is_succeeded_while_its_file_is_hashed_moves_nothing(
    hanging: ResumeLog, store: Store, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, log = Hung(hanging, output, b"one "), store.open(lease_s=60)

    def hangs_meanwhile(_: Path) -> str:
        monkeypatch.undo()
        went_on(log, output, lambda: None)
        return "0" * 64

    monkeypatch.setattr("resumelog.infrastructure.artifacts.sha256_of", hangs_meanwhile)
    with pytest.raises(LeaseLost):
        hung.job.place(hung.partial, output)
    assert output.read_bytes() == b"one two three"
    with suppress(LeaseLost):
        hung.stack.close()


def test_a_worker_that_is_known_to_be_gone_leaves_its_file_itself(
    log: ResumeLog, output: Path
) -> None:
    inodes = []
    for _ in range(2):
        with (
            suppress(KeyboardInterrupt),
            log.exports.resume(output) as job,
            job.output(keep_partial=True) as partial,
        ):
            with partial.open("ab") as file:
                file.write(b"frames")
            job.save_progress(0.5)
            inodes.append((partial.name, partial.stat().st_ino))
            raise KeyboardInterrupt
    assert inodes[0] == inodes[1]
