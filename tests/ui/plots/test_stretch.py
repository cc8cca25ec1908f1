"""The marked stretch: drawn over all rows where it is visible, and asked for with Shift and the mouse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from tests.ui.plots.conftest import make_state


def picture(stack: PlotStack) -> QImage:
    QApplication.processEvents()
    return stack.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def colour_at(image: QImage, x: float, y: float) -> str:
    ratio = image.devicePixelRatio()
    return image.pixelColor(int(x * ratio), int(y * ratio)).name().upper()


def ends(stack: PlotStack, first: int, last: int) -> tuple[float, float]:
    scale = stack.row_item("heat").scale_of_time
    return scale.column_edges(first)[0], scale.column_edges(last)[1]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_bracket_stands_over_every_row_at_both_ends_and_hides_nothing_inside(stack: PlotStack, theme: Theme) -> None:
    stack.apply_theme(theme)
    state = replace(make_state(cursor=40), stretch=(10, 15))
    stack.apply(state)
    marked = picture(stack)
    stack.apply(replace(state, stretch=None))
    plain = picture(stack)
    left, right = ends(stack, 10, 14)
    for row in state.rows:
        y = stack.row_item(row.key).y() + 6
        assert colour_at(marked, left - 1, y) == theme.focus
        assert colour_at(marked, right + 1, y) == theme.focus
        for step in range(10, 15):
            x = sum(stack.row_item("heat").scale_of_time.column_edges(step)) / 2
            assert colour_at(marked, x, y) == colour_at(plain, x, y)
    top = stack.row_item("input").y()
    assert colour_at(marked, (left + right) / 2, top - 4) == theme.focus
    assert colour_at(plain, left - 1, top + 6) != theme.focus


def test_only_the_ends_within_the_visible_steps_are_drawn(stack: PlotStack) -> None:
    stack.apply(replace(make_state(cursor=20), stretch=(10, 45)))
    stack._show((15, 10))
    assert stack.stretch_item.span() == ends(stack, 15, 24)
    image = picture(stack)
    y = stack.row_item("heat").y() + 6
    assert colour_at(image, ends(stack, 15, 24)[0] - 1, y) != LIGHT.focus
    stack._show((0, 5))
    assert stack.stretch_item.span() is None
    assert stack.stretch_item.boundingRect().isEmpty()


def test_one_step_of_many_is_still_wide_enough_to_see(stack: PlotStack) -> None:
    stack.apply(replace(make_state(steps=100_000, cursor=5), stretch=(50_000, 50_001)))
    span = stack.stretch_item.span()
    assert span is not None
    assert span[1] - span[0] >= 3


def test_shift_and_dragging_asks_for_a_stretch_either_way_and_leaves_the_cursor(stack: PlotStack) -> None:
    stack.apply(make_state())
    stretches: list[tuple[int, int]] = []
    steps: list[int] = []

    def note(start: int, stop: int) -> None:
        stretches.append((start, stop))

    stack.stretch_requested.connect(note)
    stack.step_requested.connect(steps.append)
    canvas = stack.findChild(Canvas)
    assert canvas is not None
    scale, row = stack.row_item("heat").scale_of_time, stack.row_item("heat")
    places = {step: QPoint(int(sum(scale.column_edges(step)) / 2), int(row.y() + 10)) for step in (12, 20, 9)}
    shift = Qt.KeyboardModifier.ShiftModifier
    view = canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, shift, places[12])
    assert stretches == [(12, 13)]
    for step in (20, 9):
        left = Qt.MouseButton.LeftButton
        at = QPointF(places[step])
        moved = QMouseEvent(QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, left, shift)
        QApplication.sendEvent(view, moved)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, shift, places[9])
    assert stretches == [(12, 13), (12, 21), (9, 13)]
    assert steps == []
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[20])
    assert steps == [20]


def test_a_screen_reader_hears_what_is_marked(stack: PlotStack) -> None:
    stack.apply(replace(make_state(), stretch=(9, 15)))
    assert stack.accessibleDescription() == "Steps 10 to 15 marked"
    stack.apply(replace(make_state(), stretch=(9, 10)))
    assert stack.accessibleDescription() == "Step 10 marked"
    stack.apply(make_state())
    assert stack.accessibleDescription() == ""
