"""How an autopilot goes about its runs, all times in seconds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt


class PilotOptions(BaseModel):
    """`attempts_max` failed attempts at one step fail its run.

    After the nth failure it waits `backoff_s` · 2ⁿ⁻¹, at most `backoff_max_s`. Progress that brings
    no new resume data is written every `progress_interval_s` at most. A step that waits looks every
    `look_s` whether somebody asked it to stop, in whatever process; in this one it is told at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    attempts_max: PositiveInt = 3
    backoff_s: NonNegativeFloat = 5.0
    backoff_max_s: PositiveFloat = 300.0
    progress_interval_s: NonNegativeFloat = 5.0
    look_s: PositiveFloat = 1.0

    def wait_s(self, failures: int) -> float:
        """Return the seconds between the nth failure of a step and its next attempt."""
        return min(self.backoff_max_s, self.backoff_s * 2.0 ** min(failures - 1, 64))
