"""The old exporter's progress file is taken as it was written, or not at all."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.legacy import PROTOCOLS, WRITTEN_AT, Sample, fields, samples, written

from resumelog.application.errors import (
    BadStateFile,
    BadStateProgress,
    DamagedStateFile,
    ForeignStateFile,
)
from resumelog.infrastructure.transfer.export_state import read_export_state

every_sample = pytest.mark.parametrize("sample", samples().values(), ids=samples())
VALID = [sample for sample in samples().values() if sample.progress is not None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the old exporter kept its progress."""
    return tmp_path / ".export_state"


def refusal(file: Path, content: bytes, error: type[BadStateFile]) -> str:
    file.write_bytes(content)
    with pytest.raises(error) as refused:
        read_export_state(file)
    assert type(refused.value) is error
    assert (refused.value.path, file.read_bytes()) == (str(file), content)
    return str(refused.value)


def progress_of(file: Path, content: bytes) -> float:
    file.write_bytes(content)
    return read_export_state(file).progress


# Samples


@every_sample
def test_a_sample_is_what_the_manifest_says(sample: Sample) -> None:
    content = sample.path.read_bytes()
    assert (len(content), sha256(content).hexdigest()) == (sample.bytes, sample.sha256)


@pytest.mark.parametrize("sample", VALID, ids=lambda sample: sample.path.stem)
def test_a_sample_says_its_progress_its_time_and_where_it_comes_from(sample: Sample) -> None:
    state = read_export_state(sample.path)
    assert (state.progress, state.sha256) == (sample.progress, sample.sha256)
    assert state.source == str(sample.path)
    assert state.recorded_at.replace(microsecond=0) == datetime(2026, 11, 22, 0, 5, 9, tzinfo=UTC)
    assert state.recorded == pickle.loads(sample.path.read_bytes())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("corrupt_empty", "it is empty"),
        ("corrupt_truncated", "it is cut off: 62 bytes are missing"),
        ("corrupt_checksum", "its checksum is not that of its progress"),
        ("corrupt_bitflip", "its checksum is not that of its progress"),
    ],
)
def test_a_damaged_sample_is_refused_with_the_reason(file: Path, name: str, why: str) -> None:
    assert samples()[name].progress is None
    told = refusal(file, samples()[name].path.read_bytes(), DamagedStateFile)
    assert (
        f"{file} can't be used: {why}; nothing was imported; stop the old system if it still writes there"
        in told
    )


# What the old exporter could have written


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("progress", [0.0, 5e-324, 0.1, 1 / 3, 0.9999999999999999, 1.0, 0, 1, -0.0])
def test_a_fraction_is_taken_exactly(file: Path, protocol: int, progress: float) -> None:
    found = progress_of(file, written(progress, protocol))
    assert (found, type(found)) == (progress, float)
    assert math.copysign(1, found) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_order_of_the_fields_is_free(file: Path, protocol: int) -> None:
    turned = dict(reversed(fields(0.64).items()))
    assert progress_of(file, pickle.dumps(turned, protocol)) == 0.64


@pytest.mark.parametrize(
    "zone_h", [-12, -3.5, 0, 5.75, 14], ids=lambda hours: f"{hours} hours from UTC"
)
@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 29, 2, 30, tzinfo=UTC),  # a local time that a change of clocks leaves out
        datetime(2026, 10, 25, 2, 30, 0, 999_999, UTC),  # and one that it repeats
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC),  # a clock that was wrong
    ],
    ids=str,
)
def test_the_time_is_that_of_the_timestamp_wherever_it_was_written(
    file: Path, at: datetime, zone_h: float
) -> None:
    local = at + timedelta(hours=zone_h)
    file.write_bytes(written(at=at, date=f"{local:%Y-%m-%d %H:%M:%S}"))
    assert abs(read_export_state(file).recorded_at - at) < timedelta(microseconds=2)


