"""Scenes with results of 4 KB: what their saves write, and how fast ten thousand are resumed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

import resumelog
from benchmarks.measuring import medians, show
from resumelog.domain.scene_batch import Outcome, SceneBatch
from resumelog.domain.values import Claim, Payload
from resumelog.infrastructure.bootstrap import ResumeLog

SAVED, RESUMED = 1_000, 10_000
RESULT_CHARS = 1_365  # 4 KB of UTF-8
CHARACTERS = [chr(0x4E00 + 7 * n) for n in range(2_500)]
PEER = "json.load of the snapshot file"


def measure(folder: Path) -> None:
    """Print the bytes that SAVED scenes write, and the time to resume RESUMED of them."""
    _written(folder)
    _resumed(folder)


def _written(folder: Path) -> None:
    results = _results(SAVED)
    size = sum(len(text.encode()) for text in results)
    before = _bytes_written()
    with (
        resumelog.open(folder / "written.db") as log,
        log.scenes.open("film", "storyboard", scenes=_scenes(SAVED)) as batch,
    ):
        for scene, result in zip(batch.remaining(), results, strict=True):
            batch.complete(scene, result)
    after = _bytes_written()
    print(f"\n{SAVED} scenes, one commit each, and the checkpoints; {size:,} bytes of results")
    for name in before:
        written = after[name] - before[name]
        print(f"/proc/self/io {name:<30}{written:>12,}{written / size:>21.2f} × the results")


def _resumed(folder: Path) -> None:
    scenes, results = _scenes(RESUMED), _results(RESUMED)
    snapshot = folder / "storyboard_progress.json"
    entries = [{"scene": each, "script": text} for each, text in zip(scenes, results, strict=True)]
    snapshot.write_text(json.dumps({"storyboard_results": entries}, ensure_ascii=False))
    with resumelog.open(folder / "resumed.db") as log:
        _complete(log, scenes, results)
    variants: dict[str, Callable[[], int]] = {
        PEER: lambda: _loaded(snapshot),
        "resumelog: open, recover, what is done": lambda: _recovered(folder / "resumed.db"),
        "resumelog: and begin, with all inputs hashed": lambda: _reopened(
            folder / "resumed.db", scenes
        ),
        "resumelog: and every result streamed": lambda: _streamed(folder / "resumed.db", scenes),
    }
    show(f"Resume of {RESUMED} scenes", medians(variants), PEER)


def _complete(log: ResumeLog, scenes: list[JsonValue], results: list[str]) -> None:
    """Complete all but the last scene in a few transactions, as the batch's worker."""
    batch = log.scenes.open("film", "storyboard", scenes=scenes)
    begun = [batch.scene(key) for key in batch.plan]
    outcomes = [
        Outcome(scene.key, scene.fingerprint, 1, Payload.of(text))
        for scene, text in zip(begun[:-1], results, strict=False)
    ]
    state, at = log.log.recover(SceneBatch.named("film", "storyboard")), log.clock.now()
    claim = Claim(log.leases.worker, state.epoch)
    log.log.decide(state, lambda state: state.record(outcomes, batch.plan, claim, at))
    batch.leave("enough")


def _loaded(snapshot: Path) -> int:
    with snapshot.open(encoding="utf-8") as file:
        assert len(json.load(file)["storyboard_results"]) == RESUMED
    return 1


def _recovered(path: Path) -> int:
    with resumelog.open(path) as log:
        batch = log.log.recover(SceneBatch.named("film", "storyboard"))
        assert sum(map(batch.is_done, batch.scenes)) == batch.done == RESUMED - 1
    return 1


def _reopened(path: Path, scenes: list[JsonValue]) -> int:
    with resumelog.open(path) as log:
        batch = log.scenes.open("film", "storyboard", scenes=scenes)
        assert [scene.key for scene in batch.remaining()] == [str(RESUMED - 1)]
        batch.leave("enough")
    return 1


def _streamed(path: Path, scenes: list[JsonValue]) -> int:
    with resumelog.open(path) as log:
        batch = log.scenes.open("film", "storyboard", scenes=scenes)
        assert sum(1 for _ in batch.results()) == RESUMED - 1
        batch.leave("enough")
    return 1


def _scenes(count: int) -> list[JsonValue]:
    return [{"id": str(n), "text": f"第 {n} 场"} for n in range(count)]


def _results(count: int) -> list[str]:
    """Text without any repetition, which compresses worse than prose."""
    chance = random.Random(1)
    return ["".join(chance.choices(CHARACTERS, k=RESULT_CHARS)) for _ in range(count)]


def _bytes_written() -> dict[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    found = dict(line.split(": ") for line in lines)
    return {name: int(found[name]) for name in ("wchar", "write_bytes")}
