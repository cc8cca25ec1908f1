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
from lstm_studio.ui.plots.stretch import End
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from tests.ui.plots.conftest import make_state

# Of the tool tips, which the offscreen platform cannot put above everything else.
pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


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
    stretches: list[tuple[int, int, bool]] = []
    steps: list[int] = []

    def note(start: int, stop: int, goes_on: bool) -> None:
        stretches.append((start, stop, goes_on))

    stack.stretch_requested.connect(note)
    stack.step_requested.connect(steps.append)
    canvas = stack.findChild(Canvas)
    assert canvas is not None
    scale, row = stack.row_item("heat").scale_of_time, stack.row_item("heat")
    places = {step: QPoint(int(sum(scale.column_edges(step)) / 2), int(row.y() + 10)) for step in (12, 20, 9)}
    shift = Qt.KeyboardModifier.ShiftModifier
    view = canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, shift, places[12])
    assert stretches == [(12, 13, False)]
    for step in (20, 9):
        left = Qt.MouseButton.LeftButton
        at = QPointF(places[step])
        moved = QMouseEvent(QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, left, shift)
        QApplication.sendEvent(view, moved)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, shift, places[9])
    assert stretches == [(12, 13, False), (12, 21, True), (9, 13, True)]
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


def drag(stack: PlotStack, start: QPoint, *steps: float, y: int | None = None) -> None:
    """Press the left button somewhere, move the mouse over the middles of some steps, and let go."""
    canvas = stack.findChild(Canvas)
    assert canvas is not None
    view, left, scale = canvas.viewport(), Qt.MouseButton.LeftButton, stack.row_item("heat").scale_of_time
    QTest.mousePress(view, left, Qt.KeyboardModifier.NoModifier, start)
    for step in steps:
        at = QPointF(scale.left + (step + 0.5) * scale.column, start.y() if y is None else y)
        moved = QMouseEvent(
            QEvent.Type.MouseMove,
            at,
            view.mapToGlobal(at),
            Qt.MouseButton.NoButton,
            left,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(view, moved)
    QTest.mouseRelease(view, left, Qt.KeyboardModifier.NoModifier, start)


@pytest.mark.parametrize("row", range(7))
def test_both_ends_can_be_dragged_in_every_row_up_to_the_other_one(stack: PlotStack, row: int) -> None:
    state = replace(make_state(cursor=30), stretch=(10, 15))
    stack.apply(state)
    moves: list[tuple[int, int, bool]] = []

    def follow(start: int, stop: int, goes_on: bool) -> None:
        moves.append((start, stop, goes_on))
        stack.apply(replace(state, stretch=(start, stop)))

    steps: list[int] = []
    stack.stretch_moved.connect(follow)
    stack.step_requested.connect(steps.append)
    item = stack.row_item(state.rows[row % len(state.rows)].key)
    middle = round(item.y() + item.height / 2)
    left, right = ends(stack, 10, 14)
    drag(stack, QPoint(round(left) - 2, middle), 8, 8, 40, 12)
    assert moves == [(8, 15, False), (14, 15, True), (12, 15, True)]
    moves.clear()
    drag(stack, QPoint(round(right) + 2, middle), 20, 2, y=middle + 500)
    assert moves == [(12, 21, False), (12, 13, True)]
    moves.clear()
    drag(stack, QPoint(round(ends(stack, 12, 12)[1]) + 2, middle), 10_000)
    assert moves == [(12, state.steps, False)]
    assert steps == []
    drag(stack, QPoint(round(ends(stack, 30, 30)[0]) + 4, middle), 31)
    assert steps == [30, 31]


def test_an_end_has_a_grip_in_each_row_outside_of_what_is_marked(stack: PlotStack) -> None:
    state = replace(make_state(cursor=40), stretch=(10, 15))
    stack.apply(state)
    image = picture(stack)
    left, right = ends(stack, 10, 14)
    for end, edge, outwards in ((End.FIRST, left, -1), (End.LAST, right, 1)):
        grips = stack.stretch_item.grips(end)
        assert len(grips) == len(state.rows)
        for grip, row in zip(grips, state.rows, strict=True):
            item = stack.row_item(row.key)
            assert item.y() <= grip.top() < grip.bottom() <= item.y() + item.height
            assert (grip.center().x() - edge) * outwards > 0
            assert colour_at(image, grip.left() + 1.5, grip.center().y()) == LIGHT.focus
            assert colour_at(image, grip.right() - 1.5, grip.center().y()) == LIGHT.focus


def test_of_two_ends_that_are_close_the_nearer_one_is_held_and_one_out_of_sight_is_not(stack: PlotStack) -> None:
    stack.apply(replace(make_state(steps=5_000, cursor=5), stretch=(2_500, 2_501)))
    item = stack.stretch_item
    span = item.span()
    assert span is not None
    y = stack.row_item("heat").y() + 4
    assert item.end_at(QPointF(span[0] - 1, y)) is End.FIRST
    assert item.end_at(QPointF(span[1] + 1, y)) is End.LAST
    assert item.end_at(QPointF(span[0] - 40, y)) is None
    assert item.end_at(QPointF(span[0], -5)) is None
    stack.apply(replace(make_state(cursor=20), stretch=(10, 45)))
    stack._show((15, 10))
    for step in (15, 24):
        for x in ends(stack, step, step):
            assert item.end_at(QPointF(x, y)) is None


def test_the_mouse_cursor_says_where_an_end_can_be_held(stack: PlotStack) -> None:
    stack.apply(replace(make_state(cursor=40), stretch=(10, 15)))
    canvas = stack.findChild(Canvas)
    assert canvas is not None
    left, right = ends(stack, 10, 14)
    y = round(stack.row_item("heat").y() + 5)
    for x, shape in ((left, Qt.CursorShape.SplitHCursor), ((left + right) / 2, Qt.CursorShape.ArrowCursor)) * 2:
        canvas.hovered.emit(QPointF(x, y))
        assert canvas.viewport().cursor().shape() is shape