def test_a_timestamp_of_whole_seconds_is_a_time(file: Path) -> None:
    file.write_bytes(written(timestamp=int(WRITTEN_AT.timestamp())))
    assert read_export_state(file).recorded_at == WRITTEN_AT.replace(microsecond=0)


# What it recorded without looking


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "progress",
    [
        *(math.nan, math.inf, -math.inf, -0.1, 1.0000000000000002, 7.5),
        *(7, -1, 300, 70_000, 10**300),
        *("half", "0.5", "", "长" * 300, None, True, False),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_progress_that_is_no_fraction_is_refused(file: Path, progress: Any, protocol: int) -> None:
    told = refusal(file, written(progress, protocol), BadStateProgress)
    assert f"says {repr(progress)[:80]}, which is no number from 0.0 to 1.0; take an older" in told


# What is damaged


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_that_is_cut_off_anywhere_is_damaged(file: Path, protocol: int) -> None:
    whole = written(0.64, protocol)
    for size in range(len(whole)):
        refusal(file, whole[:size], DamagedStateFile)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("more", [b"\0", b".", b"\n", written(0.5), b"\0" * 500])
def test_a_file_that_goes_on_behind_its_end_is_damaged(
    file: Path, protocol: int, more: bytes
) -> None:
    refusal(file, written(0.64, protocol) + more, DamagedStateFile)


@pytest.mark.parametrize(
    "others",
    [
        {"checksum": "0" * 32},
        {"checksum": fields()["checksum"].upper()},
        {"checksum": None},
        {"timestamp": math.nan},
        {"timestamp": math.inf},
        {"timestamp": 1e300},
        {"timestamp": "now"},
        {"timestamp": None},
        {"timestamp": 10**30},
        {"timestamp": WRITTEN_AT.timestamp() + 90_000},
        {"date": "2026-11-24 00:05:09"},
        {"date": "2026-11-22T00:05:09"},
        {"date": "2026-11-22 0:05:09"},
        {"date": "2026-11-22 00:05:09+00:00"},
        {"date": "2026-13-22 00:05:09"},
        {"date": ""},
        {"date": None},
    ],
    ids=str,
)
def test_a_file_whose_parts_contradict_each_other_is_damaged(
    file: Path, others: dict[str, Any]
) -> None:
    refusal(file, written(**others), DamagedStateFile)


# What is another's


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in fields().items() if key != name}


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({}),
        *(pickle.dumps(without(name)) for name in fields()),
        written(more=1),
        pickle.dumps({**without("progress"), "Progress": 0.25}),
        pickle.dumps({**without("progress"), 7: 0.25}),
        pickle.dumps(None),
        pickle.dumps(0.25),
        pickle.dumps("progress"),
        b"\x80\x04}(}(K\x01K\x02uu.",
        b"\x80\x04}" * 2000,
        b"\x80\x04}(u.",
        b"\x80\x04}(K\x01u.",
        b"\x80\x04(K\x01K\x02u.",
        b"\x80\x04.",
        b"\x80\x00" + written(protocol=1),
        b"\x80\x06" + written(protocol=5)[2:],
        written(protocol=2)[:-2] + pickle.dumps(fields(0.75), 2)[6:-2] + b"u.",
        b'{"progress": 0.25}',
        b"\xff\xfe",
        b"\n",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_no_dict_of_those_fields_is_anothers(file: Path, content: bytes) -> None:
    refusal(file, content, ForeignStateFile)


def test_a_protocol_that_the_old_exporter_never_wrote_is_named(file: Path) -> None:
    why = refusal(file, pickle.dumps(fields(), protocol=0), ForeignStateFile)
    assert "it is a pickle of protocol 0, and the old exporter wrote newer ones" in why


def test_a_field_that_is_there_twice_is_refused(file: Path) -> None:
    twice = written(0.25, 2)[:-2] + written(0.75, 2)[len(b"\x80\x02}q\x00(") :]
    assert pickle.loads(twice)["progress"] == 0.75
    assert "it holds a field twice" in refusal(file, twice, ForeignStateFile)
