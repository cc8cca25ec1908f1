from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.gradient_item import GradientItem
from lstm_studio.ui.plots.heat_item import HeatItem
from lstm_studio.ui.plots.lines_item import LinesItem
from lstm_studio.ui.plots.raster import to_index
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import Curve, GradientRow, StackState, UnitRow, View
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.plots.times import Times
from lstm_studio.ui.plots.unit_row import round_values
from lstm_studio.ui.theme import DARK, LIGHT, Text
from tests.ui.plots.conftest import make_state, unit_row


def picture(stack: PlotStack) -> QImage:
    QApplication.processEvents()
    return stack.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def colour_at(image: QImage, x: float, y: float) -> str:
    ratio = image.devicePixelRatio()
    return image.pixelColor(int(x * ratio), int(y * ratio)).name().upper()


def canvas_of(stack: PlotStack) -> Canvas:
    found = stack.findChild(Canvas)
    assert isinstance(found, Canvas)
    return found


def item_renders(stack: PlotStack, state: StackState) -> dict[str, int]:
    return {row.key: stack.row_item(row.key).renders for row in state.rows}


def seen_as(state: StackState, view: View) -> StackState:
    """Return a state whose row ``"heat"`` is drawn in another view."""
    rows = tuple(
        replace(row, view=view) if isinstance(row, UnitRow) and row.key == "heat" else row for row in state.rows
    )
    return replace(state, rows=rows)


def centre_of(stack: PlotStack, key: str, step: int, fraction: float = 0.5) -> QPointF:
    item = stack.row_item(key)
    left, right = item.scale_of_time.column_edges(step)
    return QPointF((left + right) / 2, item.y() + fraction * item.height)


def test_every_cell_of_a_heat_map_has_the_colour_of_its_value(stack: PlotStack) -> None:
    state = make_state(cursor=49)
    stack.apply(state)
    image = picture(stack)
    row = state.rows[1]
    assert isinstance(row, UnitRow)
    item = stack.row_item("heat")
    assert isinstance(item, HeatItem)
    index = to_index(row.values, row.levels)
    for step in range(48):
        for unit in range(16):
            point = centre_of(stack, "heat", step)
            red, green, blue, _ = LIGHT.signed_table[index[step, unit]]
            expected = QColor(int(red), int(green), int(blue)).name().upper()
            assert colour_at(image, point.x(), item.y() + item.y_of_unit(unit)) == expected


def test_all_rows_share_their_edges_and_the_stack_reports_them(stack: PlotStack) -> None:
    reported: list[tuple[int, int]] = []

    def keep(left: int, right: int) -> None:
        reported.append((left, right))

    stack.edges_changed.connect(keep)
    state = make_state()
    stack.apply(state)
    assert {(stack.row_item(r.key).x(), stack.row_item(r.key).scale_of_time.right) for r in state.rows} == {
        tuple(map(float, stack.edges))
    }
    stack.resize(1330, 700)
    assert reported[-1] == stack.edges
    assert (stack.edges[1] - stack.edges[0]) % 50 == 0


def test_the_cursor_stands_on_the_columns_edges(stack: PlotStack) -> None:
    state = make_state(cursor=27)
    stack.apply(state)
    column = stack.cursor_item.column()
    assert column is not None
    assert (column.left(), column.right()) == stack.row_item("heat").scale_of_time.column_edges(27)
    image = picture(stack)
    first, last = stack.row_item("input"), stack.row_item("gradient")
    # Unbroken from the first row to the last, gaps between the rows included.
    for y in range(int(first.y()) + 2, int(last.y() + last.height) - 2):
        assert colour_at(image, column.left() - 1, y) == LIGHT.cursor
        assert colour_at(image, column.right(), y) == LIGHT.cursor


def test_moving_the_cursor_leaves_every_row_untouched(stack: PlotStack, monkeypatch: pytest.MonkeyPatch) -> None:
    state = make_state(cursor=5)
    stack.apply(state)
    picture(stack)
    before = item_renders(stack, state)
    touched: list[str] = []
    for name in ("place", "redraw", "redraw_margins", "set_look"):
        for row in state.rows:
            monkeypatch.setattr(stack.row_item(row.key), name, lambda *_, n=name: touched.append(n))
    for cursor in (6, 30, 2, 49):
        state = replace(state, cursor=cursor)
        stack.apply(state)
        QApplication.processEvents()
    assert touched == []
    assert item_renders(stack, state) == before
    assert set(before.values()) == {1}


