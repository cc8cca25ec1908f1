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


@pytest.mark.parametrize(
    "module",
    ["engine.objectives", "engine.storage", "engine.trace", "networks.cells", "networks.companion", "networks.signals"],
)
def test_what_the_window_needs_at_once_imports_no_torch(module: str) -> None:
    program = f"import sys, lstm_studio.{module} as m; getattr(m, 'cells', dict)(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
