"""One history of each kind; between them they hold an event of every class."""

from __future__ import annotations

from functools import cache

from pydantic import JsonValue
from support import exports, runs, scenes
from support.canonical import CLIP, DIGEST, NOW, later
from support.scenario import Command, history, nothing_yet

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.events import Events
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import Attempt, JsonObject

LONG_RESULT: JsonValue = {"script": "很长的剧本 🎬\n" * 200}
KINDS: tuple[type[EventSourced], ...] = (ExportJob, SceneBatch, AutoPilotRun)


def imported(source: str = "/旧/state.json", sha256: str = DIGEST) -> Command[EventSourced]:
    recorded: JsonObject = {"progress": 0.25, "标题": "旧档 📼", "note": None}
    return lambda state: state.import_from(source, sha256, NOW, recorded=recorded, recorded_at=NOW)


def payloads_removed(reason: str = "磁盘满了 💾") -> Command[EventSourced]:
    return lambda state: state.remove_payloads(reason, "小王", NOW)


def export() -> Events:
    """Return the events of an export that met everything on its way."""
    return history(
        ExportJob,
        imported(),
        exports.begin(),
        exports.save(0, 1, 4, {"帧": 120, "segment": None, "tags": ["🎬", 0.5]}, at=later(5)),
        exports.pause(at=later(6)),
        exports.begin(2, at=later(60)),
        exports.interrupt(epoch=2, at=later(70)),
        exports.begin(3, at=later(80)),
        exports.fail(epoch=3, at=later(90)),
        exports.restart(at=later(100)),
        exports.begin(5, at=later(110)),
        exports.save(0.5, epoch=5, at=later(120)),
        exports.complete(epoch=5, at=later(130)),
        payloads_removed(),
    )


def batch() -> Events:
    """Return the events of a batch that met everything on its way."""
    revised = scenes.plan_of("s1", "s3", "s4")
    made = scenes.done("s1", result=LONG_RESULT, artifact=CLIP)
    return history(
        SceneBatch,
        scenes.begin(after="analysis"),
        scenes.record(made, scenes.failed("s2"), at=later(5)),
        scenes.interrupt(Attempt("s3", 1), at=later(10)),
        scenes.begin(2, plan=revised, at=later(20)),
        scenes.record(scenes.done("s3", 2), epoch=2, plan=revised, at=later(30)),
        scenes.invalidate("s1", plan=revised, epoch=2, at=later(40)),
        scenes.pause(at=later(50)),
        scenes.stop(at=later(60)),
        scenes.reopen(at=later(70)),
        scenes.begin(3, plan=revised, at=later(80)),
        scenes.record(
            scenes.done("s1", 2),
            scenes.done("s4", plan=revised),
            epoch=3,
            plan=revised,
            at=later(90),
        ),
        scenes.finish(3, plan=revised, at=later(100)),
    )


def run() -> Events:
    """Return the events of a run that met everything on its way."""
    detail = {"current_round": 12, "total_rounds": 40, "备注": "正常 ✅", "eta": None}
    return history(
        AutoPilotRun,
        *runs.WORKING,
        runs.save(
            40, message="准备角色 🧙", detail=detail, resume_data={"round": 12}, active_s=30.5
        ),
        runs.poll_failed(at=later(31)),
        runs.fail_step(at=later(32)),
        runs.start_step("preparing", 2, at=later(33)),
        runs.complete_step(result=LONG_RESULT, active_s=60.0, at=later(63)),
        runs.pause(at=later(64)),
        runs.resume(at=later(70)),
        runs.recover(2, at=later(80)),
        runs.stop(at=later(90)),
        runs.start(4, at=later(100)),
        runs.start_step("starting", epoch=4, at=later(101)),
        runs.fail_step("starting", 1, epoch=4, at=later(102)),
        runs.reset(at=later(110)),
        runs.start(6, steps=("preparing", "completed"), at=later(120)),
        runs.start_step(epoch=6, at=later(121)),
        runs.complete_step(epoch=6, at=later(130)),
    )


@cache
def stories() -> dict[type[EventSourced], Events]:
    """Return a history by kind."""
    return {ExportJob: export(), SceneBatch: batch(), AutoPilotRun: run()}


def copy_of(kind: type[EventSourced]) -> Events:
    """Return the history of its kind as a fork under another natural key."""
    copy = kind.named(*(f"{part}-副本" for part in nothing_yet(kind).natural_key))
    return copy.fork(stories()[kind], "小王", later(200))


def one_of_each() -> Events:
    """Return the first event of each class in all the stories."""
    events = (*(event for story in stories().values() for event in story), *copy_of(ExportJob))
    return tuple({event.TOPIC: event for event in reversed(events)}.values())[::-1]
