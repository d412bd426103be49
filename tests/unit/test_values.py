"""The bounds of what events are made of."""

from __future__ import annotations

import math
import pickle
import sys
from typing import Any

import pytest
from pydantic import ValidationError
from support.canonical import CLIP, NOW, WORKER
from support.scenario import nothing_yet
from support.stories import KINDS

from resumelog.domain.errors import BadKey, LeaseLost, NotJson, Refused, ResumelogError, TooLarge
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.values import (
    ERROR_BYTES_MAX,
    KEY_CHARS_MAX,
    PAYLOAD_BYTES_MAX,
    PAYLOAD_INLINE_BYTES_MAX,
    Artifact,
    Payload,
    canonical_json,
    checked_key,
    error_text,
    fingerprint,
)

QUOTES = len('""')
MARK = " … [cut, 9000 bytes in all]"


def test_a_key_may_have_512_characters_of_any_script() -> None:
    key = "场" * KEY_CHARS_MAX
    assert checked_key(key) == key


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "it must have 1 to 512 characters"),
        ("x" * 513, "it must have 1 to 512 characters"),
        ("a\tb", "it has control characters"),
        ("a\u0085b", "it has control characters"),
        ("a\udc80", "it has control characters"),
        (b"a", "it is not text"),
    ],
)
def test_a_bad_key_says_why(key: object, why: str) -> None:
    with pytest.raises(BadKey) as refused:
        checked_key(key, "the step")
    assert (refused.value.what, refused.value.why) == ("the step", why)


def test_an_error_names_its_class() -> None:
    assert error_text(OSError("磁盘满了")) == "OSError: 磁盘满了"


def test_an_error_of_8_kib_is_kept_whole() -> None:
    assert error_text("x" * ERROR_BYTES_MAX) == "x" * ERROR_BYTES_MAX


def test_a_longer_error_is_cut_to_8_kib_with_a_mark() -> None:
    text = error_text("x" * 9000)
    assert text == "x" * (ERROR_BYTES_MAX - len(MARK.encode())) + MARK
    assert len(text.encode()) == ERROR_BYTES_MAX


def test_an_error_is_never_cut_inside_a_character() -> None:
    text = error_text("🎬" * 2250)
    assert text.endswith(MARK)
    assert {*text.removesuffix(MARK)} == {"🎬"}


def test_an_error_with_bytes_that_are_no_text_is_still_told() -> None:
    assert error_text("/out/\udcff") == r"/out/\udcff"


def test_a_value_of_1_kib_stays_in_its_event() -> None:
    value = "x" * (PAYLOAD_INLINE_BYTES_MAX - QUOTES)
    payload = Payload.of(value)
    assert (payload.codec, payload.inline, payload.size) == ("inline", value, 1024)


def test_a_larger_value_stands_beside_its_event() -> None:
    value = "x" * (PAYLOAD_INLINE_BYTES_MAX - QUOTES + 1)
    payload = Payload.of(value)
    assert (payload.codec, payload.inline, payload.size) == ("zlib", None, 1025)
    assert payload.value(payload.content) == value


def test_a_value_over_64_mib_is_refused() -> None:
    with pytest.raises(TooLarge) as refused:
        Payload.of("x" * (PAYLOAD_BYTES_MAX - QUOTES + 1), "the result", "job 1")
    assert refused.value.data == {
        "what": "the result",
        "size": PAYLOAD_BYTES_MAX + 1,
        "limit": PAYLOAD_BYTES_MAX,
    }


def test_a_value_of_64_mib_is_kept() -> None:
    assert Payload.of("x" * (PAYLOAD_BYTES_MAX - QUOTES)).size == PAYLOAD_BYTES_MAX


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {"x": {1}}, float("nan"), "\ud800"])
def test_a_value_that_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(NotJson):
        Payload.of(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({1, 2}, "it is of type set"),
        ({"dict": [0, {"b": (1,)}]}, "it has a value of type tuple at dict.1.b"),
        ({"a": {1: 2}}, "the key a.1 is of type int, and no text"),
        ({"a": math.nan}, "Out of range float values"),
    ],
)
def test_it_is_told_what_json_can_not_hold_and_where(value: Any, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        Payload.of(value)


def test_a_payload_that_is_read_back_equals_the_one_that_was_made() -> None:
    made = Payload.of("很长 🎬" * 500)
    assert Payload.model_validate_json(made.model_dump_json()) == made


def test_payloads_of_different_values_differ() -> None:
    assert Payload.of("a" * 2000) != Payload.of("b" * 2000)


def test_the_bytes_of_a_payload_are_not_part_of_its_event() -> None:
    assert {*Payload.of("x" * 2000).model_dump()} == {"sha256", "size", "codec", "inline"}


def test_a_payload_without_its_bytes_says_where_they_are() -> None:
    read_back = Payload.model_validate_json(Payload.of("x" * 2000).model_dump_json())
    with pytest.raises(LookupError, match="payload table"):
        read_back.value()


def test_a_payload_can_be_brought_into_its_event() -> None:
    large = Payload.of({"剧本": "x" * 2000})
    assert large.inlined().value() == {"剧本": "x" * 2000}
    assert (large.inlined().sha256, large.inlined().size) == (large.sha256, large.size)


def test_canonical_json_sorts_keys_and_keeps_every_script() -> None:
    assert canonical_json({"b": 1, "a": "场🎬"}) == '{"a":"场🎬","b":1}'.encode()


def test_a_fingerprint_depends_on_each_part_and_its_place() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint("a", "b"), fingerprint("b", "a"), fingerprint("ab")}) == 3


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_stored_progress_out_of_bounds_is_not_read(progress: float) -> None:
    job = nothing_yet(KINDS[0])
    with pytest.raises(ValidationError):
        ProgressSaved(originator_id=job.id, originator_version=1, timestamp=NOW, progress=progress)


@pytest.mark.parametrize("sha256", ["", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_a_digest_is_64_lower_case_hex_digits(sha256: str) -> None:
    with pytest.raises(ValidationError):
        Artifact.model_validate({**CLIP.model_dump(), "sha256": sha256})


def test_a_worker_is_told_as_people_name_a_process() -> None:
    assert str(WORKER) == "pid 4711 on 渲染-01"


def test_an_error_keeps_its_data_and_tells_what_to_do() -> None:
    error = LeaseLost("export 成片", epoch=1, current=2)
    assert (error.job, error.epoch, error.current) == ("export 成片", 1, 2)
    assert str(error) == ("export 成片: epoch 1 is over, the log is at epoch 2; stop this worker")


def leaves(error: type[Refused]) -> list[type[Refused]]:
    """Return the classes of errors that are raised themselves."""
    below = [leaf for child in error.__subclasses__() for leaf in leaves(child)]
    return below or [error]


@pytest.mark.parametrize("error", leaves(Refused), ids=lambda error: error.__name__)
def test_a_refusal_crosses_processes_with_its_data(error: type[Refused]) -> None:
    made = error("job 1", **dict.fromkeys(error.__annotations__, 3))
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), again.job, again.data) == (error, "job 1", made.data)
    assert str(again) == str(made)


@pytest.mark.parametrize("error", leaves(Refused), ids=lambda error: error.__name__)
def test_every_refusal_stands_in_the_tree_of_errors(error: type[ResumelogError]) -> None:
    assert error.__name__ in (sys.modules[error.__module__].__doc__ or "")
