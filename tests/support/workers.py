"""What the child processes of tests do: `python -m support.workers TASK ARGUMENTS`."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.listed_logs import begun, lengthen
from support.logs import scenes

import resumelog
from resumelog import Batch, NotSaved, ResumelogError
from resumelog.infrastructure.cli.display import Display
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


<<<<<<< HEAD
=======
def close_under_readers(database: str) -> None:
    """Close a log while sixteen threads read it."""
    log = resumelog.open(database)
    with log.exports.resume("成片.mp4") as job:
        for unit in range(20):
            job.save_progress(units_done=unit + 1, units_total=20)
    reading = threading.Barrier(17)

    def read() -> None:
        reading.wait()
        try:
            while True:
                log.queries.jobs()
        except Exception as closed:
            if "the log is closed" not in str(closed):
                raise

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    reading.wait()
    log.close()
    for thread in threads:
        thread.join()
    tell("closed")


def list_and_append(database: str, name: str) -> None:
    """Bring the list of jobs up to date and write one more job of many events, for ever."""
    with resumelog.open(database) as log:
        tell("ready")
        for number in range(10**6):
            log.queries.jobs(limit=1)
            key = f"{name}-{number}"
            lengthen(log, begun(log, key), 300)
            tell(key)


>>>>>>> main
def fork(database: str) -> None:
    """Use a log in a child of this process, then go on with it here."""
    with resumelog.open(database) as log, log.exports.resume("成片.mp4") as job:
        job.save_progress(0.25)
        child = os.fork()
        if not child:
            try:
                job.save_progress(0.5)
            except ResumelogError as error:
                tell(type(error).__name__)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        job.save_progress(0.75)
        tell(job.progress)


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
        tell(SceneWorker(batch, {}, display).work(retry_failed=False).name)


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
        fork,
        full_disk,
        export_on_a_full_disk,
        interrupted_between,
    )
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
