"""What an exporter reports after a resume, as a fraction of the whole job."""

from __future__ import annotations

import logging
from typing import Literal

Scale = Literal["absolute", "relative"]

logger = logging.getLogger("resumelog")


class ProgressScale:
    """Reads reports of an attempt that began at `began_at`, a fraction of the whole.

    Absolute reports are that already. A relative report p, of what was left, means
    1 - (1 - began_at) * (1 - p). That is never below p: to take a relative exporter for an absolute
    one repeats work, the other way round skips it. So where the first report of a relative exporter is
    not below where its attempt began, as an absolute one's would be, all of the attempt is read as
    absolute.
    """

    def __init__(self, scale: Scale, began_at: float, job: str) -> None:
        """Begin an attempt of the job, which is named in warnings."""
        self._is_relative = scale == "relative" and began_at > 0
        self._is_first = True
        self.began_at, self._job = began_at, job

    def of_whole(self, reported: float) -> float:
        """Return the fraction of the whole job that a report means."""
        if self._is_first and self._is_relative and reported >= self.began_at:
            self._is_relative = False
            logger.warning(
                "%s: its first report is %s after a resume at %s, as if it were absolute, and is read"
                ' so; if its exporter counts from the beginning, use progress_scale="absolute"',
                self._job,
                reported,
                self.began_at,
            )
        self._is_first = False
        return 1 - (1 - self.began_at) * (1 - reported) if self._is_relative else reported

    def begins_again(self, whole: float) -> bool:
        """Tell whether a fraction of the whole means that the exporter began at 0 once more."""
        if whole >= self.began_at:
            return False
        self.began_at, self._is_relative = 0.0, False
        return True
