"""Runs of scenes: what one adds to a durable save, sixteen at once, and a hundred thousand of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import JsonValue

import resumelog
from benchmarks.measuring import medians, show
from resumelog.application.scene import Scene
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import Outcome, SceneBatch
from resumelog.domain.values import Claim, Payload
from resumelog.infrastructure.bootstrap import ResumeLog

RUN = 300
WORKERS, SCENE_S, SLEPT = 16, 0.010, 3_000
SIZES = (100, 1_000, 10_000, 100_000)
SAVES = 200
MANY = SIZES[-1]
MEMORY_MB = 300
PEER = "one durable save of a result"


def measure() -> None:
    """Print all of it, in a folder of the current one."""
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        with resumelog.open(Path(folder) / "runs.db") as log:
            _one_worker(log, Path(folder))
            _many_workers(log, Path(folder))
        _sizes(Path(folder))
        _many_scenes(Path(folder))


def _one_worker(log: ResumeLog, folder: Path) -> None:
    numbers = iter(range(10**9))
    variants: dict[str, Callable[[], int]] = {
        "raw append + fsync": lambda: _synced(folder / "raw"),
        PEER: lambda: _completed(log, next(numbers)),
        "the same by a run, one worker": lambda: _run(log, next(numbers)),
    }
    measured = medians(variants)
    show(f"One of {RUN} scenes without any work", measured, PEER)
    _, save, run = measured.values()
    print(f"a run adds {(run - save) / save:.2f} of a save (budget: 1.5)")


def _many_workers(log: ResumeLog, folder: Path) -> None:
    numbers, pool = iter(range(10**9)), "a bare pool"
    variants: dict[str, Callable[[], int]] = {
        "raw append + fsync": lambda: _synced(folder / "raw"),
        pool: _slept,
        f"a run, {WORKERS} workers": lambda: _slept_by_a_run(log, next(numbers)),
    }
    measured = medians(variants, rounds=5)
    show(f"One of {SLEPT:,} scenes of {SCENE_S * 1e3:.0f} ms", measured, pool)
    _, bare, run = (SCENE_S / WORKERS / each for each in measured.values())
    print(f"a run reaches {run:.1%} of the ideal rate, a bare pool {bare:.1%} (budget: 90 %)")


def _slept() -> int:
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(time.sleep, [SCENE_S] * SLEPT):
            pass
    return SLEPT


def _slept_by_a_run(log: ResumeLog, number: int) -> int:
    batch = log.scenes.open("film", f"sixteen {number}", scenes=_scenes(SLEPT))
    assert batch.run(_sleeps, workers=WORKERS).is_complete
    return SLEPT


def _sizes(folder: Path) -> None:
    """Complete SAVES more scenes in batches of each size, in turns."""
    with resumelog.open(folder / "sizes.db") as log:
        batches = {size: _with_done(log, f"of {size}", size, size + 40 * SAVES) for size in SIZES}
        left = {size: batch.remaining() for size, batch in batches.items()}
        variants: dict[str, Callable[[], int]] = {
            f"one save with {size:,} scenes done": partial(_complete, batches[size], left[size])
            for size in SIZES
        }
        measured = medians(variants, rounds=25)
        show("One scene completed in a batch", measured, next(iter(variants)))
        for batch in batches.values():
            batch.leave("enough")


def _many_scenes(folder: Path) -> None:
    """Open, resume and go on with MANY scenes, each in a process of its own."""
    print(f"\n{MANY:,} scenes, each line a fresh process{'':<8}{'s':>10}{'peak MB':>12}")
    for task in ("open", "fill", "resume", "resume_after", "add"):
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.scenes", task, folder / "many.db"],
            check=True,
            capture_output=True,
            text=True,
        )
        print(told.stdout, end="")
    print(f"(budget: {MEMORY_MB} MB)")


def _task(task: str, path: Path) -> None:
    with resumelog.open(path) as log:
        start = time.perf_counter()
        title = TASKS[task](log)
        seconds = time.perf_counter() - start
    print(f"{title:<44}{seconds:>10.2f}{_peak_mb():>12.0f}")


def _peak_mb() -> float:
    """Return the most that this process has taken; ru_maxrss would be its parent's as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak_kb,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak_kb) / 1024


