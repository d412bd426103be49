"""Old entries matched to the scenes of a plan, by their index, once. Nothing is invented.

An entry has no fingerprint: it is taken where what it says of its scene is what the plan says.
Where entries contradict each other, the plan, or the stage before, none of them is taken, and the
doubt is told. An entry that stands for many scenes is no scene's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from resumelog.domain.errors import BadKey
from resumelog.domain.plan import Plan, own_key
from resumelog.domain.scene_progress import ImportedScenes, SceneEntry, SceneProgress
from resumelog.domain.values import JsonObject

DOUBTS_RECORDED_MAX = 50
CONTEXT_FIELDS = ("world_bible", "scenes_analysis")
_HEADING = re.compile(r"^#+\s*(?:场景|scene)\s*(\d+)", re.MULTILINE | re.IGNORECASE)


class Scenes(NamedTuple):
    """The scenes that are known, by their index, and whether it was a plan that told them."""

    by_index: Mapping[int, JsonValue]
    total: int
    is_plan: bool
    doubts: tuple[str, ...] = ()

    def plan(self, context: JsonObject | None = None) -> Plan:
        """Return them as a plan that keeps the scenes themselves, for whoever writes old files."""
        indexes = sorted(self.by_index)
        scenes = [self.by_index[index] for index in indexes]
        kept: JsonObject = {"scenes": scenes, "indexes": [*indexes]}
        return Plan(scenes, context={**(context or {}), **kept})


def scenes_planned(plan: Sequence[JsonValue]) -> Scenes:
    """Return the scenes of a plan."""
    return Scenes(dict(enumerate(plan)), len(plan), is_plan=True)


def scenes_recorded(files: Iterable[SceneProgress]) -> Scenes:
    """Return what the files themselves say of their scenes, where they agree."""
    said: dict[int, list[JsonValue]] = {}
    count = 0
    for entry in (entry for file in files for entry in file.entries):
        if stands_for_many(entry):
            continue
        count = max(count, entry.scene_index + 1)
        infos = said.setdefault(entry.scene_index, [])
        if _is_said(entry.scene_info) and entry.scene_info not in infos:
            infos.append(entry.scene_info)
    agreed = {index: infos[0] for index, infos in sorted(said.items()) if len(infos) == 1}
    known = dict(_with_own_keys(agreed))
    unknown = [index for index in range(count) if index not in known]
    some = f"scene{'' if len(unknown) == 1 else 's'} {_listed(unknown)}"
    doubts = (f"the content of {some} is not known; --plan tells",) if unknown else ()
    return Scenes(known, count, is_plan=False, doubts=doubts)


def scenes_to_import(
    files: Mapping[str, SceneProgress],
    plan: Sequence[JsonValue] | None,
    after: Mapping[str, str | None],
    *,
    trust_index: bool = False,
) -> dict[str, ImportedScenes]:
    """Return what can be taken of the files of a project, by stage, in the order of `after`.

    That names the stage before each. Without a plan the files say what their scenes are.
    """
    scenes = scenes_recorded(files.values()) if plan is None else scenes_planned(plan)
    stages: dict[str, ImportedScenes] = {}
    scripts: Mapping[int, JsonValue] = {}
    for stage in (stage for stage in after if stage in files):
        stages[stage], scripts = matched(
            files[stage], scenes, after=after[stage], scripts=scripts, trust_index=trust_index
        )
    return stages


def matched(
    file: SceneProgress,
    scenes: Scenes,
    *,
    after: str | None = None,
    scripts: Mapping[int, JsonValue] | None = None,
    trust_index: bool = False,
) -> tuple[ImportedScenes, Mapping[int, JsonValue]]:
    """Return what can be taken of a file, and its results by index.

    `scripts` are the results of the stage before, which an enhancement repeats. With `trust_index`
    an entry counts for the scene at its index whatever it says of it. Raises as Plan does.
    """
    context = file.context if after is None else {}
    plan, doubts = scenes.plan(context), [*file.doubts, *scenes.doubts]
    keys = dict(zip(sorted(scenes.by_index), plan, strict=True))
    at: dict[int, list[SceneEntry]] = {}
    results: dict[str, JsonValue] = {}
    for entry in file.entries:
        at.setdefault(entry.scene_index, []).append(entry)
    for index, entries in at.items():
        fit = [*_fitting(entries, scenes, scripts or {}, doubts, trust_index=trust_index)]
        if fit and all(each.result == fit[0].result for each in fit):
            results[keys[index]] = fit[0].result
        elif fit:
            doubts.append(
                f"scene {index}: {len(fit)} entries have different results; none is taken"
            )
    ordered = {key: results[key] for key in plan if key in results}
    taken = {index: ordered[key] for index, key in keys.items() if key in ordered}
    doubts += _about_texts(file, taken)
    imported = ImportedScenes(
        file.source,
        file.sha256,
        plan,
        ordered,
        after,
        recorded_at=file.recorded_at and file.recorded_at.astimezone(),
        recorded={**file.claimed, "doubts": [*doubts[:DOUBTS_RECORDED_MAX]]},
        holes=tuple(index for index in range(max(at, default=0)) if index not in at),
        duplicates=tuple(sorted(index for index, entries in at.items() if len(entries) > 1)),
        doubts=tuple(doubts),
    )
    return imported, taken


def stands_for_many(entry: SceneEntry) -> bool:
    """Tell whether several scenes were merged into this entry: it names more than one of them."""
    if isinstance(entry.scene_info, list):
        return True
    return len({*_headings(entry.scene_info), *_headings(entry.result)}) > 1


def agree(info: JsonValue, scene: JsonValue) -> bool:
    """Tell whether what an entry says of its scene is what the plan says.

    The plan may say more: a scene got an id since. A text is compared with a scene's full_content.
    """
    if isinstance(info, dict) and isinstance(scene, dict):
        return _is_said(info) and all(
            name in scene and scene[name] == value for name, value in info.items()
        )
    texts = [each.get("full_content") if isinstance(each, dict) else each for each in (info, scene)]
    return _is_said(texts[0]) and texts[0] == texts[1]


def _with_own_keys(scenes: Mapping[int, JsonValue]) -> Iterator[tuple[int, JsonValue]]:
    """Leave out those whose own key can't name a scene, or names an earlier one."""
    keys = set()
    for index, scene in scenes.items():
        try:
            key = own_key(scene)
        except BadKey:
            continue
        if key is None or key not in keys:
            keys.add(key)
            yield index, scene


