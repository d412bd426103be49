"""The plan of a batch: its scenes in order, each under a key, and what makes one scene's input."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from pydantic import JsonValue

from resumelog.domain.errors import BadKey, DuplicateScene, TooManyScenes
from resumelog.domain.values import (
    SCENES_MAX,
    JsonObject,
    Payload,
    canonical_json,
    checked_key,
    fingerprint,
    require_cursor,
)

KEY_FIELDS = ("id", "key")
FINGERPRINT_KEY_CHARS = 32
IMPORTED = "imported:"
"""Begins the fingerprint of a result from an old file, which tells its scene and nothing else."""


class Plan(Mapping[str, JsonValue]):
    """Scenes by key, in the order given; the index is for display.

    `params` and `context` belong to every scene: `params` (≤ 64 KiB, e.g. the style) are part of
    each fingerprint, `context` is kept for whoever reads the log. `made_by` returns what else one
    scene is made from, by its key and index; `makes_files` says that each result comes with a file.
    Another `revision` is another plan, to be recorded with its context, but no scene's other input.
    Raises BadKey, DuplicateScene, TooManyScenes, NotJson, TooLarge.
    """

    def __init__(
        self,
        scenes: Sequence[JsonValue],
        params: JsonObject | None = None,
        context: JsonObject | None = None,
        *,
        made_by: Callable[[str, int], JsonValue] | None = None,
        makes_files: bool = False,
        revision: JsonValue = None,
    ) -> None:
        """Key every scene."""
        if len(scenes) > SCENES_MAX:
            raise TooManyScenes(count=len(scenes), limit=SCENES_MAX)
        self.params, self._context = params or {}, context or {}
        require_cursor(self.params, "the params")
        self.makes_files = makes_files
        self._own_contents = contents = [fingerprint(scene) for scene in scenes]
        self._scenes = _keyed(scenes, contents)
        self._index = {key: index for index, key in enumerate(self._scenes)}
        if made_by:
            made = (made_by(key, index) for key, index in self._index.items())
            contents = [fingerprint(*both) for both in zip(contents, made, strict=True)]
        self._contents = contents
        self._params_json = canonical_json(self.params, "the params")
        revised = () if revision is None else (revision,)
        self.sha256 = fingerprint([*self._scenes], contents, self.params, *revised)

    def __getitem__(self, key: str) -> JsonValue:
        """Return the scene itself."""
        return self._scenes[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, in order."""
        return iter(self._scenes)

    def __len__(self) -> int:
        """Count the scenes."""
        return len(self._scenes)

    @property
    def payload(self) -> Payload:
        """The keys and the context, to be kept with one event."""
        return Payload.of({"scenes": [*self._scenes], "context": self._context}, "the plan")

    def index(self, key: str) -> int:
        """Return the place of a scene, from 0."""
        return self._index[key]

    def fingerprint(self, key: str, taken: JsonValue = None) -> str:
        """Return the sha256 of all that a scene is made from; `taken` comes from the stage before.

        It is `fingerprint(content, params, taken)`, with the params written once for all scenes.
        """
        content = self._contents[self._index[key]].encode()
        taken_json = b"null" if taken is None else canonical_json(taken, "the input")
        parts = b'["%b",%b,%b]' % (content, self._params_json, taken_json)
        return hashlib.sha256(parts).hexdigest()

    def imported_fingerprint(self, key: str) -> str:
        """Return what an imported result of this very scene is marked with."""
        return IMPORTED + self._own_contents[self._index[key]]


def _keyed(scenes: Sequence[JsonValue], contents: Sequence[str]) -> dict[str, JsonValue]:
    occurrences: dict[str, count[int]] = {}
    keyed: dict[str, JsonValue] = {}
    for index, (scene, content) in enumerate(zip(scenes, contents, strict=True)):
        key = own_key(scene)
        if key is None:
            content_key = content[:FINGERPRINT_KEY_CHARS]
            nth = next(occurrences.setdefault(content_key, count(1)))
            key = content_key if nth == 1 else f"{content_key}.{nth}"
        if key in keyed:
            raise DuplicateScene(scene=key, first=[*keyed].index(key), second=index)
        keyed[key] = scene
    return keyed


def own_key(scene: JsonValue) -> str | None:
    """Return the key that a scene names itself, None if it has none. Raises BadKey."""
    if not isinstance(scene, dict):
        return None
    own = next((scene[field] for field in KEY_FIELDS if scene.get(field) is not None), None)
    if own is None:
        return None
    if isinstance(own, bool) or not isinstance(own, str | int):
        raise BadKey(what="the scene's id", key=own, why="it is neither text nor a whole number")
    return checked_key(str(own), "the scene's id")