def _open(log: ResumeLog) -> str:
    with log.scenes.open("film", "many", scenes=_scenes(MANY)) as batch:
        assert batch.counts().remaining == MANY
    return "opened for the first time"


def _fill(log: ResumeLog) -> str:
    _with_done(log, "many", MANY, MANY + 1).leave("enough")
    _with_done(log, "after", MANY, MANY + 1, after="many").leave("enough")
    return "(filled, two stages)"


def _resume(log: ResumeLog, stage: str = "many", after: str | None = None) -> str:
    with log.scenes.open("film", stage, scenes=_scenes(MANY + 1), after=after) as batch:
        assert batch.counts().done == MANY
    return f"resumed{', with a stage before' if after else ''}"


def _add(log: ResumeLog) -> str:
    batch = log.scenes.open("film", "many", scenes=_scenes(MANY + 1))
    assert batch.run(_made).is_complete
    return f"scene {MANY + 1:,} added by a run"


TASKS: dict[str, Callable[[ResumeLog], str]] = {
    "open": _open,
    "fill": _fill,
    "resume": _resume,
    "resume_after": lambda log: _resume(log, "after", "many"),
    "add": _add,
}


def _with_done(
    log: ResumeLog, stage: str, done: int, total: int, after: str | None = None
) -> resumelog.Batch:
    """Return a batch in which so many are done, recorded a thousand in a transaction."""
    batch = log.scenes.open("film", stage, scenes=_scenes(total), after=after)
    state, at = log.log.recover(SceneBatch.named("film", stage)), log.clock.now()
    claim, keys = Claim(log.leases.worker, state.epoch), [*batch.plan][:done]
    for first in range(0, done, 1000):
        scenes = map(batch.scene, keys[first : first + 1000])
        made = [
            Outcome(scene.key, scene.fingerprint, 1, Payload.of(_made(scene))) for scene in scenes
        ]
        log.log.decide(state, partial(_record, made, batch.plan, claim, at))
    batch.is_asked_to_leave()  # which folds them
    return batch


def _record(
    made: Sequence[Outcome], plan: Plan, claim: Claim, at: datetime, state: SceneBatch
) -> Events:
    return state.record(made, plan, claim, at)


def _complete(batch: resumelog.Batch, left: object) -> int:
    for scene in (next(left) for _ in range(SAVES)):  # type: ignore[call-overload]
        batch.complete(scene, _made(scene))
    return SAVES


def _completed(log: ResumeLog, number: int) -> int:
    batch = log.scenes.open("film", f"saves {number}", scenes=_scenes(RUN))
    keys = [*batch.plan]
    for key in keys:
        batch.complete(key, {"script": key})
    batch.finish()
    return RUN


def _run(log: ResumeLog, number: int) -> int:
    batch = log.scenes.open("film", f"run {number}", scenes=_scenes(RUN))
    assert batch.run(_made).is_complete
    return RUN


def _synced(path: Path) -> int:
    import os

    with path.open("ab", buffering=0) as file:
        for _ in range(RUN):
            file.write(b"x" * 400)
            os.fsync(file.fileno())
    return RUN


def _made(scene: Scene) -> JsonValue:
    return {"script": scene.key}


def _sleeps(scene: Scene) -> JsonValue:
    time.sleep(SCENE_S)
    return _made(scene)


def _scenes(count: int) -> Sequence[JsonValue]:
    return [{"id": str(n), "text": f"第 {n} 场"} for n in range(count)]


if __name__ == "__main__":
    _task(sys.argv[1], Path(sys.argv[2]))
