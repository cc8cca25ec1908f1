"""What stands at the right of the plots takes no more room than it needs, and what is left is the plots'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm_studio.ui.plots.rows import UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
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
