"""What is given as scenes is a list of them, or refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resumelog import NotScenes, ResumeLog, Stage

OPENS: dict[str, Callable[[ResumeLog, object], object]] = {
    "open": lambda log, given: log.scenes.open("电影", "分镜", scenes=given),  # type: ignore[arg-type]
    "results": lambda log, given: log.scenes.results("电影", "分镜", scenes=given),  # type: ignore[arg-type]
    "pipeline": lambda log, given: log.scenes.pipeline("电影", [Stage("分镜", str)], scenes=given),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("given", ["abc", b"abc", {"id": "a"}, {"a"}, None], ids=str)
@pytest.mark.parametrize("opens", OPENS.values(), ids=[*OPENS])
def test_what_is_no_list_is_refused_by_its_type(
    log: ResumeLog, opens: Callable[[ResumeLog, object], object], given: object
) -> None:
    kind = type(given).__name__
    with pytest.raises(NotScenes, match=f"of the type {kind}; give a list with an entry for each"):
        opens(log, given)
    assert log.queries.jobs() == []
