"""Run the pipeline, kill it three times at random moments, start it again: supervise.py DIR SEED."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, NamedTuple

import resumelog

REEL = Path(__file__).resolve().with_name("reel.py")
JOBS = {"reel/image": "pictures", "reel/video": "clips", "reel.mp4": "fades"}
STEPS = 12 * len(JOBS)
KILLS, GAP, UNTOUCHED = 3, 3, 6
"""Two kills are more than GAP steps apart, and UNTOUCHED steps are left after the last one."""
DELAY_S, PATIENCE_S, POLL_S = 0.3, 300.0, 0.1
START = time.monotonic()

Pipeline = subprocess.Popen[bytes]


class Stand(NamedTuple):
    """What the log says: steps on record, the job in work if there is one, and all versions."""

    done: dict[str, int]
    running: str
    versions: dict[str, int]

    @property
    def steps(self) -> int:
        """Count what is on record, over all jobs."""
        return sum(self.done.values())

    def __str__(self) -> str:
        """Return it for people."""
        counts = ", ".join(f"{self.done.get(job, 0)} {what}" for job, what in JOBS.items())
        return f"{self.steps} of {STEPS} steps ({counts})"


def stand() -> Stand:
    """Return what the log says now."""
    try:
        with resumelog.open("jobs.db", must_exist=True) as log:
            views = log.queries.jobs()
    except resumelog.StoreError:
        views = []  # the pipeline has not made it yet
    running = "".join(view.name for view in views if view.status == "running")
    done = {view.name: view.done or 0 for view in views}
    return Stand(done, running, {view.name: view.version for view in views})


def say(text: str) -> None:
    """Print a line with the time."""
    print(f"{time.monotonic() - START:5.1f} s  {text}", flush=True)


def note(what: str, **facts: Any) -> None:
    """Write down what the supervisor did, for the proof."""
    fact = {"at": datetime.now(UTC).isoformat(), "what": what, **facts}
    with Path("supervisor.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(fact) + "\n")


@contextmanager
def running() -> Iterator[Pipeline]:
    """Start the pipeline in a session of its own; it ends with the block at the latest."""
    command = [sys.executable, str(REEL), "."]
    with Path("pipeline.log").open("ab") as log:
        pipeline = subprocess.Popen(
            command, stdin=DEVNULL, stdout=PIPE, stderr=log, start_new_session=True
        )
    try:
        yield pipeline
    finally:
        if pipeline.poll() is None:
            os.killpg(pipeline.pid, signal.SIGTERM)
            pipeline.communicate(timeout=PATIENCE_S)


def wait_until(fact: Callable[[], bool], pipeline: Pipeline, what: str) -> None:
    """Wait until something is so; give up where the pipeline ends first."""
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        if pipeline.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{what} never came; exit code {pipeline.returncode}, see pipeline.log")
        time.sleep(POLL_S)


def has_members(group: int) -> bool:
    """Tell whether a process group is still there."""
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def kill(pipeline: Pipeline) -> None:
    """Kill the whole process group; its standard output closes once all of it is gone."""
    os.killpg(pipeline.pid, signal.SIGKILL)
    pipeline.communicate(timeout=PATIENCE_S)
    if pipeline.returncode != -signal.SIGKILL:
        sys.exit(f"the pipeline ended by itself, with exit code {pipeline.returncode}")


def begun_only() -> dict[int, str]:
    """Return the attempts that were begun and have not ended, by process group, as noted."""
    diary = Path("made.jsonl")
    lines = diary.read_text(encoding="utf-8").splitlines() if diary.exists() else []
    notes = [json.loads(line) for line in lines]
    ended = {each["pid"] for each in notes if each["what"] == "ended"}
    return {each["group"]: each["scene"] for each in notes if each["pid"] not in ended}


def kill_at(steps: int, delay_s: float, pipeline: Pipeline, name: str) -> tuple[Stand, set[int]]:
    """Kill while a job is in work, a little after so many steps; return the stand and orphans."""
    before = begun_only()
    wait_until(lambda: stand().steps >= steps, pipeline, name)
    time.sleep(delay_s)
    wait_until(lambda: stand().running != "", pipeline, name)
    kill(pipeline)
    hit, left = stand(), begun_only()
    note("kill", running=hit.running, steps=hit.steps)
    say(f"{name}  at {hit}; SIGKILL to the process group {pipeline.pid}")
    orphans = {group for group in left.keys() - before.keys() if has_members(group)}
    for group in orphans - {pipeline.pid}:
        say(f"        the command at '{left[group]}' lives on as an orphan, group {group}")
    return hit, orphans - {pipeline.pid}


def tell_takeover(hit: Stand, orphans: set[int], pipeline: Pipeline) -> None:
    """Say how the successor took over, in the log's own words."""
    job = hit.running
    if not job:
        return  # the kill hit the moment between two jobs
    before = hit.versions[job]
    wait_until(lambda: stand().versions[job] > before, pipeline, "the takeover")
    with resumelog.open("jobs.db", must_exist=True) as log:
        events = log.queries.history(log.queries.find(job))
        word = next(event for event in events if event.originator_version > before)
    cause = word.model_dump().get("cause", type(word).__name__)
    say(f"start   {job} goes on after {hit.done[job]} of 12; the log: {cause}")
    for group in orphans:
        fate = "was ended by the successor" if group in begun_only() else "ended by itself"
        say(f"        the orphan {fate}; no record, so its scene is made again")


def finish(pipeline: Pipeline, what: str) -> None:
    """Wait for a pipeline that nobody kills."""
    pipeline.communicate(timeout=PATIENCE_S)
    if pipeline.returncode:
        sys.exit(f"{what} failed with exit code {pipeline.returncode}, see pipeline.log")
    say(f"{what}: {stand()}")


def kill_moments(rng: random.Random) -> list[int]:
    """Return after how many recorded steps to kill: spread over all of the work but its end."""
    last = STEPS - UNTOUCHED - GAP * (KILLS - 1)
    return [pick + GAP * at for at, pick in enumerate(sorted(rng.sample(range(1, last), KILLS)))]


def supervise(rng: random.Random) -> None:
    """Start and kill, start to the end, then start once more for nothing."""
    hit, orphans, moments = Stand({}, "", {}), set[int](), kill_moments(rng)
    say(f"start   kills are due after {moments} of {STEPS} recorded steps")
    for number, steps in enumerate(moments, 1):
        with running() as pipeline:
            tell_takeover(hit, orphans, pipeline)
            due, delay_s = max(steps, hit.steps + 1), rng.uniform(0, DELAY_S)
            hit, orphans = kill_at(due, delay_s, pipeline, f"kill {number}")
    with running() as pipeline:
        tell_takeover(hit, orphans, pipeline)
        finish(pipeline, "the end")
    note("again")
    with running() as pipeline:
        finish(pipeline, "started once more")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    try:
        supervise(random.Random(int(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(130)
