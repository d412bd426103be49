"""What is true of a stream of any kind."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from support import runs, scenes
from support.canonical import DIGEST, NOW, later
from support.exports import ExportCommand, begin, complete, fail, interrupt, restart, save
from support.exports import pause as pause_export
from support.scenario import Command, given, history, nothing_yet, refusal, when
from support.stories import KINDS, copy_of, imported, one_of_each, payloads_removed, stories

from resumelog.domain.aggregate import ORIGIN_TOPICS, EventSourced, draft, stream_id
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.errors import (
    AlreadyRecorded,
    BadInput,
    BadKey,
    BrokenStream,
    NotFinished,
    NotJson,
    Refused,
)
from resumelog.domain.events import (
    DomainEvent,
    Forked,
    Imported,
    PayloadsRemoved,
    event_class,
    kinds,
    topics,
)
from resumelog.domain.export_job import ExportJob, ExportStatus
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import ERROR_BYTES_MAX

every_kind = pytest.mark.parametrize("kind", KINDS)
Kind = type[EventSourced]


@every_kind
def test_the_same_natural_key_finds_the_same_stream(kind: Kind) -> None:
    assert nothing_yet(kind).id == nothing_yet(kind).id


def test_stream_ids_are_part_of_the_storage_format() -> None:
    assert stream_id("ExportJob", ["成片🎬.mp4"]) == UUID("bd130cad-c291-52f5-9fe6-f57059e95788")


def test_composed_and_decomposed_letters_name_the_same_stream() -> None:
    assert ExportJob.named("cafe\u0301").id == ExportJob.named("caf\u00e9").id


def test_kinds_with_the_same_key_are_different_streams() -> None:
    assert len({stream_id(kind.kind, ["a"]) for kind in KINDS}) == len(KINDS)


def test_the_parts_of_a_key_are_kept_apart() -> None:
    assert stream_id("SceneBatch", ["a", "b,c"]) != stream_id("SceneBatch", ["a,b", "c"])


@pytest.mark.parametrize("key", ["", "x" * 513, "a\nb", "a\x00", "a\x7f", "\ud800", None, 7])
def test_a_key_that_can_name_nothing_is_refused(key: object) -> None:
    with pytest.raises(BadKey, match="the key"):
        ExportJob.named(key)


@every_kind
def test_folding_in_parts_is_folding_at_once(kind: Kind) -> None:
    story, half = stories()[kind], len(stories()[kind]) // 2
    at_once = kind(story[0].originator_id).fold(story)
    assert kind(story[0].originator_id).fold(story[:half]).fold(story[half:]) == at_once


@every_kind
def test_a_state_knows_when_it_last_began_anew_and_when_it_last_changed(kind: Kind) -> None:
    story = stories()[kind]
    state = kind(story[0].originator_id).fold(story)
    begun = [event for event in story if isinstance(event, kind.origins)] or [story[0]]
    assert (state.created_at, state.modified_at) == (begun[-1].timestamp, story[-1].timestamp)
    assert state.version == len(story)


@every_kind
@pytest.mark.parametrize("lost", [0, 2])
def test_a_stream_with_a_missing_event_is_not_folded(kind: Kind, lost: int) -> None:
    story = stories()[kind]
    with pytest.raises(BrokenStream, match="follows"):
        nothing_yet(kind).fold((*story[:lost], *story[lost + 1 :]))


@every_kind
def test_events_are_numbered_from_the_next_version_on(kind: Kind) -> None:
    state = nothing_yet(kind).fold(stories()[kind])
    a_draft = draft(PayloadsRemoved, stream_kind=kind.kind, reason="", actor="")
    events = state.new(NOW, a_draft, a_draft)
    assert [event.originator_version for event in events] == [state.version + 1, state.version + 2]
    assert {event.originator_id for event in events} == {state.id}


def test_times_are_recorded_in_utc() -> None:
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    (event, *_) = when(given(ExportJob), begin(at=beijing))
    assert event.timestamp == NOW
    assert event.timestamp.utcoffset() == timedelta(0)


@pytest.mark.parametrize("actor", ["\ud800", None, 7])
def test_text_that_cannot_be_stored_is_refused(actor: Any) -> None:
    job = given(ExportJob, begin())
    assert issubclass(refusal(job, pause_export(actor=actor))[0], BadInput)


LONG = "长" * 9000
TEXTS: dict[str, tuple[Kind, tuple[Command[Any], ...]]] = {
    "why an export pauses": (ExportJob, (begin(), pause_export(LONG))),
    "why an export is interrupted": (ExportJob, (begin(), interrupt(LONG))),
    "why an export failed": (ExportJob, (begin(), fail(LONG))),
    "why an export restarts": (ExportJob, (begin(), restart(LONG))),
    "why a batch pauses": (SceneBatch, (scenes.begin(), scenes.pause(LONG))),
    "why a batch is interrupted": (SceneBatch, (scenes.begin(), scenes.interrupt(cause=LONG))),
    "why a batch reopens": (SceneBatch, (scenes.begin(), scenes.stop(), scenes.reopen(LONG))),
    "why a run pauses": (AutoPilotRun, (*runs.WORKING, runs.pause(LONG))),
    "a run's message": (AutoPilotRun, (*runs.WORKING, runs.save(1, message=LONG))),
    "why a poll failed": (AutoPilotRun, (*runs.WORKING, runs.poll_failed(error=LONG))),
    "why a step failed": (AutoPilotRun, (*runs.WORKING, runs.fail_step(error=LONG))),
}


@pytest.mark.parametrize(("kind", "commands"), TEXTS.values(), ids=TEXTS)
def test_long_text_is_cut_with_a_mark(kind: Kind, commands: tuple[Command[Any], ...]) -> None:
    text = history(kind, *commands)[-1].model_dump_json()
    assert "[cut, 27000 bytes in all]" in text
    assert len(text.encode()) < ERROR_BYTES_MAX + 1024


@every_kind
def test_an_import_begins_a_stream(kind: Kind) -> None:
    (event,) = when(nothing_yet(kind), imported())
    assert isinstance(event, Imported)
    assert (event.source, event.sha256, event.recorded_at) == ("/旧/state.json", DIGEST, NOW)
    assert event.recorded == {"progress": 0.25, "标题": "旧档 📼", "note": None}
    assert kind(event.originator_id).fold((event,)) == given(kind, imported())


@every_kind
def test_the_same_file_is_imported_once(kind: Kind) -> None:
    assert when(given(kind, imported()), imported("/elsewhere")) == ()


@every_kind
def test_another_file_is_not_imported_onto_a_stream(kind: Kind) -> None:
    again = imported(sha256="0" * 64)
    assert refusal(given(kind, imported()), again) == (AlreadyRecorded, {"version": 1})


def test_what_is_imported_is_json() -> None:
    recorded: Any = {"progress": float("nan")}
    job = given(ExportJob)
    refused = refusal(job, lambda state: state.import_from("f", DIGEST, NOW, recorded=recorded))
    assert refused[0] is NotJson


@every_kind
def test_a_fork_is_the_same_history_under_another_key(kind: Kind) -> None:
    story, copy = stories()[kind], copy_of(kind)
    key = tuple(f"{part}-副本" for part in nothing_yet(kind).natural_key)
    state = kind(copy[0].originator_id).fold(copy)
    assert (state.natural_key, state.id) == (key, kind.named(*key).id)
    assert [type(event) for event in copy] == [*map(type, story), Forked]
    assert [event.originator_version for event in copy] == [*range(1, len(story) + 2)]


@every_kind
def test_a_fork_names_the_event_where_it_left_its_source(kind: Kind) -> None:
    story, *_, fork = stories()[kind], *copy_of(kind)
    assert isinstance(fork, Forked)
    assert (fork.from_stream, fork.from_version) == (story[-1].originator_id, len(story))


def forked(*past: ExportCommand) -> ExportJob:
    copy = ExportJob.named("副本")
    return copy.fold(copy.fork(history(ExportJob, *past), "小王", later(9)))


def test_a_fork_of_work_that_was_going_on_is_at_rest_because_of_the_fork() -> None:
    job = forked(begin(), save(0.5))
    assert (job.status, job.progress) == (ExportStatus.INTERRUPTED, 0.5)
    assert isinstance(job.decided_by["status"], Forked)


def test_a_fork_of_finished_work_is_finished() -> None:
    assert forked(begin(), complete()).status is ExportStatus.COMPLETED


def test_a_fork_of_work_that_has_not_begun_has_not_begun() -> None:
    assert forked(begin(), restart()).status is ExportStatus.IDLE


def test_a_fork_goes_its_own_way() -> None:
    job = forked(begin(), save(0.5))
    assert [event.originator_id for event in when(job, begin(2))] == [ExportJob.named("副本").id]


@every_kind
def test_nothing_is_forked_onto_a_stream_that_has_events(kind: Kind) -> None:
    story = stories()[kind]
    refused = refusal(given(kind, imported()), lambda state: state.fork(story, "小王", NOW))
    assert refused == (AlreadyRecorded, {"version": 1})


@pytest.mark.parametrize("cut", [slice(0, 0), slice(1, None)], ids=["no event", "not the first"])
def test_only_a_history_from_its_first_event_on_is_forked(cut: slice) -> None:
    story = stories()[ExportJob][cut]
    error, _ = refusal(given(ExportJob), lambda state: state.fork(story, "小王", NOW))
    assert issubclass(error, Refused)


def test_the_payloads_of_a_finished_job_are_given_up() -> None:
    job = given(ExportJob, begin(), complete())
    removed = draft(PayloadsRemoved, stream_kind="ExportJob", reason="磁盘满了 💾", actor="小王")
    assert when(job, payloads_removed()) == job.new(NOW, removed)


def test_payloads_are_given_up_once() -> None:
    job = given(ExportJob, begin(), complete(), payloads_removed())
    assert when(job, payloads_removed("again")) == ()


@every_kind
def test_the_payloads_of_an_unfinished_job_stay(kind: Kind) -> None:
    state = given(kind, imported())
    data = {"command": "remove payloads", "status": state.status}
    assert refusal(state, payloads_removed()) == (NotFinished, data)


def test_a_topic_belongs_to_one_class() -> None:
    with pytest.raises(TypeError, match=r"resumelog\.Imported belongs to Imported"):
        type("Another", (DomainEvent,), {}, topic="resumelog.Imported")


def test_a_topic_of_nobody_is_unknown() -> None:
    with pytest.raises(KeyError):
        event_class("os.system")


@pytest.mark.parametrize("topic", sorted(topics()))
def test_an_event_is_frozen_and_takes_no_other_field(topic: str) -> None:
    event = next(event for event in one_of_each() if topic == event.TOPIC)
    with pytest.raises(ValidationError, match="frozen"):
        event.epoch = 9  # type: ignore[misc]
    with pytest.raises(ValidationError, match="extra"):
        type(event).model_validate({**dict(event), "unheard_of": 1})


def test_stores_find_the_origins_of_every_kind() -> None:
    origins = {event.TOPIC for kind in kinds().values() for event in kind.origins}
    assert origins == {*ORIGIN_TOPICS}
