"""A step that looks at something now and then until it is over."""

from __future__ import annotations

from asyncio import CancelledError

from pydantic import JsonValue

from resumelog.application.step_calls import StepCalls
from resumelog.application.step_context import StepContext
from resumelog.application.steps import GaveUp, Step, StopAsked

DAY_S = 86_400.0


class Poll:
    """Calls `look` every `every_s` seconds until it returns anything but None: the step's result.

    `look` is a function or a coroutine function of the step's context, and tells its progress
    there. One that raises is tried again at the next turn, and recorded; `errors_max` of them in a
    row fail the run, as GaveUp does at once, and `limit_s` seconds without a result. Those count
    over restarts, with the time between them, and pauses do not.
    """

    counts_downtime = True

    def __init__(
        self,
        look: Step,
        *,
        every_s: float = 30.0,
        limit_s: float = 3 * DAY_S,
        errors_max: int = 10,
    ) -> None:
        """Look at nothing yet."""
        self._look, self._every_s, self._errors_max = look, every_s, errors_max
        self.limit_s = limit_s

    def __call__(self, context: StepContext) -> JsonValue:
        """Look until it is over. Raises GaveUp, StopAsked."""
        failed = context.polls_failed
        with StepCalls() as calls:
            while not context.should_stop():
                try:
                    result = calls.result(self._look, context)
                except (GaveUp, StopAsked):
                    raise
                except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever a look raises is its failure
                    failed += 1
                    self._failed(context, error, failed)
                else:
                    failed = 0
                    if result is not None:
                        return result
                    context.poll_worked()
                context.wait(self._every_s)
        raise StopAsked

    def _failed(self, context: StepContext, error: BaseException, in_a_row: int) -> None:
        context.poll_failed(error, in_a_row)
        if in_a_row >= self._errors_max:
            raise GaveUp(f"{in_a_row} looks in a row failed; the last: {error}") from error
