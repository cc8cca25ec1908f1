from __future__ import annotations

import subprocess
import sys

import pytest

from lstm_studio.engine.objectives import CHOICES, Objective, ObjectiveKind, parse
from lstm_studio.errors import TraceError


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("last-hidden", Objective(ObjectiveKind.LAST_HIDDEN)),
        ("next-step", Objective(ObjectiveKind.NEXT_STEP)),
        ("target", Objective(ObjectiveKind.TARGET)),
        ("hidden:37:3", Objective(ObjectiveKind.HIDDEN, 37, 3)),
        ("hidden:-1:0", Objective(ObjectiveKind.HIDDEN, -1, 0)),
    ],
)
def test_what_is_written_is_read(text: str, objective: Objective) -> None:
    assert parse(text) == objective
    assert str(objective) == text


@pytest.mark.parametrize("text", ["", "loss", "hidden", "hidden:3", "hidden:a:b", "hidden:1:2:3", "target:1"])
def test_anything_else_is_refused_with_what_can_be_written(text: str) -> None:
    with pytest.raises(TraceError) as raised:
        parse(text)
    assert all(choice.pattern in raised.value.cure for choice in CHOICES)


def test_every_kind_is_offered_once() -> None:
    assert [choice.kind for choice in CHOICES] == list(ObjectiveKind)


def test_a_choice_says_all_that_its_objective_needs() -> None:
    for choice in CHOICES:
        objective = choice.with_numbers(5, 2)
        assert parse(str(objective)) == objective
        numbers = {name for name in ("{t}", "{unit}") if name in choice.pattern}
        assert choice.needs_step_and_unit == (numbers == {"{t}", "{unit}"})
        assert str(objective) == choice.pattern.format(t=5, unit=2)
    possible = [choice.pattern for choice in CHOICES if choice.is_possible(has_readout=False, has_target=True)]
    assert possible == ["last-hidden", "hidden:{t}:{unit}"]
    assert [c.pattern for c in CHOICES if c.is_possible(has_readout=True, has_target=False)] == [*possible, "next-step"]


@pytest.mark.parametrize(
    "module",
    ["engine.objectives", "engine.storage", "engine.trace", "networks.cells", "networks.companion", "networks.signals"],
)
def test_what_the_window_needs_at_once_imports_no_torch(module: str) -> None:
    program = f"import sys, lstm_studio.{module} as m; getattr(m, 'cells', dict)(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
