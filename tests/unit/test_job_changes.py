"""A row of the list of jobs says what the state says, event by event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from eventsourcing.cipher import AESCipher
from eventsourcing.utils import Environment
from support import exports, scenes
from support.listed import job_view
from support.scenario import history, nothing_yet
from support.stories import KINDS, copy_of, stories

from resumelog.application.errors import DamagedView
from resumelog.application.job_changes import evolve, is_listed
from resumelog.application.job_row import DAMAGED, JobRow
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.events import DomainEvent, topics
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch
from resumelog.infrastructure.cli import reading
from resumelog.infrastructure.storage.stored_jobs import job_row, stored


def row_of(events: Iterable[DomainEvent], row: JobRow | None = None) -> JobRow:
    for event in events:
        row = evolve(row, event, event.originator_version + 100)
    assert row
    return row


@pytest.mark.parametrize("topic", sorted(topics()))
def test_every_event_of_the_catalogue_is_known_to_the_list(topic: str) -> None:
    assert is_listed(topics()[topic])


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_says_what_the_state_says_after_each_event(kind: type[EventSourced]) -> None:
    for story in (stories()[kind], copy_of(kind)):
        state, row = kind(story[0].originator_id), None
        for event in story:
            row = evolve(row, event, event.originator_version)
            assert row.view() == job_view(state.fold([event])), repr(event)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_goes_on_from_a_stored_row(kind: type[EventSourced]) -> None:
    story = stories()[kind]
    for cut in range(1, len(story)):
        kept = job_row(stored(row_of(story[:cut]), None), None)
        assert row_of(story[cut:], kept) == row_of(story), f"stored after event {cut}"


def test_encrypted_facts_belong_to_their_own_row() -> None:
    cipher = AESCipher(Environment("", {"CIPHER_KEY": AESCipher.create_key(32)}))
    row, other = row_of(stories()[ExportJob]), row_of(copy_of(ExportJob))
    assert job_row(stored(row, cipher), cipher) == row
    moved: Any = (*stored(other, cipher)[:-1], stored(row, cipher)[-1])
    with pytest.raises(DamagedView, match="it was encrypted for another place"):
        job_row(moved, cipher)


@pytest.mark.parametrize("kind", KINDS)
def test_events_that_a_row_has_seen_change_nothing(kind: type[EventSourced]) -> None:
    story = stories()[kind]
    once = row_of(story)
    assert row_of(story, row_of(story)) == once


def test_a_batch_remembers_no_more_than_the_scenes_that_failed() -> None:
    outcomes = scenes.done("s1"), scenes.failed("s2"), scenes.done("s3")
    row = row_of(history(SceneBatch, scenes.begin(), scenes.record(*outcomes)))
    assert row.failed_scenes == {"s2"}


def test_a_gap_in_a_stream_damages_its_row_from_there_on() -> None:
    first, _, third, *later = stories()[SceneBatch]
    row = row_of([first, third, *later])
    assert (row.status, row.version) == (DAMAGED, later[-1].originator_version)
    assert "version 3 follows version 1" in row.error
    assert row.total == 3


def test_a_stream_that_begins_late_is_damaged() -> None:
    _, second, *_ = stories()[SceneBatch]
    row = row_of([second])
    assert (row.status, row.name, row.kind) == (DAMAGED, str(row.id), "SceneBatch")


def test_an_origin_heals_a_damaged_row() -> None:
    commands = exports.begin(), exports.save(0.5), exports.restart(), exports.begin(3)
    story = history(ExportJob, *commands)
    whole = ExportJob(story[0].originator_id).fold(story)
    assert row_of([story[0], *story[2:]]).view() == job_view(whole)


def test_a_row_knows_the_lists_of_the_command_line() -> None:
    statuses = [status for kind in KINDS for status in type(nothing_yet(kind).status)]
    assert {*reading.STATUSES} == {*map(str, statuses), DAMAGED}
    assert {*reading.KINDS} == {kind.kind for kind in (ExportJob, SceneBatch, AutoPilotRun)}
