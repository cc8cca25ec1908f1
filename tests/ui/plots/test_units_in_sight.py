"""Rows that show some of the units: what is drawn, pointed at and named."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from lstm_studio.ui.plots.band_item import BandItem
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.plots.lines_item import LinesItem
from lstm_studio.ui.plots.raster import to_index
from lstm_studio.ui.plots.rows import StackState, UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import LIGHT
from tests.ui.plots.conftest import make_state, unit_row
from tests.ui.plots.test_stack import centre_of, colour_at, picture


def test_units_that_are_out_of_sight_are_not_drawn_and_the_others_take_their_room(stack: PlotStack) -> None:
    state = make_state(cursor=49)
    shown = np.array([9, 2, 14])
    stack.apply(replace(state, order={"lstm.0": shown}, pinned={"lstm.0": 1}))
    item = stack.row_item("heat")
    assert isinstance(item, HeatItem)
    image = picture(stack)
    expected = LIGHT.signed_table[to_index(item.row.values, (-1, 1))]
    for place, unit in enumerate(shown):
        assert item.unit_at((place + 0.5) * item.height / 3) == unit
        for fraction in (0.1, 0.9):
            y = item.y() + (place + fraction) * item.height / 3
            red, green, blue = expected[3, unit, :3]
            assert colour_at(image, centre_of(stack, "heat", 3).x(), y) == QColor(red, green, blue).name().upper()
    assert [label.text for label in item.left_labels()] == ["9", "2", "14"]
    # Beside the pinned unit alone stands the bar.
    assert colour_at(image, item.x() - 2, item.y() + 4) == LIGHT.ink2
    assert colour_at(image, item.x() - 2, item.y() + item.height / 3 + 4) != LIGHT.ink2
    assert "3 of 16 units" in item.summary()


def test_lines_and_band_are_those_of_the_units_in_sight(stack: PlotStack) -> None:
    state = make_state(cursor=49)
    stack.apply(replace(state, order={"lstm.0": np.array([9, 2])}, selected={}))
    lines, band = stack.row_item("lines"), stack.row_item("band")
    assert isinstance(lines, LinesItem)
    assert isinstance(band, BandItem)
    nearest = [lines.unit_near(5, fraction * lines.height) for fraction in (0, 1)]
    assert set(nearest) == {9, 2}
    values = band.row.values[:, [9, 2]]
    np.testing.assert_allclose(band.bands[2], values.mean(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(band.bands[0], np.quantile(values, 0.05, axis=1), rtol=1e-5, atol=1e-6)
    assert lines.value_text(3) == ("2 of 16 units", "")


def test_a_selected_unit_out_of_sight_keeps_its_value_and_has_no_mark(stack: PlotStack) -> None:
    stack.apply(replace(make_state(), order={"lstm.0": np.array([9, 2])}))
    item = stack.row_item("heat")
    assert isinstance(item, HeatItem)
    assert item.value_text(3)[0] == "unit 14"
    assert not any(label.bold for label in item.left_labels())
    asked: list[tuple[str, int]] = []

    def note(group: str, unit: int) -> None:
        asked.append((group, unit))

    stack.unit_requested.connect(note)
    QTest.keyClick(stack, Qt.Key.Key_Down)
    QTest.keyClick(stack, Qt.Key.Key_Up)
    assert asked == [("lstm.0", 9), ("lstm.0", 2)]
    assert not picture(stack).isNull()


def test_the_order_moves_units_and_their_colours(stack: PlotStack) -> None:
    state = make_state(cursor=49)
    order = np.arange(16)[::-1].copy()
    stack.apply(replace(state, order={"lstm.0": order}))
    row, item = state.rows[1], stack.row_item("heat")
    assert isinstance(row, UnitRow)
    assert isinstance(item, HeatItem)
    assert [item.unit_at((place + 0.5) * item.height / 16) for place in range(16)] == order.tolist()
    image = picture(stack)
    red, green, blue, _ = LIGHT.signed_table[to_index(row.values, row.levels)[5, 15]]
    point = centre_of(stack, "heat", 5, 0.5 / 16)
    assert colour_at(image, point.x(), point.y()) == QColor(int(red), int(green), int(blue)).name().upper()


def test_up_and_down_walk_through_the_units_in_their_order(stack: PlotStack) -> None:
    state = make_state()
    order = np.array([3, 14, 7, *(u for u in range(16) if u not in (3, 14, 7))])
    stack.apply(replace(state, order={"lstm.0": order}))
    asked: list[int] = []

    def keep(_group: str, unit: int) -> None:
        asked.append(unit)

    stack.unit_requested.connect(keep)
    QTest.keyClick(stack, Qt.Key.Key_Down)
    QTest.keyClick(stack, Qt.Key.Key_Up)
    assert asked == [7, 3]


def test_a_selection_or_order_that_does_not_fit_is_ignored(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(
        replace(
            state,
            selected=MappingProxyType({"lstm.0": 99}),
            order=MappingProxyType({"lstm.0": np.arange(14, 17)}),
        )
    )
    item = stack.row_item("heat")
    assert isinstance(item, HeatItem)
    assert item.selected is None
    assert item.order is None
    assert not picture(stack).isNull()


def test_a_single_feature_shows_its_value_without_being_selected(stack: PlotStack) -> None:
    values = np.linspace(100, 500, 50, dtype=np.float32)[:, None]
    row = replace(
        unit_row("input", 5, 1, View.LINES, group=""), values=values, names=("passengers",), levels=(100, 500)
    )
    stack.apply(StackState((row,), 50, cursor=49))
    item = stack.row_item("input")
    assert item.value_text(49) == ("passengers", "500.00")
    assert item.value_text(-1) == ("passengers", "")
    assert len(item.marks(49)) == 1
    asked: list[int] = []
    stack.unit_requested.connect(lambda _group, unit: asked.append(unit))
    QTest.keyClick(stack, Qt.Key.Key_Down)
    assert asked == []


@pytest.mark.parametrize("units", [1, 2])
def test_rows_of_fewer_units_forget_the_selection_of_another(stack: PlotStack, units: int) -> None:
    rows = tuple(unit_row(view.name, 9, 16, view) for view in View)
    stack.apply(StackState(rows, 9, selected={"lstm.0": 2}))
    fewer = tuple(unit_row(view.name, 9, units, view) for view in View)
    stack.apply(StackState(fewer, 9, selected={"lstm.0": 0}))
    heat = stack.row_item(View.HEAT.name)
    assert isinstance(heat, HeatItem)
    assert [label.text for label in heat.left_labels()] == ["0", "1"][:units]
    assert not picture(stack).isNull()