def test_only_the_changed_row_is_drawn_anew(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    picture(stack)
    before = item_renders(stack, state)
    rows = list(state.rows)
    rows[1] = unit_row("heat", 50, 16)
    state = replace(state, rows=tuple(rows))
    stack.apply(state)
    picture(stack)
    after = item_renders(stack, state)
    assert {key for key in after if after[key] != before[key]} == {"heat"}


def test_selecting_a_unit_draws_only_the_lines_of_its_group_anew(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    picture(stack)
    before = item_renders(stack, state)
    state = replace(state, selected={"lstm.0": 3})
    stack.apply(state)
    picture(stack)
    after = item_renders(stack, state)
    assert {key for key in after if after[key] != before[key]} == {"lines", "band"}


def test_what_lies_beyond_the_cursor_is_hidden_or_faint(stack: PlotStack) -> None:
    state = replace(make_state(cursor=10), reveal_all=False)
    stack.apply(state)
    hidden = picture(stack)
    point = centre_of(stack, "other", 30, 0.4)
    assert colour_at(hidden, point.x(), point.y()) == LIGHT.sunken
    before = centre_of(stack, "other", 3, 0.4)
    shown = colour_at(hidden, before.x(), before.y())
    stack.apply(replace(state, reveal_all=True))
    faint = picture(stack)
    assert colour_at(faint, before.x(), before.y()) == shown
    stack.apply(replace(state, cursor=49))
    full = picture(stack)
    strong, weak = QColor(colour_at(full, point.x(), point.y())), QColor(colour_at(faint, point.x(), point.y()))
    assert weak.lightness() > strong.lightness()
    assert weak != QColor(LIGHT.sunken)


def test_nothing_is_revealed_before_the_first_step(stack: PlotStack) -> None:
    stack.apply(replace(make_state(cursor=-1), reveal_all=False))
    image = picture(stack)
    assert stack.cursor_item.column() is None
    point = centre_of(stack, "other", 0, 0.4)
    assert colour_at(image, point.x(), point.y()) == LIGHT.sunken


def on_screen(stack: PlotStack) -> QImage:
    """Return what partial repaints have left on the screen."""
    return stack.screen().grabWindow(stack.winId()).toImage().convertToFormat(QImage.Format.Format_RGB32)


@pytest.mark.parametrize("reveal_all", [False, True])
def test_the_cursor_leaves_no_trace_where_it_was(stack: PlotStack, reveal_all: bool) -> None:
    state = replace(make_state(cursor=10), reveal_all=reveal_all, times=Times(np.linspace(0, 1e5, 50), "s"))
    stack.apply(state)
    QApplication.processEvents()
    # Forwards and backwards, by one step, where the words of the hidden future fit and where they no longer do.
    for cursor in (11, 12, 11, 10, 40, 41, 40, 3, 4, 20, 47, 49, 0, 1, 48, 47, 46, 45, 27, 26):
        stack.apply(replace(state, cursor=cursor))
        QApplication.processEvents()
        screen = on_screen(stack)
        assert screen.size() == stack.size()
        assert screen == stack.grab().toImage().convertToFormat(QImage.Format.Format_RGB32), cursor


def test_click_and_drag_ask_for_the_step_under_the_mouse(stack: PlotStack) -> None:
    stack.apply(make_state())
    steps: list[int] = []
    stack.step_requested.connect(steps.append)
    viewport = canvas_of(stack).viewport()
    for step in (0, 12, 49):
        at = centre_of(stack, "lines", step).toPoint()
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert steps == [0, 12, 49]
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=centre_of(stack, "lines", 5).toPoint())
    QTest.mouseMove(viewport, centre_of(stack, "lines", 20).toPoint())
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=centre_of(stack, "lines", 20).toPoint())
    assert steps[3] == 5


