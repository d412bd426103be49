"""An unchanged exporter becomes resumable."""

from __future__ import annotations

import copy
import itertools
import math
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.exporters import Kind, LineExporter, Stopped
from support.logs import events_of, names_of

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import JobPaused, NotExporter, NoVersion, OutputMissing
from resumelog.application.progress_scale import Scale
from resumelog.domain.errors import BadKey, InputsChanged, NotJson, ProgressOutOfRange
from resumelog.domain.export_events import Interrupted, Restarted

VERSION = {"title": "归途", "scenes": [{"id": "s1", "秒": 1.5}]}
EVERY_UNIT = [*range(10)]


def export(
    log: ResumeLog, exporter: Any, output: Path, version: Any = VERSION, **options: Any
) -> str:
    resumable = resumelog.make_resumable(exporter, log=log, save_interval_s=0, **options)
    return str(resumable.export(version, str(output)))


def stopped_after(log: ResumeLog, exporter: LineExporter, output: Path, units: int) -> None:
    exporter.stop_after = units
    with pytest.raises(Stopped):
        export(log, exporter, output)
    exporter.stop_after = None


def lines(output: Path) -> list[int]:
    return [int(line.split()[0]) for line in output.read_text().splitlines()]


# The contract


def test_it_returns_the_exporters_path_and_the_last_callback_is_1(
    log: ResumeLog, output: Path
) -> None:
    told: list[float] = []
    resumable = resumelog.make_resumable(LineExporter(), log=log)
    assert resumable.export(VERSION, str(output), progress_callback=told.append) == str(output)
    assert told == [unit / 10 for unit in range(1, 11)]
    assert lines(output) == EVERY_UNIT


def test_the_callers_own_callback_in_the_version_is_told(log: ResumeLog, output: Path) -> None:
    told: list[float] = []
    export(log, LineExporter(units=2), output, {**VERSION, "_progress_callback": told.append})
    assert told == [0.5, 1.0]


def test_a_copy_is_resumable_too(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(output.parent)
    resumable = resumelog.make_resumable(LineExporter())
    copies = (copy.copy(resumable), copy.deepcopy(resumable), pickle.loads(pickle.dumps(resumable)))
    for each in copies:
        assert each.export(VERSION, str(output)) == str(output)
    with pytest.raises(AttributeError, match="_nothing"):
        resumable._nothing  # noqa: B018 - it is asked for


def test_a_silent_exporter_is_started_completed_and_skipped(log: ResumeLog, output: Path) -> None:
    told: list[float] = []
    exporter = LineExporter("silent")
    resumable = resumelog.make_resumable(exporter, log=log)
    for _ in range(2):
        resumable.export(VERSION, str(output), progress_callback=told.append)
    assert (exporter.made, told) == (EVERY_UNIT, [1.0, 1.0])
    assert names_of(log, str(output)) == ["Started", "Completed"]


def test_everything_else_of_the_exporter_is_there(log: ResumeLog) -> None:
    resumable = resumelog.make_resumable(LineExporter(units=7), log=log)
    assert (resumable.name, resumable.units) == ("逐行导出", 7)


def test_the_callers_version_is_never_changed(log: ResumeLog, output: Path) -> None:
    class Greedy(LineExporter):
        def export(self, version: dict[str, Any], output_path: str) -> str:
            version["scenes"][0]["id"] = "changed"
            return super().export(version, output_path)

    version = copy.deepcopy(VERSION)
    export(log, Greedy(), output, version)
    assert version == VERSION


def test_an_exporter_is_told_where_an_earlier_attempt_stopped(log: ResumeLog, output: Path) -> None:
    exporter = LineExporter()
    stopped_after(log, exporter, output, 4)
    export(log, exporter, output)
    first, second = exporter.seen
    assert first is None
    assert second is not None
    assert second.keys() == {"progress", "output_path", "timestamp"}
    assert second["progress"] == 0.4
    assert len(exporter.made) == 10


def test_no_half_written_file_stands_where_the_output_belongs(log: ResumeLog, output: Path) -> None:
    stopped_after(log, LineExporter(), output, 4)
    assert not output.exists()


def test_an_exporter_can_write_in_place(log: ResumeLog, output: Path) -> None:
    exporter = LineExporter()
    exporter.stop_after = 4
    with pytest.raises(Stopped):
        export(log, exporter, output, in_place=True)
    assert lines(output) == [0, 1, 2, 3]
    exporter.stop_after = None
    assert export(log, exporter, output, in_place=True) == str(output)
    assert lines(output) == EVERY_UNIT


@pytest.mark.parametrize("in_place", [False, True])
def test_the_file_is_written_below_the_root_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_place: bool
) -> None:
    (tmp_path / "root").mkdir()
    monkeypatch.chdir(tmp_path)
    with resumelog.open("memory:", root=tmp_path / "root") as log:
        made = export(log, LineExporter(), Path("成片.txt"), in_place=in_place)
    assert made == str(tmp_path / "root" / "成片.txt")
    assert lines(Path(made)) == EVERY_UNIT


