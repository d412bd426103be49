"""What is to be recorded of attempts that have ended, and whether there is another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from resumelog.application.retry import Retry
from resumelog.application.scene import Scene
from resumelog.application.scene_attempt import Ended
from resumelog.application.scene_flights import Landing
from resumelog.application.scene_updates import SceneState
from resumelog.domain.errors import BadInput
from resumelog.domain.scene_batch import Outcome
from resumelog.domain.values import error_text

if TYPE_CHECKING:
    from resumelog.application.batch import Batch


class Settled(NamedTuple):
    """An attempt that has ended; RETRYING: it is tried again in `wait_s` seconds."""

    outcome: Outcome
    state: SceneState
    scene: Scene
    ended: Ended
    wait_s: float = 0.0


class Settling:
    """The attempts of one run that have ended, until they are recorded.

    `given_up` are the scenes that have failed for good, `durations` is in seconds by scene.
    """

    def __init__(self, batch: Batch, retry: Retry) -> None:
        """Begin with none."""
        self._batch, self._retry = batch, retry
        self._settled = dict[Landing, Settled]()
        self._failures, self.given_up = Counter[str](), set[str]()
        self.durations = dict[str, float]()

    def __len__(self) -> int:
        """Count what is not recorded yet."""
        return len(self._settled)

    def __contains__(self, future: Landing) -> bool:
        """Tell whether an attempt is settled and not recorded yet."""
        return future in self._settled

    @property
    def keys(self) -> set[str]:
        """The scenes that are settled and not recorded yet."""
        return {each.scene.key for each in self._settled.values()}

    @property
    def futures(self) -> list[Landing]:
        """The attempts that are settled and not recorded yet."""
        return [*self._settled]

    @property
    def failed(self) -> int:
        """How many have failed for good."""
        return len(self.given_up)

    def failures(self, key: str) -> int:
        """Count the failures of a scene in this run."""
        return self._failures[key]

    def forgive(self, keys: Iterable[str]) -> None:
        """Let scenes that have failed for good be tried as if they never had."""
        for key in keys:
            self.given_up.discard(key)
            del self._failures[key]

    def all(self) -> list[Settled]:
        """Return what is not recorded yet."""
        return [*self._settled.values()]

    def recorded(self) -> dict[Landing, Settled]:
        """Return it all, and begin anew."""
        settled, self._settled = self._settled, {}
        return settled

    def settle(self, future: Landing, scene: Scene, ended: Ended) -> Settled:
        """Decide what is recorded of an attempt."""
        if not ended.error:
            try:
                settled = self._done(scene, ended)
            except (BadInput, OSError) as error:
                ended = ended._replace(error=error_text(error), retries=False)
            else:
                self._settled[future] = settled
                self.durations[scene.key] = ended.elapsed_s
                return settled
        self._settled[future] = settled = self._not_done(scene, ended)
        return settled

    def _done(self, scene: Scene, ended: Ended) -> Settled:
        result = self._batch.payload_of(scene, ended.result)
        done = self._batch.done(scene, result, elapsed_s=ended.elapsed_s)
        return Settled(done, SceneState.DONE, scene, ended)

    def _not_done(self, scene: Scene, ended: Ended) -> Settled:
        outcome = self._batch.not_done(scene, ended.error)
        self._failures[scene.key] += 1
        failures = self._failures[scene.key]
        if ended.retries and failures < self._retry.attempts:
            wait_s = self._retry.wait_s(failures, ended.hint_s)
            return Settled(outcome, SceneState.RETRYING, scene, ended, wait_s)
        self.given_up.add(scene.key)
        return Settled(outcome, SceneState.FAILED, scene, ended)