def test_click_on_a_heat_map_selects_the_unit_and_names_its_group(stack: PlotStack) -> None:
    stack.apply(make_state())
    asked: list[tuple[str, int]] = []

    def keep(group: str, unit: int) -> None:
        asked.append((group, unit))

    stack.unit_requested.connect(keep)
    viewport = canvas_of(stack).viewport()
    for key, unit in (("heat", 0), ("other", 9)):
        item = stack.row_item(key)
        assert isinstance(item, HeatItem)
        at = QPoint(int(centre_of(stack, key, 7).x()), int(item.y() + item.y_of_unit(unit)))
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert asked == [("lstm.0", 0), ("rnn.0", 9)]


def test_the_view_button_asks_for_the_next_view_and_the_row_follows(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    asked: list[tuple[str, View]] = []

    def keep(key: str, view: View) -> None:
        asked.append((key, view))

    stack.view_requested.connect(keep)
    button = stack.row_header("heat").view_button
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == [("heat", View.LINES)]
    button.menu().actions()[2].trigger()
    assert asked[-1] == ("heat", View.BAND)
    rows = tuple(replace(r, view=View.LINES) if r.key == "heat" and isinstance(r, UnitRow) else r for r in state.rows)
    stack.apply(replace(state, rows=rows))
    assert isinstance(stack.row_item("heat"), LinesItem)
    assert stack.row_header("gradient").view_button is None


def test_a_theme_change_swaps_colours_and_touches_no_data(stack: PlotStack) -> None:
    state = make_state(cursor=49)
    stack.apply(state)
    picture(stack)
    items = [stack.row_item(row.key) for row in state.rows]
    derived = [item.derived for item in items if isinstance(item, HeatItem)]
    index = derived[0].index
    stack.apply_theme(DARK)
    image = picture(stack)
    assert [stack.row_item(row.key) for row in state.rows] == items
    assert [item.derived for item in items if isinstance(item, HeatItem)] == derived
    assert derived[0].index is index
    row, item = state.rows[1], stack.row_item("heat")
    assert isinstance(row, UnitRow)
    assert isinstance(item, HeatItem)
    red, green, blue, _ = DARK.signed_table[index[5, 3]]
    x = centre_of(stack, "heat", 5).x()
    assert colour_at(image, x, item.y() + item.y_of_unit(3)) == QColor(int(red), int(green), int(blue)).name().upper()
    assert colour_at(image, 4, 300) == DARK.panel


def test_hover_names_signal_unit_step_and_value(stack: PlotStack, monkeypatch: pytest.MonkeyPatch) -> None:
    tips: list[str] = []
    # A real tool tip is a window, which the offscreen platform warns about.
    monkeypatch.setattr(QToolTip, "showText", lambda _point, text, _widget: tips.append(text))
    state = make_state(cursor=30)
    stack.apply(state)
    words: list[str] = []
    stack.hovered.connect(words.append)
    item, row = stack.row_item("heat"), state.rows[1]
    assert isinstance(item, HeatItem)
    assert isinstance(row, UnitRow)
    values = row.values.copy()
    values[27, 14] = 0.99
    stack.apply(replace(state, rows=(replace(row, values=values),)))
    item = stack.row_item("heat")
    assert isinstance(item, HeatItem)
    at = QPointF(centre_of(stack, "heat", 27).x(), item.y() + item.y_of_unit(14))
    canvas_of(stack).hovered.emit(at)
    assert words == ["Title heat · unit 14 · step 28 · 0.99"]
    stack.apply(replace(stack.state, reveal_all=False, cursor=3))
    canvas_of(stack).hovered.emit(at)
    assert words[-1] == "Step 28 · not stepped yet"
    assert tips == words


def test_the_tip_of_a_resting_mouse_is_not_hidden_by_the_view(stack: PlotStack) -> None:
    stack.apply(make_state())
    at = centre_of(stack, "heat", 27).toPoint()
    viewport = canvas_of(stack).viewport()
    event = QHelpEvent(QEvent.Type.ToolTip, at, viewport.mapToGlobal(at))
    event.ignore()
    QApplication.sendEvent(viewport, event)
    # A graphics view leaves it ignored when it has hidden the tip for want of one of its own.
    assert event.isAccepted()


def test_hover_on_shared_pixels_names_the_step_that_gives_the_colour(stack: PlotStack) -> None:
    values = np.zeros((20_000, 4), np.float32)
    values[12_345, 2] = 0.75
    row = replace(unit_row("long", 5, 4), values=values)
    stack.apply(StackState((row,), 20_000, cursor=19_999))
    item = stack.row_item("long")
    assert isinstance(item, HeatItem)
    at = centre_of(stack, "long", 12_345)
    step = item.scale_of_time.step_at(at.x())
    assert item.hover_text(step, item.y_of_unit(2), stack.state.step_label) == (
        "Title long · unit 2 · step 12,346 · 0.75"
    )
    assert stack.axis_item.title == f"time step, {round(20_000 / (stack.edges[1] - stack.edges[0]))} a pixel"


def wheel(stack: PlotStack, at: QPointF, notches: int, modifier: Qt.KeyboardModifier) -> None:
    viewport = canvas_of(stack).viewport()
    event = QWheelEvent(
        at,
        viewport.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def test_wheel_zooms_about_the_cursor_and_a_double_click_resets(stack: PlotStack) -> None:
    stack.apply(make_state(steps=500, cursor=250))
    before = stack.cursor_item.column()
    wheel(stack, centre_of(stack, "heat", 100), 5, Qt.KeyboardModifier.NoModifier)
    first, count = stack.window_of_time
    assert count == pytest.approx(500 * 0.8**5, abs=1)
    after = stack.cursor_item.column()
    assert before is not None
    assert after is not None
    assert after.center().x() == pytest.approx(before.center().x(), abs=12)
    wheel(stack, centre_of(stack, "heat", 250), -1, Qt.KeyboardModifier.ShiftModifier)
    assert stack.window_of_time == (first + round(count / 8), count)
    QTest.mouseDClick(canvas_of(stack).viewport(), Qt.MouseButton.LeftButton, pos=QPoint(400, 200))
    assert stack.window_of_time == (0, 500)


def test_a_zoomed_stack_follows_the_cursor_and_grows_with_the_sequence(stack: PlotStack) -> None:
    state = make_state(steps=500, cursor=250)
    stack.apply(state)
    wheel(stack, centre_of(stack, "heat", 250), 8, Qt.KeyboardModifier.NoModifier)
    stack.apply(replace(state, cursor=499))
    first, count = stack.window_of_time
    assert first + count == 500
    assert stack.cursor_item.column() is not None
    stack.show_all_steps()
    stack.apply(make_state(steps=501, cursor=500))
    assert stack.window_of_time == (0, 501)


def test_many_rows_scroll_and_labels_move_with_their_plots(stack: PlotStack) -> None:
    rows = tuple(unit_row(f"row {i}", 20, 8) for i in range(24))
    stack.apply(StackState(rows, 20, cursor=19))
    bar = stack.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)[-1]
    assert bar.isVisible()
    assert stack.row_item("row 23").y() > stack.height()
    bar.setProperty("value", 10_000)
    last = stack.row_item("row 23")
    assert last.y() + last.height < stack.height() - 10
    header = stack.row_header("row 23")
    assert header.mapTo(stack, QPoint(0, 0)).y() == pytest.approx(last.y() - 1, abs=1)


def test_points_at_the_cursor_scroll_away_under_the_axis(stack: PlotStack) -> None:
    values = np.zeros((20, 1), np.float32)
    row = replace(unit_row("x", 5, 1, View.LINES, group=""), values=values)
    stack.apply(StackState(tuple(replace(row, key=f"row {i}") for i in range(24)), 20, cursor=10))
    bar = stack.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)[-1]
    column = stack.cursor_item.column()
    assert column is not None
    under = 0
    for value in range(0, 48, 3):
        bar.setProperty("value", value)
        image = picture(stack)
        for i in range(24):
            item = stack.row_item(f"row {i}")
            y = item.y() + item.marks(10)[0].y
            if column.bottom() + 4 < y < stack.height() - 3:
                under += 1
                assert colour_at(image, column.center().x() + 3, y) in (LIGHT.panel, LIGHT.ink2)
    assert under


