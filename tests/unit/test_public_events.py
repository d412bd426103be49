"""Programs that audit a log get at the class of every event by a public name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from support.logs import make_scenes, scenes

import resumelog
from resumelog import events


def classes(module: Any) -> Iterator[type[events.DomainEvent]]:
    for each in vars(module).values():
        if inspect.isclass(each) and issubclass(each, events.DomainEvent) and each.TOPIC:
            yield each


def test_every_event_of_the_catalogue_has_a_public_name_and_nothing_else_has_one() -> None:
    modules = (events, events.exports, events.scenes, events.autopilot)
    public = {each.TOPIC: each for module in modules for each in classes(module)}
    assert public == events.topics()


def test_a_history_is_told_apart_by_these_classes() -> None:
    with resumelog.open("memory:") as log:
        make_scenes(log.scenes.open("归途", "分镜", scenes=scenes(1, 2)), fails=["2"])
        history = [*log.queries.history(log.queries.find("归途/分镜"))]
    failed = [each.scene for each in history if isinstance(each, events.scenes.SceneFailed)]
    assert failed == ["2"]
    assert {each.kind for each in history} == {"SceneBatch"}