def test_a_path_that_an_exporter_returns_is_one_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(LineExporter):
        def export(self, version: dict[str, Any], output_path: str) -> str:  # noqa: ARG002 - it has a name of its own
            return super().export(version, "own.txt")

    (tmp_path / "root").mkdir()
    monkeypatch.chdir(tmp_path)
    with resumelog.open("memory:", root=tmp_path / "root") as log:
        for _ in range(2):
            assert export(log, Own(), Path("成片.txt")) == str(tmp_path / "own.txt")


def test_an_exporter_may_choose_another_suffix(log: ResumeLog, output: Path) -> None:
    class Zips(LineExporter):
        def export(self, version: dict[str, Any], output_path: str) -> str:
            made = Path(super().export(version, output_path))
            return str(made.rename(made.with_suffix(".zip")))

    exporter = Zips()
    for _ in range(2):
        assert export(log, exporter, output) == str(output.with_suffix(".zip"))
    assert exporter.made == EVERY_UNIT
    assert [path.name for path in output.parent.glob("*partial*")] == []


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("returned", ["manifest.json", "{}.log", "done", "", "."])
def test_what_an_exporter_returns_beside_its_output_does_not_count(
    log: ResumeLog, output: Path, monkeypatch: pytest.MonkeyPatch, returned: str, in_place: bool
) -> None:
    monkeypatch.chdir(output.parent)
    Path("manifest.json").write_text("{}")
    Path("done").write_text("a file of somebody's")

    class Tells(LineExporter):
        def export(self, version: dict[str, Any], output_path: str) -> str:
            made = super().export(version, output_path)
            Path(f"{made}.log").write_text("fine")
            return returned.format(made)

    exporter = Tells()
    exporter.stop_after = 4
    with pytest.raises(Stopped):
        export(log, exporter, output, in_place=in_place)
    exporter.stop_after = None
    for _ in range(2):
        assert export(log, exporter, output, in_place=in_place) == str(output)
        assert lines(output) == EVERY_UNIT


@pytest.mark.parametrize("found", [None, "nowhere.mp4", "", "."])
def test_an_exporter_that_writes_nothing_fails(
    log: ResumeLog, output: Path, found: str | None
) -> None:
    class Idle:
        def export(self, version: Any, output_path: str) -> str | None:  # noqa: ARG002 - as exporters are called
            return found

    with pytest.raises(OutputMissing):
        export(log, Idle(), output)
    assert names_of(log, str(output)) == ["Started", "Failed"]


def test_a_file_from_before_is_no_result(log: ResumeLog, output: Path) -> None:
    class Idle:
        def export(self, version: Any, output_path: str) -> str:  # noqa: ARG002 - as exporters are called
            return output_path

    output.write_text("of another version")
    os.utime(output, (1, 1))
    with pytest.raises(OutputMissing, match="before"):
        export(log, Idle(), output, in_place=True)
    report = log.exports.run_all([(VERSION, output)], lambda job, version: None)  # noqa: ARG005 - as it is called
    assert len(report.failed) == 1
    output.touch()
    with pytest.raises(OutputMissing, match="before"):
        export(log, Idle(), output, in_place=True)

    class Touches(Idle):
        def export(self, version: Any, output_path: str) -> str:
            output.touch()
            return super().export(version, output_path)

    resumable = resumelog.make_resumable(Touches(), log=log, in_place=True)
    assert resumable.export(VERSION, str(output)) == str(output)


# What it is bound to


@pytest.mark.parametrize("content", [None, b"altered"])
def test_a_missing_or_altered_output_is_made_again(
    log: ResumeLog, output: Path, content: bytes | None
) -> None:
    exporter = LineExporter()
    export(log, exporter, output)
    output.unlink()
    if content:
        output.write_bytes(content)
    export(log, exporter, output)
    assert exporter.made == EVERY_UNIT * 2


def test_another_input_begins_again_or_is_refused(log: ResumeLog, output: Path) -> None:
    exporter = LineExporter()
    stopped_after(log, exporter, output, 4)
    other = {**VERSION, "title": "出发"}
    with pytest.raises(InputsChanged):
        export(log, exporter, output, other, on_changed_inputs="refuse")
    export(log, exporter, output, other)
    assert exporter.made == [0, 1, 2, 3, *EVERY_UNIT]
    assert output.read_text().count("出发") == 10