def test_levels_have_zero_among_their_ticks() -> None:
    assert round_values(-4, 4, most=3) == [-4, 0, 4]
    assert round_values(0, 1, most=3) == [0, 0.5, 1]
    assert round_values(-2, 3, most=6) == [-2, -1, 0, 1, 2, 3]
    assert round_values(3, 8, most=2) == [3, 8]


def test_what_has_no_place_on_the_log_axis_is_named(stack: PlotStack) -> None:
    values = np.full(50, 1e-3)
    values[:12] = 0.0
    values[40] = np.nan
    row = GradientRow("gradient", "Gradient", "norm, log axis", (Curve("LSTM", "∂c", values, Role.LONG_TERM),))
    stack.apply(StackState((row,), 50, cursor=49, reveal_all=True))
    item = stack.row_item("gradient")
    assert isinstance(item, GradientItem)
    assert item.named() == ["LSTM ∂c: 0 or below 1e−290 at steps 1–12", "LSTM ∂c: not finite at step 41"]
    assert "0 or below 1e−290 at 12 steps" in stack.row_header("gradient").accessibleDescription()
    assert item.marks(3) == []
    image = picture(stack)
    mark = LIGHT.roles[Role.LONG_TERM].mark
    zero, broken = centre_of(stack, "gradient", 3), centre_of(stack, "gradient", 40)
    assert colour_at(image, zero.x(), item.y() + item.height - 2) == mark
    assert colour_at(image, broken.x(), item.y() + 1) == mark


