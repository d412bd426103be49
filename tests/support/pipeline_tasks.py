"""Pipelines in child processes that are killed."""

from __future__ import annotations

import os
from typing import Any

from support.batch_tasks import tell
from support.logs import scenes
from support.pipelines import STAGES, Making, pipeline

import resumelog
from resumelog import Pipeline, ResumeLog, Scene, SceneUpdate

WORKERS = 2
SCENES = 12
BEGUN = "begun.txt"


def flow(log: ResumeLog, takes_s: float = 0.002) -> Pipeline:
    """Return a pipeline that notes in a file what it begins, before it does."""
    making = Making(takes_s=takes_s)
    noted = os.open(BEGUN, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    making.before = lambda stage, scene: _note(noted, stage, scene)
    of_stages: dict[str, Any] = {name: {"workers": WORKERS} for name in STAGES}
    return pipeline(log, making, scenes(*range(SCENES)), **of_stages)


def make_all_stages(mode: Any) -> None:
    """Go on with a pipeline; tell of each scene that is recorded."""
    with resumelog.open("jobs.db") as log:
        made = flow(log)
        made.on_scene(_tell_done)
        report = made.run(mode=mode)
        assert report.is_complete, report


def _note(file: int, stage: str, scene: Scene) -> None:
    os.write(file, f"{stage} {scene.key}\n".encode())


def _tell_done(stage: str, update: SceneUpdate) -> None:
    if update.state == "done":
        tell(stage, update.scene.key)
