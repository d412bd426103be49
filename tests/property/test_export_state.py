"""Whatever stands in a progress file: it is refused, or says what the old exporter read from it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.canonical import DIGEST
from support.legacy import PROTOCOLS, as_the_old_exporter_read_it, fields, written
from support.strategies import JSON_VALUES, TEXTS

from resumelog.application.errors import BadStateFile
from resumelog.infrastructure.transfer.export_state import export_state_in
from resumelog.infrastructure.transfer.old_file import OldFile

FRACTIONS = st.floats(0, 1)
NUMBERS = st.floats() | st.integers()
protocols = st.sampled_from(PROTOCOLS)
files = st.builds(written, FRACTIONS, protocols)


def read(content: bytes) -> float | None:
    """Return the progress that is taken; None for a file that is refused."""
    try:
        return export_state_in(OldFile("/旧/.export_state", content, DIGEST)).progress
    except BadStateFile:
        return None


def flipped(content: bytes, bit: int) -> bytes:
    at, within = divmod(bit, 8)
    return content[:at] + bytes([content[at] ^ 1 << within]) + content[at + 1 :]


def require_refused_or_exact(content: bytes) -> None:
    found = read(content)
    if found is not None:
        assert found == as_the_old_exporter_read_it(content)
        assert 0 <= found <= 1


@given(FRACTIONS, protocols)
def test_every_fraction_is_taken_exactly(progress: float, protocol: int) -> None:
    assert read(written(progress, protocol)) == progress


@given(st.binary(max_size=200))
@example(b"S'\\q'\n.")  # a warning in the standard library's own reader
def test_any_bytes(content: bytes) -> None:
    require_refused_or_exact(content)


@given(files, st.data())
def test_bytes_in_the_place_of_others(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    other = data.draw(st.binary(max_size=12))
    require_refused_or_exact(content[:start] + other + content[end:])


@given(files, st.data())
def test_any_bit_that_flips(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    require_refused_or_exact(flipped(content, at))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_bit_of_a_file_that_flips(protocol: int) -> None:
    content = written(0.64, protocol)
    for at in range(len(content) * 8):
        require_refused_or_exact(flipped(content, at))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "progress": NUMBERS | JSON_VALUES,
            "timestamp": NUMBERS | JSON_VALUES,
            "date": TEXTS,
            "checksum": TEXTS,
            "more": JSON_VALUES,
        },
    ),
    protocols,
)
def test_a_dict_with_other_values(others: dict[str, Any], protocol: int) -> None:
    require_refused_or_exact(pickle.dumps({**fields(), **others}, protocol))


@given(JSON_VALUES, st.integers(0, 5))
def test_any_value_of_another_shape_is_refused(value: Any, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)) is None


@given(NUMBERS)
def test_no_number_that_is_no_fraction_is_taken(progress: float) -> None:
    found = read(written(progress))
    assert found == progress if 0 <= progress <= 1 else found is None
