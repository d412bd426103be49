"""What counts when a lease is taken is the log under it, not what was planned before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import pytest
from support.logs import Store, make_scenes, names_of, scenes

from resumelog import ResumeLog, SceneBatches
from resumelog.application.job_list import JobList
from resumelog.application.running import Running
from resumelog.domain.errors import LeaseLost
from resumelog.domain.events import Events
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import Claim
from resumelog.infrastructure.artifacts import FileArtifacts
from resumelog.infrastructure.signals import termination
from resumelog.infrastructure.storage.leases import TableLeases

NAME = "电影/分镜"
THREE = scenes(1, 2, 3)


class Late(TableLeases):
    """Gets a lease only after something else has happened."""

    def __init__(self, log: ResumeLog, meanwhile: Callable[[], object]) -> None:
        super().__init__(log.leases.table, log.leases.lease_s)
        self._meanwhile = meanwhile

    def acquire(self, stream: UUID, job: str, floor: int, *, force: bool = False) -> Claim:
        self._meanwhile()
        return super().acquire(stream, job, floor, force=force)


def test_scenes_that_another_worker_made_meanwhile_with_other_params_are_made_again(
    log: ResumeLog, other: ResumeLog, store: Store
) -> None:
    def meanwhile() -> None:
        make_scenes(other.scenes.open("电影", "分镜", scenes=THREE, params={"style": "水墨"}))

    with closing(Late(log, meanwhile)) as leases:
        late = SceneBatches(
            log.log,
            JobList(log.log, log.view),
            leases,
            log.clock,
            FileArtifacts(store.root),
            termination(),
        )
        batch = late.open("电影", "分镜", scenes=THREE, params={"style": "油画"})
        assert make_scenes(batch) == ["1", "2", "3"]


def test_a_begin_that_fails_leaves_what_was_in_flight_to_the_next_worker(
    log: ResumeLog, other: ResumeLog
) -> None:
    first = log.scenes.open("电影", "分镜", scenes=THREE)
    first.begun(first.scene("3"))
    log.leases.table.leave(log.leases.holder_id)

    def fails_with_the_lease(batch: SceneBatch, by: Claim) -> Events:
        if by.in_flight is not None:
            raise ZeroDivisionError
        return batch.begin(first.plan, by, other.clock.now())

    state = SceneBatch.named("电影", "分镜")
    running = Running(other.log, other.leases, other.clock, state)
    with pytest.raises(ZeroDivisionError):
        running.begin(fails_with_the_lease)
    with other.scenes.open("电影", "分镜", scenes=THREE) as batch:
        assert batch.cut_off == ("3",)
    assert "Interrupted" in names_of(log, NAME)


def test_who_is_succeeded_while_it_begins_is_told_which_job_that_is(
    log: ResumeLog, other: ResumeLog
) -> None:
    first = log.scenes.open("电影", "分镜", scenes=THREE)
    log.leases.table.leave(log.leases.holder_id)

    def is_succeeded(batch: SceneBatch, by: Claim) -> Events:
        if by.in_flight is not None:
            log.leases.acquire(batch.id, batch.title, 0, force=True)
        return batch.begin(first.plan, by, other.clock.now())

    state = SceneBatch.named("电影", "分镜")
    first.begun(first.scene("3"))
    with pytest.raises(LeaseLost) as lost:
        Running(other.log, other.leases, other.clock, state).begin(is_succeeded)
    assert lost.value.job == state.title
