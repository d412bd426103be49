"""An export under any sequence of commands."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from pydantic import JsonValue
from support import exports
from support.canonical import CLIP
from support.machine import NEWER, OFFSETS, Replaying
from support.strategies import JSON_VALUES

from resumelog.domain.export_events import Restarted
from resumelog.domain.export_job import ExportJob, Work
from resumelog.domain.values import Artifact, Attempt

FRACTIONS = st.one_of(
    st.floats(0, 1), st.sampled_from((0, 1, 0.5, -0.1, 1.2, float("nan"), 10**400))
)
COUNTS = st.one_of(st.none(), st.integers(-1, 5))
TOTALS = st.sampled_from((None, None, 4, 4, 4, 5, 0))


class ExportJobMachine(Replaying[ExportJob]):
    kind = ExportJob
    leaves = (Restarted,)

    def __init__(self) -> None:
        super().__init__()
        self.reached = 0.0

    @rule(
        ahead=NEWER,
        work=st.sampled_from((exports.WORK, exports.WORK, exports.OTHER_INPUT)),
        in_flight=st.sampled_from((None, ())),
        intact=st.booleans(),
        changed=st.sampled_from(("restart", "refuse")),
    )
    def begin(
        self,
        ahead: int,
        work: Work,
        in_flight: tuple[Attempt, ...] | None,
        intact: bool,
        changed: str,
    ) -> None:
        options = {"output_intact": intact, "on_changed_inputs": changed}
        epoch = self.live.epoch + ahead
        self.do(exports.begin(epoch, work=work, in_flight=in_flight, at=self.now, **options))

    @rule(progress=FRACTIONS, sha256=st.sampled_from(("ab" * 32, "cd" * 32)))
    def import_progress(self, progress: float, sha256: str) -> None:
        self.do(exports.import_progress(progress, sha256, at=self.now))

    @rule(offset=OFFSETS, progress=FRACTIONS, done=COUNTS, total=TOTALS, cursor=JSON_VALUES)
    def save(
        self, offset: int, progress: float, done: int | None, total: int | None, cursor: JsonValue
    ) -> None:
        epoch = self.live.epoch + offset
        self.do(exports.save(progress, done, total, cursor, epoch=epoch, at=self.now))

    @rule(offset=OFFSETS, progress=st.floats(0, 1))
    def save_more(self, offset: int, progress: float) -> None:
        more = self.live.progress + (1 - self.live.progress) * progress
        self.do(exports.save(min(more, 1.0), epoch=self.live.epoch + offset, at=self.now))

    @rule(offset=OFFSETS)
    def begin_again(self, offset: int) -> None:
        self.do(exports.begin_again(epoch=self.live.epoch + offset, at=self.now))

    @rule()
    def pause(self) -> None:
        self.do(exports.pause(at=self.now))

    @rule(offset=OFFSETS)
    def interrupt(self, offset: int) -> None:
        self.do(exports.interrupt(epoch=self.live.epoch + offset, at=self.now))

    @rule(offset=OFFSETS, error=st.sampled_from(("编码器崩溃", "")))
    def fail(self, offset: int, error: str) -> None:
        self.do(exports.fail(error, epoch=self.live.epoch + offset, at=self.now))

    @rule(offset=OFFSETS, artifact=st.sampled_from((None, CLIP)))
    def complete(self, offset: int, artifact: Artifact | None) -> None:
        self.do(exports.complete(artifact, epoch=self.live.epoch + offset, at=self.now))

    @rule()
    def restart(self) -> None:
        self.do(exports.restart(at=self.now))

    @invariant()
    def progress_is_a_fraction_that_falls_only_at_a_restart(self) -> None:
        restarted = any(isinstance(event, Restarted) for event in self.log[-3:])
        assert 0 <= self.live.progress <= 1
        assert restarted or self.live.progress >= self.reached
        self.reached = self.live.progress


TestExportJob = ExportJobMachine.TestCase
