"""What the child processes of tests do: `python -m support.workers TASK ARGUMENTS`."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import resource
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.persistence import StoredEvent
from support.listed_logs import begun, lengthen
from support.logs import scenes

import resumelog
from resumelog import Batch, NotSaved, ResumelogError, Scene
from resumelog.infrastructure.cli.display import Display
from resumelog.infrastructure.cli.recipe import Recipe
from resumelog.infrastructure.cli.worker import SceneWorker


def tell(*words: object) -> None:
    """Write one line that the parent can rely on."""
    print(*words, flush=True)  # noqa: T201 - the pipe to the parent


def export(database: str, output: str, total: str) -> None:
    """Make all units that are left; tell each once its save has returned."""
    with resumelog.open(database) as log, log.exports.resume(output) as job:
        for unit in job.remaining(int(total)):
            job.save_progress(units_done=unit + 1, cursor={"帧": "🎬" * (unit % 50)})
            tell(unit)
        Path(output).write_bytes(b"frames")


def stage(database: str, total: str) -> None:
    """Make all scenes that are left; tell each once its save has returned."""
    with (
        resumelog.open(database) as log,
        log.scenes.open("电影", "分镜", scenes=scenes(*range(int(total)))) as batch,
    ):
        for scene in batch.remaining():
            batch.begun(scene)
            batch.complete(scene, scene.key * 700)
            tell(scene.key)


def die_at(database: str, key: str, total: str, *fails: str) -> None:
    """Make scenes in order, and be gone without a word in the middle of one."""
    with resumelog.open(database) as log:
        batch = log.scenes.open("电影", "分镜", scenes=scenes(*range(1, int(total) + 1)))
        for scene in batch.remaining():
            batch.begun(scene)
            if scene.key == key:
                tell("at", key)
                sys.stdin.read()
            elif scene.key in fails:
                batch.fail(scene, "渲染失败")
            else:
                batch.complete(scene, f"《{scene.key}》")


def list_and_append(database: str, name: str) -> None:
    """Bring the list of jobs up to date and write one more job of many events, for ever."""
    with resumelog.open(database) as log:
        tell("ready")
        for number in range(10**6):
            log.queries.jobs(limit=1)
            key = f"{name}-{number}"
            lengthen(log, begun(log, key), 300)
            tell(key)


def fork(database: str) -> None:
    """Use a log in a child of this process, then go on with it here."""
    with resumelog.open(database) as log, log.exports.resume("成片.mp4") as job:
        job.save_progress(units_done=1, units_total=4)
        child = os.fork()
        if not child:
            try:
                job.save_progress(units_done=2, units_total=4)
            except ResumelogError as error:
                tell(type(error).__name__)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        job.save_progress(units_done=3, units_total=4)
        tell(job.progress)


def close_in_a_fork(url: str) -> None:
    """Close a log in a child of this process; tell the connection of this one before and after."""
    with resumelog.open(url) as log:
        datastore = getattr(log.log.factory, "datastore")  # noqa: B009 - a PostgreSQL factory's
        for _ in range(2):
            with datastore.get_connection() as connection:
                tell(connection.execute("SELECT pg_backend_pid() AS pid").fetchone()["pid"])
            if not (child := os.fork()):
                log.close()
                os._exit(0)
            os.waitpid(child, 0)


def interrupted_saves(database: str, seed: str, rounds: str) -> None:
    """Save beside another thread, with an interrupt at a random moment of each save; tell what was lost."""
    chance, acknowledged = random.Random(seed), list[tuple[str, int]]()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    with resumelog.open(database) as log:
        recorder, enough = log.log.recorder, threading.Event()

        def save(stream: str, version: int, count: int) -> None:
            numbers = range(version, version + count)
            recorder.insert_events([StoredEvent(stream, n, "topic", b"{}") for n in numbers])
            acknowledged.extend((stream, n) for n in numbers)

        def save_beside() -> None:
            for version in itertools.takewhile(lambda _: not enough.is_set(), itertools.count(1)):
                save("beside", version, 1)

        beside = threading.Thread(target=save_beside)
        beside.start()
        for number in range(int(rounds)):
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 6e-4))
                save(f"stream {number}", 1, 1 + number % 2)
                signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        enough.set()
        beside.join()
        save("after", 1, 1)
    with contextlib.closing(sqlite3.connect(database)) as found:
        there = {*found.execute("SELECT originator_id, originator_version FROM stored_events")}
    tell(len(acknowledged), len({*acknowledged} - there))


class AtTheStart(Display):
    """Is there when Ctrl+C is pressed before the first scene."""

    @contextmanager
    def showing(self, *arguments: Any) -> Iterator[None]:
        with super().showing(*arguments):
            signal.raise_signal(signal.SIGINT)
            yield


def interrupted_between(database: str) -> None:
    """Run scenes whose jobs there are none of, and press Ctrl+C before the first."""
    with resumelog.open(database) as log:
        batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2))
        display = AtTheStart("电影/分镜", verbose=False, wants_json=False)
        tell(SceneWorker(batch, Recipe(("true",)), {}, display, str).work().name)


def limit_files(limit: int) -> None:
    """Let no file of this process grow beyond `limit` bytes, as on a full disk."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))


