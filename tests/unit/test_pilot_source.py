"""A pilot.toml that can't be used is refused with the place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from resumelog import BadPilotFile, PilotOptions, read_pilot

CHAIN = """
exists = "any"
[prepare]
run = ["true", "{simulation_id}"]
[start]
run = ["true", "{from_round}"]
[monitor]
run = ["true"]
[report]
run = ["true"]
"""


def refused(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "pilot.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadPilotFile) as refusal:
        read_pilot(path)
    message = str(refusal.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def test_the_default_chain_is_read(tmp_path: Path) -> None:
    (tmp_path / "pilot.toml").write_text(CHAIN)
    host, options = read_pilot(tmp_path / "pilot.toml")
    assert [*host.steps] == ["preparing", "starting", "monitoring", "generating_report"]
    assert options == PilotOptions()


def test_options_and_steps_of_ones_own_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pilot.toml"
    path.write_text(
        'exists = "any"\n[options]\nattempts_max = 7\nbackoff_s = 0\n'
        '[[steps]]\nname = "draw"\nrun = ["true"]\nlimit_s = 5\n'
        '[[steps]]\nname = "wait"\nrun = ["true"]\nevery_s = 2\nlimit_s = 9\n'
    )
    host, options = read_pilot(path)
    assert [*host.steps] == ["draw", "wait"]
    assert [getattr(step, "limit_s", None) for step in host.steps.values()] == [5, 9]
    assert (options.attempts_max, options.backoff_s) == (7, 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ": exists: it must be there"),
        ("exists = any", ", line 1: it is not TOML: "),
        (b'exists = "\xff"', ": it is not UTF-8; save it as UTF-8"),
        ('exists = "some"', ', line 1: exists: it must be "any", { folder'),
        ('exists = "any"', ": [start] and [monitor] and [report] must be there, or [[steps]]"),
        (CHAIN + "retries = 3", ", line 11: report.retries: there is no such key"),
        (CHAIN + "[repot]", ", line 11: repot: there is no such key"),
        (CHAIN.replace('"any"', "{ dir = 1 }"), ", line 2: exists.dir: there is no such key"),
        (CHAIN + 'cwd = "gone"', ", line 11: report.cwd: there is no folder"),
        (CHAIN + "limit_s = 0", ", line 11: report.limit_s: it must be more than 0"),
        (CHAIN + 'limit_s = "5"', ", line 11: report.limit_s: it must be a number"),
        (CHAIN + "limit_s = true", ", line 11: report.limit_s: it must be a number"),
        (CHAIN + "[options]\nattempts_max = true", "attempts_max: it must be a whole number"),
        (CHAIN + "[options]\nlook_s = inf", "line 12: options.look_s: it must be finite"),
        (CHAIN + "limit_s = nan", ", line 11: report.limit_s: "),
        (CHAIN.replace('["true"]', '"true"', 1), ", line 8: monitor.run: it must be a list"),
        (CHAIN.replace('["true"]', "[]", 1), ", line 8: monitor.run: it must not be empty"),
        (CHAIN.replace('["true"]', '["no-such"]', 1), "line 8: monitor.run: there is no command"),
        (CHAIN.replace('["true"]', '["./gone"]', 1), "line 8: monitor.run: there is no command"),
        (
            CHAIN.replace("{from_round}", "{round}"),
            "line 6: start.run: {round} in '{round}' has no",
        ),
        (CHAIN.replace('"true", "{sim', '"{sim'), "line 4: prepare.run: {simulation_id} in "),
        (
            CHAIN.replace('["true"]', '["a\\u0000b"]', 1),
            "line 8: monitor.run.1: it must not hold a NUL",
        ),
        (
            CHAIN + "[options]\nattempts_max = 0",
            "line 12: options.attempts_max: it must be more than 0",
        ),
        (CHAIN + "[options]\nbackoff = 1", "line 12: options.backoff: there is no such key"),
        (CHAIN + '[[steps]]\nname = "a"\nrun = ["true"]', "it has [[steps]] of its own, and [prep"),
        ('exists = "any"\nsteps = []', ", line 2: steps: it must not be empty"),
        (
            'exists = "any"\n[[steps]]\nname = "completed"\nrun = ["true"]',
            ", line 3: steps.1.name: no step may be called 'completed'",
        ),
        (
            'exists = "any"\n' + '[[steps]]\nname = "a"\nrun = ["true"]\n' * 2,
            ": steps: the name 'a' stands there twice",
        ),
        (
            'exists = "any"\n[[steps]]\nname = "a"\nrun = ["true"]\n[[steps]]\nrun = ["true"]',
            "steps.2.name: it must be there",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str | bytes, why: str) -> None:
    assert why in refused(tmp_path, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadPilotFile, match=r"pilot\.toml: it can't be read \(No such file"):
        read_pilot(tmp_path / "pilot.toml")
