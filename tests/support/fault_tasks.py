"""What the child processes of the fault tests do; each tells a line once a save has returned."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from support.canonical import claim
from support.logs import scenes
from support.media_tasks import export_media
from support.scenes import begin, done, record

import resumelog
from resumelog import ResumeLog, Scene
from resumelog.application.errors import Contended, StoreUnavailable
from resumelog.domain.export_job import ExportJob, Report, Work
from resumelog.domain.scene_batch import SceneBatch

Result = TypeVar("Result")

EXPORT = ExportJob.named("成片")
BATCH = SceneBatch.named("电影", "分镜")
UNITS = 6
CHECKPOINTS_S = 0.1
SCRIPT = os.urandom(4096).hex()
"""A result that is more than 4 KB when it is compressed."""


def tell(*words: object) -> None:
    """Write one line in one system call."""
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def every_kind_of_save(database: str) -> None:
    """Go on with an export, two scenes in one transaction and a checkpoint, from where they are."""
    with resumelog.open(database) as log, log.exports.resume("成片.mp4", key="成片") as export:
        tell("begun")
        for unit in export.remaining(UNITS):
            if unit >= 2:
                _two_scenes(log)
                tell("scenes")
            export.save_progress(units_done=unit + 1)
            tell("unit", unit)
            if unit == 3:
                with closing(sqlite3.connect(database)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    tell("closed")


def _two_scenes(log: ResumeLog) -> None:
    """Record two scenes with 4 KB each in one transaction, unless that was done before."""
    batch = log.log.recover(SceneBatch.named(*BATCH.natural_key))
    if not batch.version:
        log.log.decide(batch, begin(1))
    log.log.decide(batch, record(*(done(key, result=SCRIPT) for key in ("s1", "s2"))))


def many_saves(database: str, sessions: str, saves: str) -> None:
    """Save from three threads, amid checkpoints, and close and open the log again, `sessions` times.

    Tells the stream and the version of every event that a save has put on disk.
    """
    for session in range(int(sessions)):
        with resumelog.open(database) as log, checkpoints(database):
            work: tuple[Callable[..., None], ...] = (_units, _units, _scenes)
            threads = [
                threading.Thread(target=task, args=(log, f"{session % 2}-{number}", int(saves)))
                for number, task in enumerate(work)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()


@contextmanager
def checkpoints(database: str) -> Iterator[None]:
    """Move what was saved into the database again and again, as the store does at greater length."""
    over = threading.Event()

    def move() -> None:
        with closing(sqlite3.connect(database)) as connection:
            while not over.wait(CHECKPOINTS_S):
                connection.execute("PRAGMA wal_checkpoint(RESTART)")

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _units(log: ResumeLog, key: str, saves: int) -> None:
    with log.exports.resume(f"{key}.mp4", key=key) as export:
        done = export.units_done
        for unit in range(done, done + saves):
            saved = insisted(export.save_progress, units_done=unit + 1, units_total=10_000)
            tell(saved.events[-1].originator_id.hex, saved.events[-1].originator_version)


def _scenes(log: ResumeLog, key: str, saves: int) -> None:
    plan = scenes(*range(saves * 10))
    with log.scenes.open(key, "分镜", scenes=plan, on_save_error="raise") as batch:
        for scene, _ in zip(batch.remaining(), range(saves), strict=False):
            insisted(batch.begun, scene)
            saved = insisted(batch.complete, scene, os.urandom(2048).hex())
            tell(saved.events[-1].originator_id.hex, saved.events[-1].originator_version)


def scenes_through_errors(database: str, saves: str) -> None:
    """Save scenes, each once more where it is refused."""
    with resumelog.open(database) as log:
        _scenes(log, "电影", int(saves))


def insisted(save: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
    """Save, and once more where that is refused."""
    with suppress(StoreUnavailable):
        return save(*arguments, **options)
    return save(*arguments, **options)


def save_again_when_refused(database: str) -> None:
    """Make the units; where a save is refused, tell that and save it again."""
    with resumelog.open(database) as log, log.exports.resume("成片.mp4", key="成片") as export:
        for unit in range(UNITS):
            try:
                export.save_progress(units_done=unit + 1, units_total=UNITS)
            except StoreUnavailable as error:
                tell("refused", unit, error)
                export.save_progress(units_done=unit + 1, units_total=UNITS)
            tell("unit", unit)


def leave_when_refused(database: str, total: str, cursor_chars: str = "1") -> None:
    """Make the units that are left; where a save is refused, be gone with nothing more."""
    with resumelog.open(database) as log, log.exports.resume("成片.mp4", key="成片") as export:
        for unit in export.remaining(int(total)):
            try:
                export.save_progress(units_done=unit + 1, cursor="帧" * int(cursor_chars))
            except StoreUnavailable as error:
                tell("refused", unit, error)
                os._exit(3)
            tell("unit", unit)


def hold_when_refused(database: str) -> None:
    """Make scenes whose saves are held where they are refused."""
    with (
        resumelog.open(database) as log,
        log.scenes.open("电影", "分镜", scenes=scenes(*range(UNITS))) as batch,
    ):
        for scene in batch.remaining():
            tell(scene.key, batch.complete(scene, "剧本" * 2000).on_disk)


def run_over_scenes(database: str) -> None:
    """Run over what is left of a batch with one worker; tell each scene as its function is called."""

    def function(scene: Scene) -> str:
        tell(scene.key, scene.attempt)
        return "剧本"

    with resumelog.open(database) as log:
        log.scenes.open(*BATCH.natural_key, scenes=scenes(*range(1, UNITS + 1))).run(function)


WORK = Work("导出", "/srv/成片.mp4", "1" * 64)
BY = claim(1)


def contend(database: str, key: str, saves: str) -> None:
    """Save on a stream of its own, and every fifth time on one that all processes share."""
    own, shared = ExportJob.named(key), ExportJob.named("共")
    with resumelog.open(database) as log:
        for job in (own, shared):
            _insist(log, job, lambda job: job.begin(WORK, BY, datetime.now(UTC)))
        for number in range(int(saves)):
            _insist(log, own if number % 5 else shared, _one_more)
    tell("saved")


def _one_more(job: ExportJob) -> Any:
    """Save the unit after the last, whoever made that."""
    report = Report(0.0, (job.report.units_done or 0) + 1, 100_000, None)
    return job.save_progress(report, BY, datetime.now(UTC))


def _insist(log: ResumeLog, job: ExportJob, command: Callable[[ExportJob], Any]) -> None:
    """Decide again as often as the others win."""
    for _ in range(1000):
        with suppress(Contended):
            log.log.decide(job, command)
            return
    raise AssertionError("the others won a thousand times in a row")


def close_under_readers(database: str) -> None:
    """Close a log while sixteen threads read it; tell what they saw, by the name of its class."""
    log = resumelog.open(database)
    reading, seen = threading.Barrier(17), set[str]()

    def read() -> None:
        reading.wait()
        try:
            for _ in count():
                log.queries.jobs()
        except BaseException as error:  # noqa: BLE001 - the test looks at every one
            seen.add(type(error).__name__)

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    reading.wait()
    log.close()
    for thread in threads:
        thread.join()
    tell(*sorted(seen))


def clean(database: str) -> None:
    """Clean a log."""
    with resumelog.open(database) as log:
        tell("ready")
        report = log.clean(timedelta(0))
        tell(report.payloads, report.files)


def _tasks() -> Iterator[Callable[..., None]]:
    yield from (every_kind_of_save, many_saves, scenes_through_errors, save_again_when_refused)
    yield from (leave_when_refused, hold_when_refused, contend, close_under_readers)
    yield from (export_media, clean, run_over_scenes)


TASKS = {task.__name__: task for task in _tasks()}