def fill_disk(database: str) -> None:
    """Let the log of this process not grow any more."""
    limit_files(Path(f"{database}-wal").stat().st_size)


def full_disk(database: str, on_save_error: str, frees: str) -> None:
    """Complete scene 1, fill the disk, complete 2 and 3, and 4 once it was freed, if it is."""
    with resumelog.open(database) as log:
        batch = log.scenes.open(
            "电影",
            "分镜",
            scenes=scenes(*range(1, 5)),
            on_save_error="raise" if on_save_error == "raise" else "continue",
        )
        try:
            with batch:
                complete_on_a_full_disk(batch, database, frees=frees == "freed")
        except ResumelogError as error:
            waiting = error.count if isinstance(error, NotSaved) else 0
            tell(json.dumps([type(error).__name__, waiting, str(error)]))


def run_on_a_full_disk(database: str) -> None:
    """Make scenes; the disk is full while 2 and 3 are made."""

    def made(scene: Scene) -> str:
        if scene.key == "2":
            fill_disk(database)
        if scene.key == "4":
            limit_files(resource.RLIM_INFINITY)
        return "剧本" * 2000

    with resumelog.open(database) as log:
        log.scenes.open("电影", "分镜", scenes=scenes(*range(1, 5))).run(made)


def nobody_leaves(database: str, closes: str) -> None:
    """Complete scenes on a full disk; leave no batch, and close the log or not."""
    log = resumelog.open(database)
    batch = log.scenes.open("电影", "分镜", scenes=scenes(*range(1, 5)))
    complete_on_a_full_disk(batch, database, frees=False)
    if closes == "closed":
        log.close()


def complete_on_a_full_disk(batch: Batch, database: str, *, frees: bool) -> None:
    """Tell of each save whether it is on disk and how many wait."""
    for scene in batch.remaining():
        if scene.key == "2":
            fill_disk(database)
        if scene.key == "4" and frees:
            limit_files(resource.RLIM_INFINITY)
        saved = batch.complete(scene, "剧本" * 2000)
        tell(json.dumps([scene.key, saved.on_disk, saved.held]))


def export_on_a_full_disk(database: str) -> None:
    """Save two units of an export, fill the disk, save another."""
    with resumelog.open(database) as log:
        try:
            with log.exports.resume("成片.mp4", key="成片") as job:
                for unit in job.remaining(4):
                    if unit == 2:
                        fill_disk(database)
                    job.save_progress(units_done=unit + 1, cursor="帧" * 5000)
        except ResumelogError as error:
            tell(json.dumps([type(error).__name__, getattr(error, "__notes__", [])]))


TASKS = {
    task.__name__: task
    for task in (
        export,
        stage,
        die_at,
        list_and_append,
        interrupted_saves,
        fork,
        close_in_a_fork,
        full_disk,
        nobody_leaves,
        run_on_a_full_disk,
        export_on_a_full_disk,
        interrupted_between,
    )
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
