"""The plots of a training: every pixel of a heat map and every point of a curve where the numbers say."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.axis import TimeAxis
from lstm_studio.ui.plots.canvas import Canvas
from lstm_studio.ui.plots.lag_item import LagItem, shared_axis
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.plots.step_item import StepCurveItem
from lstm_studio.ui.plots.step_rows import (
    CurveRow,
    LagRow,
    StepCurve,
    StepLine,
    StepMark,
    StepRow,
    StepState,
    shown_rows,
)
from lstm_studio.ui.plots.step_stack import StepAxis, StepStack
from lstm_studio.ui.theme import DARK, LEVELS, LIGHT, Theme

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

STEPS = np.array([0, 10, 20, 40], np.int64)


def curve_row(*, log: bool = True, values: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001)) -> CurveRow:
    curve = StepCurve("LSTM", STEPS, np.array(values), Role.LONG_TERM, end="LSTM end")
    lines = (StepLine(0.5, "chance"), StepLine(1.0, "solved", goal=True))
    return CurveRow("loss", "Loss", "note", "", "L", Role.GRADIENT, (curve,), log, lines, (StepMark(20, "since 20"),))


def lag_row(norms: np.ndarray[tuple[int, int], np.dtype[np.float64]], spacing: int = 1) -> LagRow:
    axis = LogAxis(-10, 0)
    return LagRow("lags", "LSTM", "n", "t", "L", Role.LONG_TERM, STEPS[: len(norms)], norms, spacing, axis)


def shown(qtbot: QtBot, *rows: StepRow, theme: Theme = LIGHT, **about: object) -> StepStack:
    stack = StepStack(theme)
    qtbot.addWidget(stack)
    stack.resize(1000, 600)
    stack.show()
    settings = {"planned": 79, "done": 40, "growing": True, **about}
    stack.apply(StepState(rows, **settings))  # type: ignore[arg-type]  # by name
    QApplication.processEvents()
    return stack


def pixel(image: QImage, x: float, y: float) -> str:
    return QColor(image.pixel(round(x), round(y))).name().upper()


def drawn_near(image: QImage, x: float, y: float) -> bool:
    """Whether there is something blue, as the curve is, within a pixel: strokes are antialiased."""
    around = (QColor(image.pixel(round(x) + right, round(y) + down)) for right in (-1, 0, 1) for down in (-1, 0, 1))
    return any(colour.blue() - colour.red() > 60 for colour in around)


def map_colour(theme: Theme, norm: float, axis: LogAxis) -> str:
    share = (np.log10(norm) - axis.low) / (axis.high - axis.low)
    red, green, blue, _ = theme.gate_table[round(float(share) * (LEVELS - 1))].tolist()
    return QColor(red, green, blue).name().upper()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_cell_has_the_colour_of_its_norm(qtbot: QtBot, theme: Theme) -> None:
    norms = np.array([[10.0 ** -(step + lag) for lag in range(5)] for step in range(4)])
    stack = shown(qtbot, lag_row(norms), theme=theme)
    item, image = stack.row_item("lags"), stack.grab().toImage()
    assert isinstance(item, LagItem)
    column, height = item.scale_of_time.column, item.height / 5
    for place, step in enumerate(STEPS):
        for lag in range(5):
            x = item.x() + (float(step) + 0.5) * column
            y = item.y() + (lag + 0.5) * height
            assert pixel(image, x, y) == map_colour(theme, float(norms[place, lag]), item.row.axis), (step, lag)


def test_a_column_reaches_halfway_to_its_neighbours(qtbot: QtBot) -> None:
    norms = np.array([[1.0], [1e-3], [1e-6], [1e-9]])
    stack = shown(qtbot, lag_row(norms))
    item, image = stack.row_item("lags"), stack.grab().toImage()
    y = item.y() + item.height / 2
    for step, norm in ((4.4, 1.0), (5.6, 1e-3), (14.4, 1e-3), (15.6, 1e-6), (29.4, 1e-6), (30.6, 1e-9), (40.0, 1e-9)):
        x = item.x() + (step + 0.5) * item.scale_of_time.column
        assert pixel(image, x, y) == map_colour(LIGHT, norm, LogAxis(-10, 0)), step


def test_zero_is_hatched_and_what_is_not_known_is_empty(qtbot: QtBot) -> None:
    norms = np.array([[1.0, 0.0, np.nan]] * 4)
    stack = shown(qtbot, lag_row(norms))
    item, image = stack.row_item("lags"), stack.grab().toImage()
    third = item.height / 3

    def colours(lag: int) -> set[str]:
        xs = [item.x() + 4 + step for step in range(60)]
        return {pixel(image, x, item.y() + (lag + 0.5) * third) for x in xs}

    assert colours(1) == {LIGHT.panel.upper(), LIGHT.ink3.upper()}
    assert colours(2) == {LIGHT.sunken.upper()}


def test_what_is_not_trained_yet_is_empty_and_says_so(qtbot: QtBot) -> None:
    stack = shown(qtbot, lag_row(np.ones((4, 3))), curve_row())
    image = stack.grab().toImage()
    for key in ("lags", "loss"):
        item = stack.row_item(key)
        x = item.x() + 78.5 * item.scale_of_time.column
        assert pixel(image, x, item.y() + 0.75 * item.height) == LIGHT.sunken.upper()
    item = stack.row_item("loss")
    words = stack.words_at(QPointF(item.x() + 70.5 * item.scale_of_time.column, item.y() + 5))
    assert words == "Step 70 · not trained yet"


def test_points_of_a_curve_lie_where_their_values_are(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row())
    item = stack.row_item("loss")
    assert isinstance(item, StepCurveItem)
    ys = item.y_of(np.array([1.0, 0.1, 0.01, 0.001]))
    np.testing.assert_allclose(np.diff(ys), np.diff(ys)[0])
    assert 0 < ys[0] < ys[-1] < item.height
    image = stack.grab().toImage()
    for step, y in zip(STEPS[:3], ys, strict=False):
        x = item.x() + (float(step) + 0.5) * item.scale_of_time.column
        assert drawn_near(image, x, item.y() + y), step
        assert not drawn_near(image, x, item.y() + y + 12), step
    assert np.isnan(item.y_of(np.array([0.0, np.nan, np.inf]))).all()
    assert [label.text for label in item.left_labels()] == ["1", "1e−1", "1e−2", "1e−3"]


def test_shares_are_on_an_axis_of_their_own(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row(log=False, values=(0.0, 0.25, 0.5, 1.0)))
    item = stack.row_item("loss")
    assert isinstance(item, StepCurveItem)
    low, middle, high = item.y_of(np.array([0.0, 0.5, 1.0]))
    assert middle == pytest.approx((low + high) / 2)
    assert {"0.00", "1.00"} <= {label.text for label in item.left_labels()} or {"0.0", "1.0"} <= {
        label.text for label in item.left_labels()
    }


def test_the_mouse_reads_values_and_asks_for_steps(qtbot: QtBot) -> None:
    norms = np.array([[10.0 ** -(step + lag) for lag in range(4)] for step in range(4)])
    stack = shown(qtbot, curve_row(), lag_row(norms, spacing=2))
    loss, lags = stack.row_item("loss"), stack.row_item("lags")

    def at(step: float, item: object, share: float) -> QPointF:
        assert isinstance(item, StepCurveItem | LagItem)
        return QPointF(item.x() + (step + 0.5) * item.scale_of_time.column, item.y() + share * item.height)

    assert stack.words_at(at(11, loss, 0.5)) == "Loss · step 10 · LSTM 0.10"
    assert stack.words_at(at(19, lags, 0.9)) == "LSTM · step 20 · 6 steps back · gradient 1.0e−5"
    assert stack.words_at(QPointF(2, 2)) == ""
    asked = QSignalSpy(stack.step_requested)
    place = at(20, loss, 0.5).toPoint()
    plots = stack.childAt(place)
    assert plots is not None
    QTest.mouseClick(plots, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert asked.count() == 1
    assert asked.at(0)[0] == 20


def test_a_moving_cursor_draws_no_row_anew(qtbot: QtBot) -> None:
    rows = (curve_row(), lag_row(np.ones((4, 3))))
    stack = shown(qtbot, *rows)
    before = [stack.row_item(key).renders for key in ("loss", "lags")]
    for step, span in ((10, (5.0, 15.5)), (20, (15.5, 30.5))):
        stack.apply(StepState(rows, 79, 40, True, step, span))
        stack.grab()
        column = stack.cursor_item.column()
        item = stack.row_item("loss")
        assert column is not None
        width = item.scale_of_time.column
        assert column.left() == pytest.approx(item.x() + span[0] * width, abs=1)
        assert column.right() == pytest.approx(item.x() + span[1] * width, abs=1)
    assert [stack.row_item(key).renders for key in ("loss", "lags")] == before
    stack.apply(StepState((curve_row(), rows[1]), 79, 40, True, 20, (15.5, 30.5)))
    stack.grab()
    assert [stack.row_item(key).renders for key in ("loss", "lags")] == [before[0] + 1, before[1]]


def test_readers_of_the_screen_hear_what_is_drawn(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row(), lag_row(np.ones((4, 3))))
    said = stack.accessibleDescription()
    assert "Loss: LSTM from 1.00 to 1.0e−3 at step 40; chance; solved; since 20" in said
    assert "at step 40 1.0e0 at lag 0 and 1.0e0 at lag 2" in said


def test_one_scale_holds_what_all_heat_maps_show() -> None:
    far, near = np.array([[1e-7, 0.0]]), np.array([[30.0, np.nan]])
    assert shared_axis([(STEPS[:1], far), (STEPS[:1], near)]) == LogAxis(-7, 2)


@pytest.mark.parametrize(("first", "last", "most"), [(0, 100, 1000), (15, 25, 1000), (0, 100, 7)])
def test_no_more_rows_are_drawn_than_there_are_pixels(first: int, last: int, most: int) -> None:
    steps = np.arange(0, 1000, 5)
    chosen = shown_rows(steps, first, last, most)
    assert len(chosen) <= most
    assert steps[chosen[0]] <= first
    assert steps[chosen[-1]] >= min(last, 995)
    assert (np.diff(chosen) > 0).all()


def test_many_points_take_the_same_place_as_few(qtbot: QtBot) -> None:
    steps = np.arange(0, 4001)
    curve = StepCurve("LSTM", steps, np.full(len(steps), 0.5), Role.LONG_TERM)
    row = CurveRow("share", "Share", "", "", "%", Role.GRADIENT, (curve,), False)
    stack = shown(qtbot, row, planned=4000, done=4000, growing=False)
    item, image = stack.row_item("share"), stack.grab().toImage()
    assert isinstance(item, StepCurveItem)
    y = item.y() + float(item.y_of(np.array([0.5]))[0])
    for share in (0.1, 0.5, 0.9):
        x = item.x() + share * item.scale_of_time.width
        assert drawn_near(image, x, y)
        assert not drawn_near(image, x, y + 12)


def test_of_more_lags_than_pixels_each_pixel_shows_one(qtbot: QtBot) -> None:
    norms = np.tile(10.0 ** -(np.arange(2000) / 200.0), (4, 1))
    stack = shown(qtbot, lag_row(norms))
    item, image = stack.row_item("lags"), stack.grab().toImage()
    assert isinstance(item, LagItem)
    for y in (0, 100, round(item.height) - 2):
        lag = item.lag_at(y + 0.5)
        assert lag is not None
        assert lag == pytest.approx(2000 * y / item.height, abs=4)
        colour = map_colour(LIGHT, float(norms[0, lag]), LogAxis(-10, 0))
        assert pixel(image, item.x() + 30, item.y() + y) == colour


@pytest.mark.parametrize("planned", [3, 79, 400, 5000])
def test_ticks_stand_in_the_middle_of_their_steps(qtbot: QtBot, planned: int) -> None:
    stack = shown(qtbot, curve_row(), planned=planned)
    axis = stack.findChild(Canvas).scene().items()  # type: ignore[union-attr]  # there is one
    (found,) = [item for item in axis if isinstance(item, StepAxis)]
    scale = found.scale_of_time
    for step in (0, 1, planned // 2, planned):
        assert found.x_of(step) == pytest.approx(TimeAxis.x_of(found, step), abs=1 / scale.ratio)