def test_an_exporter_says_what_else_its_output_depends_on(log: ResumeLog, output: Path) -> None:
    class Encodes(LineExporter):
        crf = 18

        def inputs(self, version: dict[str, Any]) -> dict[str, Any]:
            return {"crf": self.crf, "of": version.pop("title")}

    exporter = Encodes()
    for crf in (18, 18, 23):
        exporter.crf = crf
        export(log, exporter, output)
    assert exporter.made == EVERY_UNIT * 2


def test_an_exporter_is_told_once_its_output_is_recorded_and_at_each_skip(
    log: ResumeLog, output: Path
) -> None:
    class Tidies(LineExporter):
        def finished(self, output_path: str) -> None:
            assert names_of(log, output_path)[-1] == "Completed"
            self.tidied = [*getattr(self, "tidied", []), output_path]

    exporter = Tidies()
    for _ in range(2):
        export(log, exporter, output)
    assert exporter.tidied == [str(output)] * 2
    assert exporter.made == EVERY_UNIT


def test_what_an_exporter_refuses_beforehand_leaves_no_trace(log: ResumeLog, output: Path) -> None:
    class Refuses(LineExporter):
        def check_export(self, version: dict[str, Any], output_path: str) -> None:
            assert (version, output_path) == (VERSION, str(output))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        export(log, Refuses(), output)
    assert log.queries.jobs() == []
    assert [*output.parent.glob(".*partial*")] == []


def no_exporters() -> list[object]:
    class Stub:
        export = None

    return [None, object(), print, Stub(), LineExporter]


@pytest.mark.parametrize("given", no_exporters())
def test_what_is_no_exporter_is_refused_at_once(given: Any) -> None:
    with pytest.raises(NotExporter, match="an object with a method") as refused:
        resumelog.make_resumable(given)
    assert isinstance(refused.value, TypeError)


def test_a_version_need_not_be_json_but_must_say_the_same_in_every_process(
    log: ResumeLog, output: Path
) -> None:
    exporter = LineExporter()
    version = {"title": "归途", "paths": [Path("a")], "tags": {"b", "a", "c"}, "at": 1}
    export(log, exporter, output, version)
    export(log, exporter, output, {**version, "paths": ("a",), "tags": ["a", "b", "c"]})
    assert exporter.made == EVERY_UNIT
    with pytest.raises(NotJson, match="leave it out"):
        export(log, exporter, output, {"title": "x", "closure": object()})


# What it reports


@pytest.mark.parametrize("bad", [math.nan, 7.5, "half", None])
def test_what_is_no_progress_fails_the_export(log: ResumeLog, output: Path, bad: Any) -> None:
    class Lies:
        def export(self, version: Any, output_path: str) -> None:  # noqa: ARG002 - as exporters are called
            version["_progress_callback"](bad)

    with pytest.raises(ProgressOutOfRange):
        export(log, Lies(), output)
    assert names_of(log, str(output)) == ["Started", "Failed"]


def test_a_sum_of_parts_may_end_beyond_1(log: ResumeLog, output: Path) -> None:
    class Sums:
        def export(self, version: Any, output_path: str) -> None:
            Path(output_path).write_text("made")
            version["_progress_callback"](-1e-17)
            version["_progress_callback"](math.nextafter(1.0, 2.0))

    export(log, Sums(), output)
    assert names_of(log, str(output))[-1] == "Completed"


@dataclass
class Film:
    """A version as some programs have it."""

    title: str


@pytest.mark.parametrize(("version", "advice"), [(Film("x"), "asdict"), ("x", "dict")])
def test_a_version_without_names_is_refused_before_anything_is_written(
    log: ResumeLog, output: Path, version: Any, advice: str
) -> None:
    with pytest.raises(NoVersion, match=advice):
        export(log, LineExporter(), output, version)
    assert log.queries.count() == 0


def test_a_job_may_have_another_name_than_its_output(log: ResumeLog, output: Path) -> None:
    export(log, LineExporter(), output, key="成片")
    export(
        log, LineExporter(), output, key=lambda version, to: f"{version['title']} {Path(to).stem}"
    )
    assert names_of(log, "成片") == names_of(log, f"归途 {output.stem}")
    assert names_of(log, "成片")[-1] == "Completed"