def test_missing_values_are_drawn_and_named(stack: PlotStack) -> None:
    values = np.zeros((50, 4), np.float32)
    values[10, 2] = np.nan
    row = replace(unit_row("heat", 5, 4), values=values)
    stack.apply(StackState((row,), 50, cursor=49))
    item = stack.row_item("heat")
    assert isinstance(item, HeatItem)
    image = picture(stack)
    assert colour_at(image, centre_of(stack, "heat", 10).x(), item.y() + item.y_of_unit(2)) == LIGHT.error
    assert "1 values not finite" in stack.row_header("heat").accessibleDescription()


def test_every_widget_has_an_accessible_name_and_every_row_a_summary(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    for widget in stack.findChildren(QWidget):
        if type(widget).__name__ not in {"QMenu", "QWidget"} and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            assert widget.accessibleName(), widget
    for row in state.rows:
        header = stack.row_header(row.key)
        assert header.accessibleName() == row.title
        assert header.accessibleDescription()
    row = state.rows[1]
    assert isinstance(row, UnitRow)
    description = stack.row_header("heat").accessibleDescription()
    assert description.startswith("Heat map of 16 units over 50 steps, −1.00 to 1.00; unit 14 at step 28: ")
    assert f"{row.values[27, 14]:.2f}".replace("-", "−") in description


def test_a_note_ends_before_the_ticks_and_the_tool_tip_has_all_of_it(
    stack: PlotStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    tips: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _point, text, _widget: tips.append(text))
    note = "passengers of all airlines, in thousands, standard"
    values = np.linspace(-2, 3, 50, dtype=np.float32)[:, None]
    row = replace(
        unit_row("input", 5, 1, View.LINES, group=""), values=values, levels=(-2.0, 3.0), names=("n",), note=note
    )
    rows = tuple(replace(row, key=f"input {number}") for number in range(6))
    for height in (450, 700):
        stack.resize(1056, height)
        stack.apply(StackState(rows, 50, cursor=49))
        image = picture(stack)
        header, item = stack.row_header("input 0"), stack.row_item("input 0")
        assert header.note_shown.endswith("…")
        assert header.note_shown[:-1] in f"ht  {note}"
        # The columns just left of the ticks, below the title, are empty: no letter runs into a number.
        bottom = int(item.y() + item.height)
        for reach in item.reaches():
            if reach.top < 20:
                continue
            x = stack.edges[0] - reach.width - 2
            for y in range(int(item.y() + reach.top) + 2, min(bottom, int(item.y() + reach.bottom) - 2)):
                assert colour_at(image, x, y) == LIGHT.panel
        QApplication.sendEvent(header, QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), QPoint(5, 5)))
        assert note in tips[-1]
    assert header.lines > 3


