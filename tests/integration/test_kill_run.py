"""kill -9 on `resumelog run`, a hundred and fifty times: no recorded scene is lost and none is made again.

RESUMELOG_TEST_SEED brings back the moments of a failure; they are printed with it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from support.cli import Cli, finished, wait_for
from support.logs import events_of

import resumelog
from resumelog import JobNotFound
from resumelog.domain.scene_events import SceneCompleted

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS = 50
SCENES = 40
SCENES_A_LIFE = 4
STARTING_SHARE, STARTING_S = 0.4, 0.6
IN_BETWEEN_S = 0.02
ENDS = 'echo "$1 $$" >> "ends-$2"; echo "made $1"'
WRITES = f'echo "clip $1" > "$3"; {ENDS}'


class Batches:
    """Batch after batch, each run by processes that are killed until one of them finishes it."""

    def __init__(
        self, folder: Path, *, artifacts: bool, workers: int, chance: random.Random
    ) -> None:
        self.cli = Cli(folder)
        self.cli.scenes(*range(SCENES))
        self.artifacts, self.workers, self.chance = artifacts, workers, chance
        self.kills = self.batch = 0
        self.recorded = Counter[str]()

    @property
    def ends(self) -> list[str]:
        """The scenes whose commands came to their end so far."""
        return [each.split()[0] for each in self.cli.lines(f"ends-{self.batch}")]

    def live(self, *, killed: bool) -> None:
        """Run the batch once, perhaps to a kill, and check what the log then says."""
        before = self.ends
        with self.cli.started(*self.arguments()) as process:
            if killed:
                self.wait_a_while(process, len(before))
                process.send_signal(signal.SIGKILL)
            code, _, err = finished(process)
        assert code in (0, -signal.SIGKILL), err
        self.kills += code == -signal.SIGKILL
        self.check(before)
        if code == 0:
            self.require_complete()
            self.batch, self.recorded = self.batch + 1, Counter[str]()

    def arguments(self) -> list[object]:
        name, job = str(self.batch), ["--project", f"reel-{self.batch}", "--stage", "video"]
        job += ["--workers", str(self.workers)]
        if not self.artifacts:
            return ["run", "scenes.jsonl", *job, "--", "sh", "-c", ENDS, "sh", "{id}", name]
        place = ["--artifact", f"clips-{name}/{{id}}.mp4"]
        command = ["sh", "-c", WRITES, "sh", "{id}", name, "{artifact}"]
        return ["run", "scenes.jsonl", *job, *place, "--", *command]

    def wait_a_while(self, process: subprocess.Popen[str], before: int) -> None:
        """Wait for a moment of the start, or in or between scenes."""
        if self.chance.random() < STARTING_SHARE:
            time.sleep(self.chance.uniform(0, STARTING_S))
            return
        wanted = before + self.chance.randint(1, SCENES_A_LIFE)
        wait_for(lambda: len(self.ends) >= wanted or process.poll() is not None, "the next scenes")
        time.sleep(self.chance.uniform(0, IN_BETWEEN_S))

    def check(self, before: list[str]) -> None:
        made_now = self.ends[len(before) :]
        assert not {*made_now} & {*self.recorded}, "a recorded scene was made again"
        now = self.completed()
        assert not self.recorded - now, "a recorded scene is lost"
        assert set(now.values()) <= {1}, "a scene is recorded twice"
        assert not now.keys() - {*self.ends}, "a scene is recorded that was not made"
        self.recorded = now

    def completed(self) -> Counter[str]:
        with resumelog.open(self.cli.folder / "resumelog.db") as log:
            try:
                events = events_of(log, f"reel-{self.batch}/video")
            except JobNotFound:
                events = []
        return Counter(event.scene for event in events if isinstance(event, SceneCompleted))

    def require_complete(self) -> None:
        every = [str(scene) for scene in range(SCENES)]
        assert self.recorded == Counter(every)
        if self.artifacts:
            made = {path.name for path in (self.cli.folder / f"clips-{self.batch}").iterdir()}
            assert made == {f"{scene}.mp4" for scene in every}


@pytest.mark.kills
@pytest.mark.parametrize(
    ("artifacts", "workers"),
    [(False, 1), (True, 1), (True, 4)],
    ids=["results", "artifacts", "artifacts by four workers"],
)
def test_fifty_kills_lose_no_recorded_scene_and_repeat_none(
    tmp_path: Path, artifacts: bool, workers: int
) -> None:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    chance = random.Random(f"{SEED} {artifacts} {workers}")
    batches = Batches(tmp_path, artifacts=artifacts, workers=workers, chance=chance)
    while batches.kills < KILLS:
        batches.live(killed=True)
    if batches.ends:
        batches.live(killed=False)
    assert batches.batch, "no batch came to its end"
