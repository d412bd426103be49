"""What a step's command prints, told apart: reports and text."""

from __future__ import annotations

import pytest

from resumelog.infrastructure.step_lines import TEXT_BYTES_MAX, StepLines, StepReport, report_in


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ("progress 42", StepReport(42.0)),
        ("progress 42.5% 第三轮 👀", StepReport(42.5, "第三轮 👀")),
        ("  progress 100\tdone  ", StepReport(100.0, "done")),
        ('{"progress": 7}', StepReport(7)),
        (
            '{"progress": 7, "message": "三", "resume_data": {"n": 3}, "round": 3}',
            StepReport(7, "三", {"round": 3}, {"n": 3}),
        ),
        ('{"progress": 7, "resume_data": null}', StepReport(7, resume_data=None)),
    ],
)
def test_a_line_that_reports_is_told(line: str, report: StepReport) -> None:
    assert report_in(line) == report


@pytest.mark.parametrize(
    "line",
    [
        "",
        "progress",
        "progress well",
        "progress -1",
        "progress nan",
        "in progress 4",
        "{",
        '{"round": 3}',
        '{"progress": "7"}',
        '{"progress": true}',
        '{"progress": 7, "message": 8}',
        '{"progress": 7, "self": 8}',
        '{"progress": 7, "percent": 8}',
        '{"progress": 7, "n": NaN}',
        "[" * 100_000,
    ],
)
def test_any_other_line_is_text(line: str) -> None:
    assert report_in(line) is None


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_it_matters_not_where_the_chunks_end(size: int) -> None:
    data = "begun 雪\nprogress 1 一\r\nmade\n".encode() + b"progress 2"
    lines = StepLines(reports=True)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    reports = [report for chunk in [*chunks, b""] for report in lines.hear(chunk)]
    assert reports == [StepReport(1.0, "一"), StepReport(2.0)]
    assert lines.text == "begun 雪\nmade"


def test_of_endless_text_the_end_is_kept() -> None:
    lines = StepLines(reports=True)
    for _ in range(20):
        assert not [*lines.hear(b"x" * 100_000)]
    assert not [*lines.hear(b"\nthe end\n")]
    assert lines.text.endswith("the end")
    assert len(lines.text) <= TEXT_BYTES_MAX


def test_a_monitor_prints_text_only() -> None:
    lines = StepLines(reports=False)
    assert not [*lines.hear(b"progress 3\n")]
    assert lines.text == "progress 3"