def test_a_note_that_fits_is_shown_whole_and_the_label_column_holds_the_longest_title(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    before = stack.edges[0]
    assert stack.row_header("heat").note_shown == "ht  note"
    titles = ("RNN short-term memory →", "Short-term memory")
    rows = [replace(row, title=title) for row, title in zip(state.rows[1:3], titles, strict=True)]
    stack.apply(replace(state, rows=(state.rows[0], *rows, *state.rows[3:])))
    metrics = Look(LIGHT).metrics(Text.ROW_LABEL)
    header = stack.row_header("heat")
    assert header.width() >= metrics.horizontalAdvance(titles[0]) + 20
    assert stack.edges[0] > before
    # Wide enough for the unit's number beside the title.
    assert [reach for reach in stack.row_item("heat").reaches() if reach.top < 5]
    stack.apply(state)
    assert stack.edges[0] == before


def test_rows_with_the_same_key_are_a_bug(stack: PlotStack) -> None:
    row = unit_row("twice", 5, 2)
    with pytest.raises(ValueError, match="same key"):
        stack.apply(StackState((row, row), 5))


@pytest.mark.parametrize("size", [(360, 140), (700, 300), (2560, 1400)])
@pytest.mark.parametrize(("steps", "units"), [(1, 1), (2, 3), (5000, 300)])
def test_any_size_and_any_shape_can_be_drawn(stack: PlotStack, size: tuple[int, int], steps: int, units: int) -> None:
    rows = tuple(unit_row(f"{view}", steps, units, view) for view in View)
    stack.resize(*size)
    stack.apply(StackState(rows, steps, cursor=steps - 1, selected={"lstm.0": units - 1}))
    assert not picture(stack).isNull()
    stack.apply(StackState())
    assert not picture(stack).isNull()


def test_the_stack_dies_with_its_widget(qapp: QApplication) -> None:
    made = PlotStack(LIGHT)
    state = make_state()
    made.resize(800, 500)
    made.show()
    made.apply(state)
    qapp.processEvents()
    row = state.rows[1]
    assert isinstance(row, UnitRow)
    dead: list[weakref.ref[Any]] = [weakref.ref(made), weakref.ref(made.row_item("heat")), weakref.ref(row.values)]
    made.close()
    made.deleteLater()
    del made, state, row
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    gc.collect()
    assert [ref() for ref in dead] == [None, None, None]


def test_a_row_that_is_exchanged_dies_at_once_with_its_picture(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    picture(stack)
    dead = weakref.ref(stack.row_item("heat"))
    # Pictures that wait for the collector scatter what is allocated meanwhile: the process grows by what they take.
    gc.disable()
    try:
        stack.apply(seen_as(state, View.LINES))
        assert dead() is None
    finally:
        gc.enable()


def test_switching_views_leaves_nothing_behind(stack: PlotStack, qapp: QApplication) -> None:
    state = make_state()
    views = list(View)

    def switch(count: int) -> tuple[int, int]:
        nonlocal state
        state = replace(seen_as(state, views[count % 3]), selected={"lstm.0": count % 16})
        stack.apply(state)
        picture(stack)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return len(canvas_of(stack).scene().items()), len(stack.findChildren(QObject))

    first = switch(0)
    assert {switch(count) for count in range(200)} == {first}


def test_a_view_button_is_given_an_icon_only_when_its_view_or_the_theme_changes(stack: PlotStack) -> None:
    state = make_state()
    stack.apply(state)
    button = stack.row_header("heat").view_button
    assert button is not None
    before = button.icon().cacheKey()
    stack.apply(replace(state, rows=tuple(replace(row, title="Another") for row in state.rows)))
    assert button.icon().cacheKey() == before
    stack.apply_theme(DARK)
    dark = button.icon().cacheKey()
    assert dark != before
    stack.apply(seen_as(state, View.BAND))
    assert button.icon().cacheKey() not in (before, dark)
