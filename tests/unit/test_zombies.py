"""A worker whose epoch is over is refused, even what is done already."""

from __future__ import annotations

from support import exports, runs
from support.tables import refuses

from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.errors import LeaseLost
from resumelog.domain.export_job import ExportJob

BY_ANOTHER = {"epoch": 1, "current": 2}
TWICE = (exports.begin(), exports.fail(), exports.begin(2))
COMPLETED_TWICE = (exports.begin(), exports.complete(), exports.restart(), exports.begin(3))


test_a_run_refuses_its_last_worker = refuses(
    AutoPilotRun,
    [
        ((*runs.WORKING, done, runs.recover()), done, LeaseLost, BY_ANOTHER)
        for done in (runs.complete_step(), runs.fail_step())
    ],
)


test_an_export_refuses_its_last_worker = refuses(
    ExportJob,
    [
        ((*TWICE, exports.fail(epoch=2)), exports.fail(), LeaseLost, BY_ANOTHER),
        (
            (*COMPLETED_TWICE, exports.complete(epoch=3)),
            exports.complete(),
            LeaseLost,
            {"epoch": 1, "current": 3},
        ),
    ],
)
