"""Old jobs give up what only they needed, in every store: values of the finished, files of the dead."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from support.batches_done import ALL, BATCH, LONG, STAGE, dead_with, finish, removed_values
from support.canonical import WORKER
from support.children import PATIENCE_S
from support.clocks import StillClock
from support.logs import Store, names_of, scenes

from resumelog import BadArgument, Batch, PayloadRemoved, ResumeLog
from resumelog.application.ports import InFlight
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import SceneBatch

DAYS_30 = timedelta(days=30)


@pytest.fixture
def aside(store: Store) -> bool:
    """Whether the store keeps values beside their events; in memory they stay inside them."""
    return store.url != "memory:"


# Finished jobs


def test_the_values_of_a_finished_job_go_and_its_events_say_so(
    log: ResumeLog, other: ResumeLog, aside: bool
) -> None:
    finish(log)
    before = names_of(log, BATCH)
    report = log.clean(ALL)
    assert [each.job for each in report.finished] == ["电影/分镜"] * aside
    assert names_of(other, BATCH) == [*before, *["PayloadsRemoved"] * aside]
    assert other.log.count_payloads(BATCH.id) == (0, 0)


def test_the_report_has_how_many_values_and_bytes_went(log: ResumeLog, aside: bool) -> None:
    finish(log, 3)
    before = log.log.count_payloads(BATCH.id)
    report = log.clean(ALL)
    assert (report.payloads, report.payload_bytes) == before
    assert before[0] == 3 * aside
    assert (before[1] > 0) == aside


def test_a_removed_result_is_told_with_who_and_why(
    log: ResumeLog, other: ResumeLog, aside: bool
) -> None:
    finish(log)
    log.clean(ALL)
    batch = other.scenes.open(*STAGE, scenes=scenes(1, 2))
    if not aside:
        assert len([*batch.results()]) == 2
        return
    with pytest.raises(
        PayloadRemoved, match=r"^batch 电影/分镜: the value .* was removed on"
    ) as gone:
        [*batch.results()]
    assert (gone.value.actor, gone.value.version) == (str(log.leases.worker), 3)
    assert gone.value.reason == "finished"


def test_a_second_cleaning_removes_and_records_nothing(log: ResumeLog) -> None:
    finish(log)
    log.clean(ALL)
    before = names_of(log, BATCH)
    again = log.clean(ALL)
    assert (again.finished, again.dead, again.left_alone) == ((), (), ())
    assert names_of(log, BATCH) == before


def test_a_job_without_values_gets_no_event(log: ResumeLog, output: Path) -> None:
    output.write_bytes(b"frames")
    with log.exports.resume(output) as job:
        job.save_progress(units_done=1, units_total=1)
    finish(log, result="短")
    assert not log.clean(ALL).finished
    assert {names_of(log, job)[-1] for job in (str(output), BATCH)} == {"Completed"}


def test_a_job_that_is_not_finished_keeps_its_values(log: ResumeLog) -> None:
    batch = log.scenes.open(*STAGE, scenes=scenes(1, 2))
    batch.complete("1", LONG)
    batch.leave("下班")
    assert not log.clean(ALL).finished
    assert log.log.value(BATCH.id, 3) == LONG


def test_only_jobs_that_have_not_changed_for_so_long_are_cleaned(store: Store, aside: bool) -> None:
    clock = StillClock()
    log = store.open()
    log.clock = log.scenes._clock = clock
    finish(log)
    clock.seconds = DAYS_30.total_seconds() - 1
    assert not log.clean(DAYS_30).finished
    clock.seconds += 1
    assert len(log.clean(DAYS_30).finished) == aside


def test_only_the_kinds_that_were_asked_for_are_cleaned(log: ResumeLog, aside: bool) -> None:
    finish(log)
    assert not log.clean(ALL, kinds=["ExportJob", "AutoPilotRun"]).finished
    assert len(log.clean(ALL, kinds=["SceneBatch"]).finished) == aside


def test_a_time_that_is_to_come_is_refused(log: ResumeLog) -> None:
    with pytest.raises(BadArgument, match="how long a job must not have changed"):
        log.clean(timedelta(seconds=-1))


def test_another_job_keeps_its_values(log: ResumeLog, aside: bool) -> None:
    finish(log)
    batch = log.scenes.open("电影", "配音", scenes=scenes(1, 2))
    batch.complete("1", LONG)
    log.clean(ALL)
    assert [result for _, result in batch.results()] == [LONG]
    assert log.log.count_payloads(SceneBatch.named("电影", "配音").id)[0] == aside


def test_a_job_that_a_living_worker_holds_is_left_alone(
    log: ResumeLog, other: ResumeLog, aside: bool
) -> None:
    finish(log)
    other.leases.acquire(BATCH.id, BATCH.title, 0)
    report = log.clean(ALL)
    assert not report.finished
    assert [each.why for each in report.left_alone] == [
        f"is being worked on by {other.leases.worker}"
    ] * aside
    assert names_of(log, BATCH)[-1] == "Completed"


def test_a_job_whose_far_worker_beats_no_more_is_cleaned(store: Store, aside: bool) -> None:
    log = store.open(lease_s=0.05)
    finish(log)
    row = log.leases.table.read(BATCH.id)
    log.leases.table.beat("another", WORKER.model_dump_json(), 1.0, 0.05)
    log.leases.table.take(BATCH.id, row, 7, "another")
    assert len(log.clean(ALL).finished) == aside


def test_values_that_were_made_since_go_with_the_next_cleaning(log: ResumeLog, aside: bool) -> None:
    finish(log, 2)
    log.clean(ALL)
    finish(log, 3)
    assert log.log.count_payloads(BATCH.id)[0] == aside
    assert log.clean(ALL).payloads == aside
    assert names_of(log, BATCH).count("PayloadsRemoved") == 2 * aside


# What goes on without them


def test_a_cleaned_batch_that_is_opened_again_does_nothing_again(log: ResumeLog) -> None:
    finish(log, 2)
    log.clean(ALL)
    with log.scenes.open(*STAGE, scenes=scenes(1, 2)) as batch:
        assert ([*batch.remaining()], batch.is_over) == ([], True)


def test_a_cleaned_batch_is_gone_on_with_and_only_new_scenes_are_made(
    log: ResumeLog, other: ResumeLog
) -> None:
    finish(log, 2)
    log.clean(ALL)
    assert finish(other, 4) == ["3", "4"]
    assert names_of(log, BATCH)[-1] == "Completed"


def test_a_stage_after_a_cleaned_one_repeats_nothing(log: ResumeLog) -> None:
    def video() -> Batch:
        return log.scenes.open("电影", "视频", scenes=scenes(1, 2), after=STAGE[1])

    finish(log, 2)
    with video() as batch:
        batch.complete("1", LONG)
    log.scenes.stop("电影", "视频")  # else the stage before is left alone
    log.clean(ALL)
    with video() as batch:
        assert [scene.key for scene in batch.remaining()] == ["2"]
        batch.complete("2", LONG)
    with video() as batch:
        assert batch.is_over


def test_a_long_plan_that_was_removed_is_shown_without_what_is_next(log: ResumeLog) -> None:
    finish(log, 500, result="短")
    report = log.clean(ALL)
    point = log.queries.resume_point(log.queries.find("电影/分镜"))
    assert (len(point.done), point.next) == (500, ())
    assert report.payloads in (0, 1), "the plan itself"


def test_a_batch_that_is_taken_up_again_records_its_long_plan_again(log: ResumeLog) -> None:
    finish(log, 500, result="短")
    log.clean(ALL)
    plan = Plan(scenes(*range(1, 501)))
    at = log.clock.now()
    log.log.decide(
        log.log.recover(SceneBatch.named(*STAGE)),
        lambda batch: batch.invalidate({"7": "文件不见了"}, plan, at),
    )
    log.scenes.open(*STAGE, scenes=plan).leave("下班")
    point = log.queries.resume_point(log.queries.find("电影/分镜"))
    assert [fact.value for fact in point.next] == ["7"]


def test_the_list_of_jobs_says_as_before_that_it_is_completed(log: ResumeLog) -> None:
    finish(log)
    log.clean(ALL)
    (view,) = log.queries.jobs()
    assert (view.status, view.done, view.version) == (
        "completed",
        2,
        log.log.recover(SceneBatch.named(*STAGE)).version,
    )


# Races


def test_a_worker_that_takes_it_up_while_it_is_decided_keeps_its_values(
    store: Store, aside: bool
) -> None:
    log, other = store.open(), store.open()
    finish(log)
    clock = StillClock()
    clock.seconds = DAYS_30.total_seconds() * 10**4
    log.clock = clock
    begun: list[Batch] = []
    looks = 2  # at the row, and before the removal is decided
    clock.meanwhile = [lambda: None] * (looks - 1)
    clock.meanwhile.append(lambda: begun.append(other.scenes.open(*STAGE, scenes=scenes(1, 2, 3))))
    report = log.clean(ALL)
    assert not report.finished
    if aside:
        assert [each.why for each in report.left_alone] == ["was taken up again meanwhile"]
        assert begun
        assert [result for _, result in begun[0].results()] == [LONG, LONG]


def test_one_that_was_finished_again_meanwhile_is_too_young(store: Store) -> None:
    log, other = store.open(), store.open()
    clock = StillClock()
    other.clock = other.scenes._clock = log.clock = log.scenes._clock = clock
    finish(log, 2)
    clock.seconds = DAYS_30.total_seconds()
    clock.meanwhile = [lambda: None, lambda: finish(other, 3)]
    report = log.clean(DAYS_30)
    assert (report.finished, report.left_alone) == ((), ())
    assert not removed_values(log)


# Dead workers


def test_the_temporary_file_of_a_dead_worker_goes_and_its_attempt_stays_noted(
    log: ResumeLog, other: ResumeLog, tmp_path: Path
) -> None:
    partial = tmp_path / ".a.partial-0a0b0c0d.mp4"
    partial.write_bytes(b"half")
    dead_with(log, InFlight("1", 1, partial=str(partial)))
    before = names_of(log, BATCH)
    (dead,) = log.clean(ALL).dead
    assert [(file.path, file.bytes) for file in dead.files] == [(str(partial), 4)]
    assert not partial.exists()
    assert names_of(log, BATCH) == before, "the successor records what was cut off"
    assert not log.clean(ALL).dead
    successor = other.scenes.open(*STAGE, scenes=scenes(1, 2))
    assert successor.cut_off == ("1",)
    assert "Interrupted" in names_of(log, BATCH)


def test_a_folder_of_a_dead_worker_goes_whole(log: ResumeLog, tmp_path: Path) -> None:
    folder = tmp_path / "frames.partial-1"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "a.png").write_bytes(bytes(5))
    dead_with(log, InFlight("1", 1, partial=str(folder)))
    assert log.clean(ALL).file_bytes == 5
    assert not folder.exists()


def test_the_files_of_a_living_worker_stay(
    log: ResumeLog, other: ResumeLog, tmp_path: Path
) -> None:
    partial = tmp_path / "a.partial-1"
    partial.touch()
    batch = other.scenes.open(*STAGE, scenes=scenes(1))
    batch.begun(batch.scene("1"), partial=str(partial))
    assert not log.clean(ALL).dead
    assert partial.exists()
    batch.complete("1")


def test_the_files_of_a_worker_that_hangs_stay_though_it_may_be_succeeded(
    log: ResumeLog, tmp_path: Path
) -> None:
    partial = tmp_path / "a.partial-1"
    partial.touch()
    long_ago = time.monotonic() - 60
    living = log.leases.worker
    dead_with(log, InFlight("1", 1, partial=str(partial)), worker=living, beat=long_ago)
    assert not log.clean(ALL).dead
    assert partial.exists()


def test_the_files_of_a_far_worker_stay(log: ResumeLog, tmp_path: Path) -> None:
    partial = tmp_path / "a.partial-1"
    partial.touch()
    dead_with(log, InFlight("1", 1, partial=str(partial)), worker=WORKER)
    assert not log.clean(ALL).dead
    assert partial.exists()


@pytest.mark.parametrize("name", ["成片.mp4", "别人的.partial-2"])
def test_a_file_that_is_no_noted_partial_stays(log: ResumeLog, tmp_path: Path, name: str) -> None:
    file, noted = tmp_path / name, tmp_path / "a.partial-1"
    file.touch()
    noted.touch()
    partials = [noted, *([file] if ".partial-" not in name else [])]
    dead_with(log, *(InFlight(str(each), 1, partial=str(each)) for each in partials))
    assert log.clean(ALL).files == 1
    assert (file.exists(), noted.exists()) == (True, False)


def test_a_young_job_of_a_dead_worker_and_another_kind_keep_their_files(
    log: ResumeLog, tmp_path: Path
) -> None:
    partial = tmp_path / "a.partial-1"
    partial.touch()
    dead_with(log, InFlight("1", 1, partial=str(partial)))
    assert not log.clean(timedelta(hours=1)).dead
    assert not log.clean(ALL, kinds=["ExportJob"]).dead
    assert partial.exists()


def test_a_partial_that_a_resumable_export_appends_to_stays(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as job, job.beside_output(keep_partial=True) as kept:
        kept.write_bytes(b"half")
        job.save_progress(units_done=1, units_total=2)
        state = log.queries.find(str(output))
        held = log.leases.table.read(state.id)
        gone = log.leases.worker.model_copy(update={"started": 1})
        log.leases.table.beat("another", gone.model_dump_json(), 1.0, 15)
        assert log.leases.table.take(state.id, held, 7, "another")
        assert not other.clean(ALL).dead
        assert kept.read_bytes() == b"half"


# A dry run


def test_a_dry_run_tells_the_same_and_changes_nothing(
    log: ResumeLog, other: ResumeLog, tmp_path: Path
) -> None:
    finish(log, 3, stage="配音")
    partial = tmp_path / "a.partial-1"
    partial.write_bytes(b"half")
    dead_with(log, InFlight("1", 1, partial=str(partial)))
    lease = log.leases.table.read(BATCH.id)
    newest = log.log.recorder.max_notification_id()
    told = other.clean(ALL, dry_run=True)
    assert partial.exists()
    assert log.leases.table.read(BATCH.id) == lease
    assert log.log.recorder.max_notification_id() == newest
    assert told.model_dump() == log.clean(ALL).model_dump() | {"dry_run": True}


def test_cleaning_and_a_worker_at_once_lose_no_scene_and_leave_a_log_that_verifies(
    store: Store, aside: bool
) -> None:
    log, other = store.open(), store.open()
    is_over, passed = Event(), Event()

    def clean_on() -> int:
        removed = 0
        while not is_over.is_set():
            removed += log.clean(ALL).payloads
            passed.set()
        return removed

    def make(total: int) -> list[str]:
        """Make one scene more, and wait for a whole cleaning after every fifth."""
        made = finish(other, total)
        for _ in range(2 if total % 5 == 0 else 0):
            passed.clear()
            assert passed.wait(PATIENCE_S)
        return made

    with ThreadPoolExecutor(1) as pool:
        cleaner = pool.submit(clean_on)
        try:
            made = [make(total) for total in range(1, 21)]
        finally:
            is_over.set()
    assert made == [[str(total)] for total in range(1, 21)]
    assert (cleaner.result() > 0) == aside
    log.clean(ALL)
    assert log.log.count_payloads(BATCH.id)[0] == 0
    if aside:
        assert log.audit.verify().is_well
