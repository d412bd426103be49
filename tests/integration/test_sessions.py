"""A session is one attempt at a time, and may be another one afterwards."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from support.logs import events_of

from resumelog import ResumeLog
from resumelog.application.errors import SessionEntered
from resumelog.domain.export_events import Completed

NAME = "成片"


def enter(session: object) -> None:
    with session:  # type: ignore[attr-defined] # an ExportSession
        pass


def test_a_session_within_itself_is_refused_and_its_work_goes_on(log: ResumeLog) -> None:
    with (session := log.exports.resume(None, key=NAME)) as job:
        job.save_progress(0.1)
        with pytest.raises(SessionEntered, match=NAME):
            enter(session)
        assert job.save_progress(1.0, cursor="帧").on_disk
    assert isinstance(events_of(log, NAME)[-1], Completed)


def test_a_session_is_entered_once_more_after_it_was_left(log: ResumeLog) -> None:
    session = log.exports.resume(None, key=NAME)
    for attempt in (1, 2, 3):
        with suppress(ValueError), session as job:
            assert job.resources.temporary_directory().is_dir()
            job.save_progress(attempt / 10)
            raise ValueError("编码器")
    with session as job:
        assert job.progress == 0.3
        job.complete()
    assert isinstance(events_of(log, NAME)[-1], Completed)


def test_on_a_loop_it_is_refused_and_entered_once_more_as_well(log: ResumeLog) -> None:
    told: list[float] = []
    session = log.exports.resume(None, key=NAME, on_progress=lambda f: told.append(f.fraction))

    async def attempts() -> None:
        with suppress(ValueError):
            async with session as job:
                with pytest.raises(SessionEntered):
                    async with session:
                        pass
                await job.save_progress(0.5)
                raise ValueError("编码器")
        async with session as job:
            assert job.progress == 0.5
            await job.save_progress(0.75)
            await job.complete()

    asyncio.run(attempts())
    assert told == [0.0, 0.5, 0.5, 0.75, 1.0]


def test_a_log_that_was_closed_meanwhile_has_given_the_lease_back(
    log: ResumeLog, other: ResumeLog, caplog: pytest.LogCaptureFixture
) -> None:
    ended = KeyboardInterrupt()
    with suppress(KeyboardInterrupt), log.exports.resume(None, key=NAME):
        log.close()
        raise ended
    assert "its record was not saved" in ended.__notes__[0]
    assert [line for line in caplog.messages if "not given back" in line] == []
    with other.exports.resume(None, key=NAME):
        """At once: nobody holds it."""
