"""What items of the stack draw lies where they say: anything beyond is left behind when it changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.rows import Curve, GradientRow
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import LIGHT
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


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("height", [380, 601, 602, 604])
def test_nothing_is_seen_of_steps_that_are_still_to_come(stack: PlotStack, height: int, gradient: bool) -> None:
    # Its zeros are marked at the very bottom of the plot.
    none_left = GradientRow("gradient", "Gradient", "norm", (Curve("LSTM", "∂c", np.zeros(50), Role.LONG_TERM),))
    rows = (*make_state().rows[:-1], none_left) if gradient else make_state().rows[:-1]
    stack.resize(1056, height)
    stack.apply(replace(make_state(cursor=10), rows=rows, reveal_all=False))
    image = stack.grab().toImage()
    sunken = QColor(LIGHT.sunken).rgb()
    for row in rows[1:]:
        item = stack.row_item(row.key)
        left = int(item.scale_of_time.column_edges(11)[1]) + 4
        seen = {
            image.pixel(x, y)
            for x in range(left, stack.edges[1])
            for y in range(int(item.y()), int(item.y() + item.height))
        }
        # The first row says that they are.
        assert sunken in seen
        assert row is rows[1] or seen == {sunken}, row.key


def test_nothing_is_revealed_above_the_axis_where_rows_are_scrolled(stack: PlotStack) -> None:
    state = replace(make_state(cursor=10), reveal_all=False)
    stack.resize(1056, 230)
    stack.apply(state)
    assert stack._bar.isVisible()
    left = round(stack.axis_item.scale_of_time.column_edges(10)[1]) + 6
    allowed = {LIGHT.sunken.lower(), LIGHT.panel.lower(), LIGHT.frame.lower()}
    for offset in range(stack._bar.maximum() + 1):
        stack._bar.setValue(offset)
        image = stack.grab().toImage()
        bottom = round(stack.axis_item.boundingRect().top())
        shown = {
            image.pixelColor(x, y).name() for x in range(left, stack.edges[1], 9) for y in range(bottom - 4, bottom)
        }
        assert shown <= allowed, offset


def test_the_cursor_draws_within_its_bounds_wherever_rows_are_scrolled_to(stack: PlotStack) -> None:
    stack.resize(1056, 230)
    stack.apply(make_state(cursor=10))
    row, halved = stack.row_item("gradient"), 0
    for offset in range(stack._bar.maximum() + 1):
        stack._bar.setValue(offset)
        assert not overdrawn(stack.cursor_item), offset
        bottom = stack.cursor_item.boundingRect().bottom()
        halved += any(0 <= bottom - row.y() - mark.y < 3 for mark in row.marks(10))
    assert halved, "else there was nothing that could reach out"
