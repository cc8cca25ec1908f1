"""What items of the stack draw lies where they say: anything beyond is left behind when it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.stack import PlotStack
from tests.ui.painted import overdrawn
from tests.ui.plots.conftest import make_state


@pytest.mark.parametrize("unit", [0, 7, 15])
def test_rows_and_margins_draw_within_their_bounds(stack: PlotStack, unit: int) -> None:
    stack.resize(1056, 380)
    stack.apply(replace(make_state(), selected={"lstm.0": unit, "rnn.0": unit}))
    canvas = stack.findChild(Canvas)
    assert canvas is not None
    items = [item for item in canvas.scene().items() if item.isVisible()]
    beyond = {repr(item): over for item in items if (over := overdrawn(item))}
    assert len(items) > 12
    assert not beyond
