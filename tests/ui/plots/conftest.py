"""Stacks to test on, closed and deleted afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.rows import Curve, GradientRow, StackState, SymbolRow, UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import LIGHT

MakeState = Callable[..., StackState]


def unit_row(key: str, steps: int, units: int, view: View = View.HEAT, group: str = "lstm.0") -> UnitRow:
    values = np.random.default_rng(len(key)).uniform(-1, 1, (steps, units)).astype(np.float32)
    values.flags.writeable = False
    return UnitRow(
        key, f"Title {key}", "<i>h</i><sub>t</sub>", "note", "h", Role.SHORT_TERM, values, (-1, 1), view, group
    )


def make_state(steps: int = 50, units: int = 16, cursor: int = 27) -> StackState:
    """Return symbols, all three views and a gradient."""
    symbols = tuple("EabX" + "c" * (steps - 5) + "B")
    times = np.linspace(0, 1, steps)
    rows = (
        SymbolRow("input", "Input symbol", symbols, emphasis=frozenset("X")),
        unit_row("heat", steps, units),
        unit_row("lines", steps, units, View.LINES),
        unit_row("band", steps, units, View.BAND),
        unit_row("other", steps, units, group="rnn.0"),
        GradientRow(
            "gradient",
            "Gradient",
            "norm, log axis",
            (
                Curve("LSTM", "∂c", 10.0 ** (-times), Role.LONG_TERM),
                Curve("RNN", "∂h", 10.0 ** (-19 * (1 - times)), Role.RECURRENT, squares=True),
            ),
        ),
    )
    return StackState(rows, steps, cursor=cursor, reveal_all=True, selected={"lstm.0": 14})


@pytest.fixture
def stack(qapp: QApplication) -> Iterator[PlotStack]:
    """A shown stack of 1056 × 602 without rows."""
    made = PlotStack(LIGHT)
    made.resize(1056, 602)
    made.show()
    qapp.processEvents()
    yield made
    made.close()
    made.deleteLater()