def test_an_output_whose_path_is_too_long_for_a_key_asks_for_one(
    log: ResumeLog, output: Path
) -> None:
    output = Path(output.parent, *["f" * 200] * 3, "成片.txt")
    with pytest.raises(BadKey, match="with `key`"):
        export(log, LineExporter(), output)
    export(log, LineExporter(), output, key="成片")
    assert lines(output) == EVERY_UNIT


@pytest.mark.parametrize("name", ["夜" * 83 + ".txt", "n" * 255, "." + "n" * 254])
def test_an_output_may_have_as_long_a_name_as_a_file_can(
    log: ResumeLog, output: Path, name: str
) -> None:
    exporter = LineExporter()
    stopped_after(log, exporter, output.with_name(name), 4)
    export(log, exporter, output.with_name(name))
    assert exporter.made == EVERY_UNIT
    assert [path.name for path in output.parent.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize("in_place", [False, True])
def test_an_exporter_may_return_what_is_no_path(
    log: ResumeLog, output: Path, *, in_place: bool
) -> None:
    class Fine(LineExporter):
        def export(self, version: dict[str, Any], output_path: str) -> str:
            super().export(version, output_path)
            return "ok"

    assert export(log, Fine(), output, in_place=in_place) == str(output)
    assert lines(output) == EVERY_UNIT


def test_an_exporter_may_add_a_suffix(log: ResumeLog, output: Path) -> None:
    class Adds(LineExporter):
        def export(self, version: dict[str, Any], output_path: str) -> str:
            return super().export(version, f"{output_path}.txt")

    output = output.with_name("成片")
    for _ in range(2):
        assert export(log, Adds(), output) == f"{output}.txt"
    assert lines(output.with_name("成片.txt")) == EVERY_UNIT


def test_an_exporter_that_begins_at_0_after_a_resume_is_recorded_so(
    log: ResumeLog, output: Path
) -> None:
    exporter = LineExporter("from the start")
    stopped_after(log, exporter, output, 4)
    stopped_after(log, exporter, output, 2)
    reasons = [e.reason for e in events_of(log, str(output)) if isinstance(e, Restarted)]
    assert reasons == ["it reported 0.1 after a resume at 0.4"]
    export(log, exporter, output)
    assert exporter.seen[-1] is not None
    assert exporter.seen[-1]["progress"] == 0.2
    assert lines(output) == EVERY_UNIT


class AppendsAlways(LineExporter):
    """It begins again at 0, and appends all the same."""

    def export(self, version: dict[str, Any], output_path: str) -> str:
        with Path(output_path).open("a") as file:
            for unit in range(self.units):
                if unit == self.stop_after:
                    raise Stopped
                file.write(f"{unit} again\n")
                file.flush()
                version["_progress_callback"]((unit + 1) / self.units)
        return output_path


@pytest.mark.parametrize(
    "exporter", [LineExporter("relative"), AppendsAlways()], ids=["relative", "appends"]
)
def test_an_exporter_that_seems_to_begin_again_and_appends_is_told_of(
    log: ResumeLog, output: Path, exporter: LineExporter, caplog: pytest.LogCaptureFixture
) -> None:
    stopped_after(log, exporter, output, 6)
    assert "twice" not in caplog.text
    stopped_after(log, exporter, output, 2)
    assert [
        line for line in caplog.messages if "twice" in line and 'progress_scale="relative"' in line
    ]
    caplog.clear()
    export(log, exporter, output)
    assert "twice" not in caplog.text
    assert lines(output) == EVERY_UNIT
    reasons = [e.reason for e in events_of(log, str(output)) if isinstance(e, Restarted)]
    assert reasons[1:] == ["what it had written may hold parts twice"]


def test_an_exporter_that_begins_again_with_an_empty_file_is_not_doubted(
    log: ResumeLog, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = LineExporter("from the start")
    stopped_after(log, exporter, output, 6)
    export(log, exporter, output)
    assert "twice" not in caplog.text


def test_an_exporter_whose_file_is_gone_begins_at_0(log: ResumeLog, output: Path) -> None:
    exporter = LineExporter()
    stopped_after(log, exporter, output, 4)
    for path in output.parent.glob(".*partial*"):
        path.unlink()
    export(log, exporter, output)
    assert lines(output) == EVERY_UNIT
    assert exporter.seen == [None, None]
    assert names_of(log, str(output)).count("Restarted") == 1


def test_an_absolute_exporter_that_is_called_relative_is_noticed(
    log: ResumeLog, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = LineExporter("absolute")
    stopped_after(log, exporter, output, 4)
    exporter.stop_after = 2
    with pytest.raises(Stopped):
        export(log, exporter, output, progress_scale="relative")
    assert "as if it were absolute" in caplog.text
    exporter.stop_after = None
    export(log, exporter, output, progress_scale="relative")
    assert exporter.made == EVERY_UNIT


def test_threads_that_report_out_of_order_do_no_harm(log: ResumeLog, output: Path) -> None:
    class Threads:
        def export(self, version: Any, output_path: str) -> None:
            for fraction in (0.2, 0.5, 0.4, 0.6):
                version["_progress_callback"](fraction)
            Path(output_path).write_text("made")

    export(log, Threads(), output)
    saved = [getattr(e, "progress", None) for e in events_of(log, str(output))]
    assert saved == [None, 0.2, 0.5, 0.6, None]


def test_threads_that_report_at_once_do_no_harm(log: ResumeLog, output: Path) -> None:
    class Threads:
        def export(self, version: Any, output_path: str) -> None:
            done = itertools.count(1)
            with ThreadPoolExecutor(8) as pool:
                report = version["_progress_callback"]
                [*pool.map(lambda _: report(next(done) / 400), range(400))]
            Path(output_path).write_text("made")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        export(log, Threads(), output)
    finally:
        sys.setswitchinterval(interval)
    assert names_of(log, str(output))[-1] == "Completed"


def test_a_pause_takes_effect_at_a_report(
    log: ResumeLog, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Paused(LineExporter):
        def _reported(self, done: int, info: dict[str, Any] | None) -> float:
            if done == 3:
                log.exports.pause(str(output), "午休", "小王")
            return super()._reported(done, info)

    monkeypatch.setattr("resumelog.application.reported_progress.LOOK_S", 0.0)
    exporter = Paused()
    with pytest.raises(JobPaused, match="小王"):
        export(log, exporter, output)
    assert exporter.made == [0, 1, 2]
    export(log, exporter, output)
    assert exporter.made == EVERY_UNIT


@pytest.mark.parametrize("in_place", [False, True])
def test_an_exporter_that_returns_what_there_is_at_a_pause_is_not_completed(
    log: ResumeLog, output: Path, monkeypatch: pytest.MonkeyPatch, *, in_place: bool
) -> None:
    class Swallows:
        def export(self, version: Any, output_path: str) -> str:
            Path(output_path).write_text("a part")
            log.exports.pause(str(output), "午休", "小王")
            with suppress(Exception):
                version["_progress_callback"](0.5)
            return output_path

    monkeypatch.setattr("resumelog.application.reported_progress.LOOK_S", 0.0)
    with pytest.raises(JobPaused, match="小王"):
        export(log, Swallows(), output, in_place=in_place)
    assert "Completed" not in names_of(log, str(output))
    assert output.exists() is in_place


@pytest.mark.parametrize("scale", ["absolute", "relative"])
@pytest.mark.parametrize("kind", ["absolute", "relative", "from the start", "silent"])
@settings(max_examples=25, deadline=None)
@given(stops=st.lists(st.integers(0, 4), max_size=5), units=st.integers(1, 12))
def test_every_unit_is_made_whatever_the_exporter_counts_and_is_called(
    tmp_path_factory: pytest.TempPathFactory,
    kind: Kind,
    scale: Scale,
    stops: list[int],
    units: int,
) -> None:
    output = tmp_path_factory.mktemp("p") / "成片.txt"
    exporter = LineExporter(kind, units)
    with resumelog.open("memory:") as log:
        for stop in [*stops, None]:
            exporter.stop_after = stop
            with suppress(Stopped):
                export(log, exporter, output, progress_scale=scale)
        assert {*lines(output)} == {*range(units)}
        causes = [e.cause for e in events_of(log, str(output)) if isinstance(e, Interrupted)]
        assert all(cause.startswith("Stopped") for cause in causes)
        if kind == scale == "absolute":
            assert exporter.made == [*range(units)]


def test_a_relative_path_lies_below_the_root_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, gone = tmp_path / "opened", tmp_path / "gone"
    opened.mkdir()
    gone.mkdir()
    monkeypatch.chdir(opened)
    with resumelog.open("jobs.db") as log:
        monkeypatch.chdir(gone)
        made = resumelog.make_resumable(LineExporter(), log=log).export(VERSION, "reel.txt")
        with log.exports.resume("clip.txt") as job:
            assert job.output_path == opened / "clip.txt"
        with resumelog.resumable_export_context(state_file="state", log=log):
            assert log.queries.find(str(gone / "state"))
    assert (made, lines(opened / "reel.txt")) == (str(opened / "reel.txt"), EVERY_UNIT)
    assert resumelog.make_resumable(LineExporter()).export(VERSION, "reel.txt") == "reel.txt"
    assert lines(gone / "reel.txt") == EVERY_UNIT
