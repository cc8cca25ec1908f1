"""What stands at the right of the plots takes no more room than it needs, and what is left is the plots'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import LIGHT, Text
from tests.ui.plots.conftest import make_state


def test_hardly_any_room_stays_empty_beside_the_plots(stack: PlotStack) -> None:
    heat_maps = tuple(row for row in make_state().rows if not (isinstance(row, UnitRow) and row.view is not View.HEAT))
    stack.apply(replace(make_state(), rows=heat_maps))
    for width in range(900, 1400, 7):
        stack.resize(width, 602)
        item = stack.row_item("heat")
        bar_and_values = item.side_needed()
        assert 30 < bar_and_values < 60
        margin = max(bar_and_values, stack.row_item("gradient").side_needed())
        empty = width - stack.edges[1] - margin
        room = width - stack.edges[0] - margin
        assert 0 <= empty <= room / 32 + 6, width
        columns = np.diff(item.scale_of_time.edges)
        assert columns.max() - columns.min() <= 1


def test_a_row_that_needs_more_room_beside_it_gets_it(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    before = stack.edges
    wide = tuple(
        replace(row, levels=(-5000, 5000)) if isinstance(row, UnitRow) and row.key == "heat" else row
        for row in state.rows
    )
    stack.apply(replace(state, rows=wide))
    needed = stack.row_item("heat").side_needed()
    assert needed > max(stack.row_item(row.key).side_needed() for row in state.rows if row.key != "heat")
    assert stack.edges[1] <= 1056 - needed
    stack.apply(state)
    assert stack.edges == before


@pytest.mark.parametrize("height", [320, 440, 900])
@pytest.mark.parametrize("percent", [100, 150, 200])
def test_titles_are_whole_whether_the_button_stands_beside_or_below_them(
    qapp: QApplication, stack: PlotStack, percent: int, height: int
) -> None:
    usual = qapp.font()
    large = qapp.font()
    large.setPixelSize(round(13 * percent / 100))
    qapp.setFont(large)
    try:
        titles = {"heat": "RNN short-term memory", "lines": "Long-term memory", "band": "Forget gate"}
        rows = tuple(replace(row, title=titles.get(row.key, row.title)) for row in make_state().rows)
        stack.resize(1056, height)
        stack.apply(replace(make_state(), rows=rows))
        stack.apply_theme(LIGHT)
        look = Look(LIGHT)
        for key, title in titles.items():
            header = stack.row_header(key)
            assert header.title_room >= look.metrics(Text.ROW_LABEL).horizontalAdvance(title), key
        # And the plots keep more than half of what is there.
        assert stack.edges[0] < 1056 / 2
        assert (stack.row_header("heat").lines == 1) == ((percent, height) in {(150, 320), (200, 320), (200, 440)})
    finally:
        qapp.setFont(usual)


def test_the_longest_titles_leave_the_plots_their_room(stack: PlotStack) -> None:
    stack.resize(500, 602)
    rows = tuple(replace(row, title="A title without end " * 9) for row in make_state().rows if row.key == "heat")
    stack.apply(replace(make_state(), rows=rows))
    assert stack.edges[0] < 500 * 0.5
    assert stack.edges[1] - stack.edges[0] > 150
