"""Rows that are compared, as pixels: dashes where the two differ, words where one has ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QContextMenuEvent
from PySide6.QtWidgets import QApplication

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.overlay import differing
from lstm_studio.ui.plots.rows import Curve, GradientRow, StackState, SymbolRow, UnitRow, View
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.plots.unit_row import UnitItem
from lstm_studio.ui.theme import LIGHT


def row_of(steps: int, view: View, units: int = 4, *, key: str = "0.cell_state") -> UnitRow:
    values = np.sin(np.arange(steps * units).reshape(steps, units)).astype(np.float32)
    return UnitRow(key, "Cell", "c", "", "c", Role.LONG_TERM, values, (-1.0, 1.0), view, "0:lstm.0")


def test_a_second_line_is_drawn_only_where_it_leaves_the_first() -> None:
    values = np.zeros((6, 2), np.float32)
    other = values.copy()
    other[3:, 1] = 1
    shown = differing(values, other)
    assert np.isnan(shown[:, 0]).all()
    # From the last common step on, so that the lines part where they part.
    np.testing.assert_array_equal(shown[:, 1], [np.nan, np.nan, 0, 1, 1, 1])
    longer = np.zeros((8, 2), np.float32)
    np.testing.assert_array_equal(np.isnan(differing(values, longer))[:, 0], [True] * 5 + [False] * 3)
    assert not np.isnan(differing(values, np.zeros((6, 3), np.float32))).any()
    assert np.isnan(differing(values, values + np.float32(0.01), 0.02)).all()
    assert not np.isnan(differing(values, values + np.float32(0.03), 0.02)).any()


@pytest.mark.parametrize(("count", "width"), [(10, 400), (30, 100), (300, 100)])
def test_the_scale_of_a_part_is_where_it_is_in_the_whole(count: int, width: int) -> None:
    whole = TimeScale(20, width, 1.0, 5, count)
    part = whole.until(5 + count // 2)
    assert part.count == count // 2
    np.testing.assert_array_equal(part.edges, whole.edges[: count // 2 + 1])
    np.testing.assert_array_equal(part.centres, whole.centres[: count // 2])
    assert part.pixels == whole.edges[count // 2]
    assert whole.until(5 + count) is whole


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("steps", [12, 400])
def test_a_row_that_has_ended_is_sunken_from_there_on(qapp: QApplication, view: View, steps: int) -> None:
    stack = PlotStack(LIGHT)
    stack.resize(700, 500)
    half = steps // 2
    rows = (
        SymbolRow("input", "Input", tuple("ab" * (half // 2))),
        row_of(half, view),
        row_of(steps, view, key="0.hidden_state"),
        GradientRow("g", "Gradient", "log", (Curve("LSTM", "∂c", np.full(half, 0.1), Role.LONG_TERM, squares=True),)),
    )
    stack.apply(StackState(rows, steps=steps, cursor=half - 1, reach=half, selected={"0:lstm.0": 1}))
    stack.show()
    picture = stack.grab().toImage()
    left, right = stack.edges
    # The scrub bar ends where the cursor does.
    assert stack.track[0] == left
    assert stack.track[1] == round(stack.axis_item.scale_of_time.column_edges(half - 1)[1]) < right
    for key, ended in (("0.cell_state", True), ("0.hidden_state", False)):
        item = stack.row_item(key)
        colour = picture.pixelColor(right - 6, round(item.y() + 3))
        assert (colour == QColor(LIGHT.sunken)) is ended
    assert f"ended at step {half}" in stack._words_at(QPointF(right - 5, stack.row_item("0.cell_state").y() + 5))
    assert "step" in stack._words_at(QPointF(left + 2, stack.row_item("0.cell_state").y() + 5))
    stack.close()
    stack.deleteLater()


@pytest.mark.parametrize("view", [View.LINES, View.BAND])
def test_the_other_is_drawn_and_its_value_named(qapp: QApplication, view: View) -> None:
    stack = PlotStack(LIGHT)
    stack.resize(700, 300)
    row = row_of(20, view)
    other = np.array(row.values)
    other[10:] = -other[10:]
    state = StackState((row,), steps=20, cursor=15, selected={"0:lstm.0": 1})
    stack.apply(state)
    stack.show()
    before = stack.grab().toImage()
    stack.apply(replace(state, rows=(replace(row, other=other),)))
    after = stack.grab().toImage()
    scale = stack.axis_item.scale_of_time
    item = stack.row_item(row.key)

    def changed(first: int, last: int) -> bool:
        columns = range(int(scale.column_edges(first)[0]) + 2, int(scale.column_edges(last)[0]) - 2)
        lines = range(round(item.y()) + 1, round(item.y() + item.height) - 1)
        return any(before.pixel(x, y) != after.pixel(x, y) for x in columns for y in lines)

    assert changed(11, 19)
    # Up to where they part, only the band knows no single lines.
    assert view is View.BAND or not changed(0, 8)
    heights = [mark.y for mark in item.marks(15)]
    assert isinstance(item, UnitItem)
    expected = item.y_of(np.array([other[15, 1], row.values[15, 1]])) / item.scale_of_time.ratio
    assert heights == pytest.approx(expected.tolist())
    assert len(item.marks(4)) == 1
    assert item.value_text(15)[1] == f"{row.values[15, 1]:.2f} | {other[15, 1]:.2f}".replace("-", "−")
    assert "A " in item.hover_text(15, 20, str) or view is View.BAND
    stack.close()
    stack.deleteLater()


def test_a_menu_is_asked_for_where_the_mouse_is_or_at_the_cursor(qapp: QApplication) -> None:
    stack = PlotStack(LIGHT)
    stack.resize(700, 300)
    row = row_of(20, View.HEAT)
    stack.apply(StackState((row,), steps=20, cursor=4, selected={"0:lstm.0": 1}))
    stack.show()
    asked: list[tuple[str, int, int]] = []
    stack.menu_requested.connect(lambda key, unit, step, at: asked.append((key, unit, step)))
    item, scale = stack.row_item(row.key), stack.axis_item.scale_of_time
    here = QPoint(round(sum(scale.column_edges(12)) / 2), round(item.y() + item.height * 0.9))
    for reason in (QContextMenuEvent.Reason.Mouse, QContextMenuEvent.Reason.Keyboard):
        stack.contextMenuEvent(QContextMenuEvent(reason, here, stack.mapToGlobal(here)))
    stack.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), QPoint(5, 5)))
    assert asked == [(row.key, 3, 12), (row.key, 1, 4)]
    stack.close()
    stack.deleteLater()