def _fitting(
    entries: Iterable[SceneEntry],
    scenes: Scenes,
    scripts: Mapping[int, JsonValue],
    doubts: list[str],
    *,
    trust_index: bool,
) -> Iterator[SceneEntry]:
    for entry in entries:
        why, trusted = _misfit(entry, scenes, scripts), False
        if not why and not agree(entry.scene_info, scenes.by_index[entry.scene_index]):
            why, trusted = "it says something else of its scene than the plan", trust_index
        if why:
            taken = "taken all the same, by its index" if trusted else "not taken"
            doubts.append(f"scene {entry.scene_index}: an entry is {taken}: {why}")
        if not why or trusted:
            yield entry


def _misfit(entry: SceneEntry, scenes: Scenes, scripts: Mapping[int, JsonValue]) -> str:
    """Return why an entry is no result of the scene at its index, whatever that is."""
    index = entry.scene_index
    if stands_for_many(entry):
        return "it stands for many scenes that were merged"
    if index not in scenes.by_index:
        if scenes.is_plan:
            return f"the plan has {scenes.total} scenes"
        return "what its scene is is not known"
    if isinstance(entry.result, dict):
        original = entry.result.get("original_description")
        if original is not None and index in scripts and original != scripts[index]:
            return "it was made from another storyboard than the one recorded"
    return ""


def _about_texts(file: SceneProgress, taken: Mapping[int, JsonValue]) -> Iterator[str]:
    """A text can't be told from one that was torn: it is compared, and never taken."""
    for text in file.texts:
        if text.scene_index not in taken:
            yield f"scene {text.scene_index}: its text is there, but no entry of it was taken"
        elif text.script != taken[text.scene_index]:
            yield f"scene {text.scene_index}: its text differs from its entry; the entry is taken"


def _headings(value: JsonValue) -> Iterator[str]:
    """Iterate over the numbers of the scenes that headings anywhere in a value name."""
    if isinstance(value, str):
        yield from _HEADING.findall(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _headings(part)


def _is_said(info: JsonValue) -> bool:
    return bool(info.strip()) if isinstance(info, str) else bool(info)


def _listed(indexes: Sequence[int], shown: int = 20) -> str:
    more = f" and {len(indexes) - shown} more" if len(indexes) > shown else ""
    return ", ".join(map(str, indexes[:shown])) + more
