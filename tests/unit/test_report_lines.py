"""The lines by which a command reports, and how they are told from all else that it prints."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resumelog.infrastructure.cli.ffmpeg_reports import FfmpegReports
from resumelog.infrastructure.cli.report_lines import Said, report_in
from resumelog.infrastructure.cli.report_stream import LINE_BYTES_MAX, ReportStream

REPORTS = {
    "progress 0.42": Said("", 0.42),
    "progress 1": Said("", 1.0),
    "progress .5": Said("", 0.5),
    "progress\t1e-3": Said("", 0.001),
    "progress 7.5": Said("", 7.5),
    "progress -0.1": Said("", -0.1),
    "progress 3/10": Said("", done=3, total=10),
    "units 3": Said("", done=3),
    "unit 3/10": Said("", done=3, total=10),
    "cursor null": Said("", has_cursor=True),
    'cursor {"帧": [1, 2]}': Said("", cursor={"帧": [1, 2]}, has_cursor=True),
    'units 3 cursor "a b"': Said("", done=3, cursor="a b", has_cursor=True),
    "progress 0.5   cursor 7  ": Said("", 0.5, cursor=7, has_cursor=True),
}
TEXTS = [
    "",
    "progress",
    "progress is slow today",
    "progress: 0.42",
    "progress ...",
    " progress 0.42",
    "Progress 0.42",
    "unit tests passed",
    "units",
    "cursor moved",
    "cursor nullable",
    "progressing 0.42",
    "progress nano 3",
]
FAULTS = {
    "progress 42%": "'42%' is not a fraction, as 0.42, or counts, as 3/10",
    "progress 3/10/2": "'3/10/2' is not a fraction",
    "progress 0x1": "'0x1' is not a fraction",
    "units 0.5": "'0.5' is not a count, as 3",
    "units -3": "'-3' is not a count",
    "units 3 of 10": "'of 10' follows the number; only a cursor may",
    "units 9999999999999999": "is not a count",
    "cursor {'a': 1}": "the cursor is not JSON: ",
    "units 3 cursor": "'cursor' follows the number",
    "units 3 cursor {": "the cursor is not JSON: ",
}
FFMPEG = "\n".join(
    [
        "frame={frame}",
        "fps=25.00",
        "stream_0_0_q=-1.0",
        "bitrate=  57.9kbits/s",
        "total_size=11877",
        "out_time_us={us}",
        "out_time_ms={us}",
        "out_time=00:00:0{s}",
        "dup_frames=0",
        "drop_frames=0",
        "speed= 1.3x",
        "progress={end}\n",
    ]
)


@pytest.mark.parametrize("line", REPORTS)
def test_a_report_is_read(line: str) -> None:
    assert report_in(line) == REPORTS[line]._replace(line=line.rstrip())


@pytest.mark.parametrize("line", ["progress nan", "progress NaN", "progress inf", "progress -inf"])
def test_a_number_that_is_none_is_read_as_it_is(line: str) -> None:
    said = report_in(line)
    assert said is not None
    assert not said.why
    assert said.progress is not None
    assert not 0 <= said.progress <= 1


@pytest.mark.parametrize("line", TEXTS)
def test_all_else_is_text(line: str) -> None:
    assert report_in(line) is None


@pytest.mark.parametrize("line", FAULTS)
def test_what_is_nearly_a_report_has_a_fault(line: str) -> None:
    said = report_in(line)
    assert said is not None
    assert FAULTS[line] in said.why


# The stream


def heard(
    *chunks: bytes, duration_s: float | None = None, frames: int | None = None
) -> tuple[bytes, list[Said]]:
    """Return what was passed on and what was reported."""
    passed: list[bytes] = []
    stream = ReportStream(passed.append, FfmpegReports(duration_s, frames))
    reports = [said for chunk in (*chunks, b"") for said in stream.hear(chunk)]
    return b"".join(passed), reports


LINES = st.lists(
    st.sampled_from([*REPORTS, *TEXTS, *FAULTS, "progress", "frame=1", "frame=x", "fps=25"])
).map("\n".join)


@given(LINES, st.lists(st.integers(0, 400)), st.sampled_from(["", "\n", "\r\n"]))
def test_it_does_not_matter_how_output_is_cut_into_chunks(
    text: str, cuts: list[int], end: str
) -> None:
    data = (text + end).encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[start:stop] for start, stop in pairwise(places)]
    assert heard(*chunks) == heard(data)


@given(st.binary())
def test_bytes_without_a_report_go_on_as_they_are(data: bytes) -> None:
    assert heard(data) == (data, [])


def test_a_report_is_taken_and_one_with_a_fault_goes_on_too() -> None:
    passed, reports = heard(b"a\nunits 3\nb\r\nunits x\nunits 3 of 10\nprogress 0.5")
    assert passed == b"a\nb\r\nunits x\nunits 3 of 10\n"
    assert [(said.done, said.progress) for said in reports] == [
        (3, None),
        (None, None),
        (None, 0.5),
    ]


@pytest.mark.parametrize("start", [b"Rendering... ", b"\r 42%", b"units? ", b"progress: "])
def test_text_goes_on_at_once(start: bytes) -> None:
    passed: list[bytes] = []
    assert [*ReportStream(passed.append, FfmpegReports(None, None)).hear(start)] == []
    assert passed == [start]


def test_a_line_that_is_too_long_for_a_report_is_text() -> None:
    line = b"cursor " + b"1" * LINE_BYTES_MAX
    assert heard(line[:10], line[10:], b"2\nunits 3/4\n")[0] == line + b"2\n"


# ffmpeg


def block(
    frame: int = 50, us: object = 2_000_000, s: str = "2.000000", end: str = "continue"
) -> str:
    return FFMPEG.format(frame=frame, us=us, s=s, end=end)


@pytest.mark.parametrize(
    ("printed", "known", "fraction"),
    [
        (block(), {"duration_s": 8.0}, 0.25),
        (block(), {"frames": 200}, 0.25),
        (block(), {"frames": 100, "duration_s": 8.0}, 0.5),
        (block(us="N/A"), {"duration_s": 8.0}, 0.25),
        (block()[block().index("bitrate") :], {"duration_s": 8.0}, 0.25),
        (block(us=9_000_000), {"duration_s": 8.0}, 1.0),
        (block(end="end"), {"duration_s": 8.0}, 0.25),
    ],
    ids=["time", "frames", "frames first", "the clock", "sound", "longer than said", "end"],
)
def test_a_block_of_ffmpeg_is_one_fraction(
    printed: str, known: dict[str, float], fraction: float
) -> None:
    passed, reports = heard(printed.encode(), **known)  # type: ignore[arg-type]  # frames are ints
    assert passed == b""
    assert [said.progress for said in reports] == [fraction]


@pytest.mark.parametrize("printed", [block(frame=0, us="N/A", s="N/A"), block(us=0), block(us=-5)])
def test_a_block_that_knows_nothing_yet_says_nothing(printed: str) -> None:
    printed = printed.replace("=00:00:02.000000", "=N/A")
    assert heard(printed.encode(), duration_s=8.0) == (b"", [])


def test_a_block_without_a_known_length_has_a_fault() -> None:
    passed, (said,) = heard(block().encode())
    assert passed == b""
    assert said.why == "ffmpeg tells no fraction; say --duration SECONDS, or --total FRAMES"


def test_another_line_ends_a_block_and_its_keys_are_text_from_there_on() -> None:
    printed = b"fps=25\nframe=50\nhello\nfps=25\nspeed=1x\nprogress=end\n"
    assert heard(printed, duration_s=8.0) == (
        b"fps=25\nhello\nfps=25\nspeed=1x\nprogress=end\n",
        [],
    )
