"""The plots of a training: every pixel of a heat map and every point of a curve where the numbers say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Role
from lstm_studio.ui.export.stand_in import draw, save_svg
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.theme import DARK, LEVELS, LIGHT, Theme
from lstm_studio.ui.training_plots.curve_plot import CurvePlot
from lstm_studio.ui.training_plots.lag_map import LagMap
from lstm_studio.ui.training_plots.pictures import Band, CurvePicture, Happening, LagPicture, Line, PlotRow, Reference
from lstm_studio.ui.training_plots.plot import TrainingPlot
from lstm_studio.ui.training_plots.span import Span
from lstm_studio.ui.training_plots.stack import StackPicture, TrainingStack
from lstm_studio.ui.training_plots.words import curve_words, lag_words

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

STEPS = np.array([0, 10, 20, 40], np.int64)
BLUE = LIGHT.roles[Role.LONG_TERM].mark
Values = NDArray[np.float64]


def curve_row(*, log: bool = True, values: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001)) -> PlotRow:
    lines = (Line("LSTM", STEPS.astype(np.float64), np.array(values), BLUE, 1.8, label="LSTM end"),)
    references = (Reference(0.5, "chance"), Reference(1.0, "solved", solved=True))
    happenings = (Happening(20, "since 20"),)
    picture = CurvePicture(
        lines,
        references=references,
        happenings=happenings,
        log=log,
        levels=None if log else (0.0, 1.0),
        until=40,
        words="not yet trained",
        summary=curve_words(lines, references, happenings),
    )
    return PlotRow("loss", "Loss", "note", "", "L", Role.GRADIENT, picture)


def lag_row(norms: Values, spacing: int = 1) -> PlotRow:
    steps = STEPS[: len(norms)]
    words = lag_words(steps, norms, spacing)
    picture = LagPicture(
        steps.astype(np.float64), norms, spacing, LogAxis(-10, 0), 40, "not yet trained", summary=words
    )
    return PlotRow("lags", "LSTM", "n", "t", "L", Role.LONG_TERM, picture)


def shown(qtbot: QtBot, *rows: PlotRow, theme: Theme = LIGHT, last: float = 80) -> TrainingStack:
    stack = TrainingStack(theme)
    qtbot.addWidget(stack)
    stack.resize(1000, 600)
    stack.show()
    stack.show_picture(StackPicture(rows, Span(0, last), edge=40 if last > 40 else None))
    QApplication.processEvents()
    return stack


def place_of(plot: TrainingPlot, position: float, share: float) -> QPointF:
    """Return where a position is in the stack, and a share of the height of the plot."""
    inside = plot.plot_rect()
    return QPointF(plot.x() + plot.x_of(position), plot.y() + inside.top() + share * inside.height())


def pixel(image: QImage, at: QPointF) -> str:
    return QColor(image.pixel(int(at.x()), int(at.y()))).name().upper()


def drawn_near(image: QImage, at: QPointF) -> bool:
    """Whether there is something blue, as the curve is, within a pixel: strokes are antialiased."""
    x, y = round(at.x()), round(at.y())
    around = (QColor(image.pixel(x + right, y + down)) for right in (-1, 0, 1) for down in (-1, 0, 1))
    return any(colour.blue() - colour.red() > 60 for colour in around)


def map_colour(theme: Theme, norm: float, axis: LogAxis) -> str:
    share = (np.log10(norm) - axis.low) / (axis.high - axis.low)
    red, green, blue, _ = theme.gate_table[round(float(share) * (LEVELS - 1))].tolist()
    return QColor(red, green, blue).name().upper()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_cell_has_the_colour_of_its_norm(qtbot: QtBot, theme: Theme) -> None:
    norms = np.array([[10.0 ** -(step + lag) for lag in range(5)] for step in range(4)])
    stack = shown(qtbot, lag_row(norms), theme=theme)
    plot, image = stack.plot("lags"), stack.grab().toImage()
    for place, step in enumerate((1, 10, 20, 39)):
        for lag in range(5):
            at = place_of(plot, step, (lag + 0.5) / 5)
            assert pixel(image, at) == map_colour(theme, float(norms[place, lag]), LogAxis(-10, 0)), (step, lag)


def test_a_column_reaches_halfway_to_its_neighbours(qtbot: QtBot) -> None:
    stack = shown(qtbot, lag_row(np.array([[1.0], [1e-3], [1e-6], [1e-9]])))
    plot, image = stack.plot("lags"), stack.grab().toImage()
    for step, norm in ((4.8, 1.0), (5.2, 1e-3), (14.8, 1e-3), (15.2, 1e-6), (29.8, 1e-6), (30.2, 1e-9), (39.8, 1e-9)):
        assert pixel(image, place_of(plot, step, 0.5)) == map_colour(LIGHT, norm, LogAxis(-10, 0)), step
    assert pixel(image, place_of(plot, 41, 0.7)) == LIGHT.sunken.upper()


def test_zero_is_hatched_and_what_is_not_known_is_empty(qtbot: QtBot) -> None:
    stack = shown(qtbot, lag_row(np.array([[1.0, 0.0, np.nan]] * 4)))
    plot, image = stack.plot("lags"), stack.grab().toImage()

    def colours(lag: int) -> set[str]:
        return {pixel(image, place_of(plot, 1, (lag + 0.5) / 3) + QPointF(right, 0)) for right in range(60)}

    assert colours(1) == {LIGHT.panel.upper(), LIGHT.ink3.upper()}
    assert colours(2) == {LIGHT.sunken.upper()}


def test_what_is_not_trained_yet_is_empty_and_says_so(qtbot: QtBot) -> None:
    stack = shown(qtbot, lag_row(np.ones((4, 3))), curve_row())
    image = stack.grab().toImage()
    for key in ("lags", "loss"):
        assert pixel(image, place_of(stack.plot(key), 78.5, 0.75)) == LIGHT.sunken.upper()
    for key, title in (("lags", "LSTM"), ("loss", "Loss")):
        plot = stack.plot(key)
        said = plot.text_at(place_of(plot, 70, 0.5) - QPointF(plot.pos()))
        assert said == f"{title} · step 70 · not yet trained"


def test_points_of_a_curve_lie_where_their_values_are(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row())
    plot = stack.plot("loss")
    assert isinstance(plot, CurvePlot)
    inside = plot.plot_rect()
    ys = plot.y_of(np.array([1.0, 0.1, 0.01, 0.001]), inside)
    np.testing.assert_allclose(np.diff(ys), np.diff(ys)[0])
    assert inside.top() < ys[0] < ys[-1] < inside.bottom()
    image = stack.grab().toImage()
    for step, y in zip(STEPS[:3], ys, strict=False):
        at = QPointF(plot.x_of(step), plot.y() + y)
        assert drawn_near(image, at), step
        assert not drawn_near(image, at + QPointF(0, 12)), step
    assert np.isnan(plot.y_of(np.array([0.0, np.nan, np.inf]), inside)).all()
    assert [label.text for label in plot.left_labels(inside)] == ["1e−3", "1e−2", "1e−1", "1"]


def test_shares_are_on_an_axis_of_their_own(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row(log=False, values=(0.0, 0.25, 0.5, 1.0)))
    plot = stack.plot("loss")
    assert isinstance(plot, CurvePlot)
    low, middle, high = plot.y_of(np.array([0.0, 0.5, 1.0]), plot.plot_rect())
    assert middle == pytest.approx((low + high) / 2)
    assert {"0.0", "1.0"} <= {label.text for label in plot.left_labels(plot.plot_rect())}


def test_the_mouse_reads_values_and_asks_for_steps(qtbot: QtBot) -> None:
    norms = np.array([[10.0 ** -(step + lag) for lag in range(4)] for step in range(4)])
    stack = shown(qtbot, curve_row(), lag_row(norms, spacing=2))
    loss, lags = stack.plot("loss"), stack.plot("lags")
    assert loss.text_at(place_of(loss, 11, 0.5) - QPointF(loss.pos())) == "Loss · step 10 · LSTM 0.10"
    said = lags.text_at(place_of(lags, 19, 0.9) - QPointF(lags.pos()))
    assert said == "LSTM · step 20 · 6 steps back · gradient 1.0e−5"
    assert loss.text_at(QPointF(2, 2)) == ""
    asked = QSignalSpy(stack.step_requested)
    at = place_of(loss, 20, 0.5)
    part = stack.childAt(at.toPoint())
    assert part is loss
    QTest.mouseClick(loss, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, (at - loss.pos()).toPoint())
    assert asked.count() == 1
    assert asked.at(0)[0] == 20


def test_a_moving_cursor_draws_no_plot_anew(qtbot: QtBot) -> None:
    rows = (curve_row(), lag_row(np.ones((4, 3))))
    stack = shown(qtbot, *rows)
    plots = [stack.plot(key) for key in ("loss", "lags")]
    stack.grab()
    before = [plot.renders for plot in plots]
    for step, column in ((10, (5.0, 15.0)), (20, (15.0, 30.0))):
        stack.show_picture(StackPicture(rows, Span(0, 80), step, column, 40))
        image = stack.grab().toImage()
        for plot in plots:
            for end, inwards in zip(column, (-1.0, 0.5), strict=True):
                outline = place_of(plot, end, 0.25) + QPointF(inwards, 0)
                assert LIGHT.cursor.upper() in {pixel(image, outline + QPointF(x, 0)) for x in (-1, 0, 1)}
    assert [plot.renders for plot in plots] == before
    changed = curve_row(values=(1.0, 0.2, 0.03, 0.004))
    stack.show_picture(StackPicture((changed, rows[1]), Span(0, 80), 20, (15.0, 30.0), 40))
    stack.grab()
    assert [plot.renders for plot in plots] == [before[0] + 1, before[1]]


def test_the_cursor_goes_unbroken_through_all_plots(qtbot: QtBot) -> None:
    rows = (curve_row(), lag_row(np.ones((4, 3))))
    stack = shown(qtbot, *rows)
    stack.show_picture(StackPicture(rows, Span(0, 80), 20, (15.0, 30.0), 40))
    image = stack.grab().toImage()
    first, last = stack.plot("loss"), stack.plot("lags")
    x = round(first.x_of(15.0)) - 1
    top, bottom = place_of(first, 15, 0).y(), place_of(last, 15, 1).y()
    assert {pixel(image, QPointF(x, y)) for y in range(int(top) + 1, int(bottom))} == {LIGHT.cursor.upper()}


def test_the_cursor_crosses_out_no_words(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row(), last=80)
    plot = stack.plot("loss")
    assert isinstance(plot, CurvePlot)
    plot.show_cursor(None)
    before = stack.grab().toImage()
    words = [room.toAlignedRect().translated(plot.pos()) for room in plot.words_inside()]
    # Chance and solved, since when it is, and the curve's own name.
    assert len(words) == 4
    for room in words:
        position = plot.position_at(room.center().x() - plot.x())
        for column in (None, (position, 80.0)):
            plot.show_cursor(position, "step", column=column)
            image = stack.grab().toImage()
            assert image.copy(room) == before.copy(room)
            beside = QPointF(plot.x() + plot.x_of(position) - (1 if column else 0), room.bottom() + 8)
            assert any(pixel(image, beside + QPointF(right, 0)) == LIGHT.cursor for right in (-1, 0, 1))


def test_numbers_of_lags_never_lie_over_each_other(qtbot: QtBot) -> None:
    for lags in (4, 30, 50, 61):
        plot = LagMap(LIGHT, "lags")
        qtbot.addWidget(plot)
        norms = np.ones((4, lags))
        plot.show_picture(LagPicture(STEPS.astype(np.float64), norms, 1, LogAxis(-10, 0), 40))
        plot.resize(600, 200)
        plot.show()
        for height in range(30, 200):
            inside = QRectF(0, 0, 500, height)
            reaches = [plot._reach(label, inside) for label in plot.left_labels(inside)]
            middles = [(reach.top + reach.bottom) / 2 for reach in reaches]
            assert len(middles) >= 1
            assert np.diff(middles).min(initial=np.inf) >= 0.85 * plot.line_height, (lags, height)


@pytest.mark.parametrize("percent", [100, 200])
def test_what_stands_below_the_titles_is_whole_with_large_text(qapp: QApplication, qtbot: QtBot, percent: int) -> None:
    usual, large = qapp.font(), qapp.font()
    large.setPixelSize(round(13 * percent / 100))
    qapp.setFont(large)
    try:
        row = replace(curve_row(log=False), note="all outputs within 0.3 of the target", third="dashed: accuracy")
        stack = shown(qtbot, row)
        stack.resize(1200, 700)
        QApplication.processEvents()
        header = stack._headers["loss"]
        assert (header.note_shown, header._third.shown) == (row.note, row.third)
        # And the plots keep most of the width.
        assert stack.plot("loss").plot_rect().width() > 1200 / 2
    finally:
        qapp.setFont(usual)


def test_rows_come_and_go(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row(), lag_row(np.ones((4, 3))))
    for rows in ((lag_row(np.ones((4, 3))),), (replace(curve_row(), key="lags"),), (), (curve_row(),)):
        stack.show_picture(StackPicture(rows, Span(0, 80)))
        QApplication.processEvents()
        kinds = [type(stack.plot(row.key)) for row in rows]
        assert kinds == [CurvePlot if isinstance(row.picture, CurvePicture) else LagMap for row in rows]
        assert sum(isinstance(part, TrainingPlot) and part.isVisible() for part in stack.findChildren(QWidget)) == len(
            rows
        )


def test_readers_of_the_screen_hear_what_is_drawn(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row(), lag_row(np.ones((4, 3))))
    said = stack.accessibleDescription()
    assert "Loss: LSTM from 1.00 to 1.0e−3 at step 40; chance; solved; since 20" in said
    assert "at step 40 1.0e0 at lag 0 and 1.0e0 at lag 2" in said
    assert (stack.plot("loss").accessibleName(), stack.plot("lags").accessibleName()) == ("Loss", "LSTM")
    assert stack.plot("lags").accessibleDescription() in said


def test_many_points_take_the_same_place_as_few(qtbot: QtBot) -> None:
    steps = np.arange(0.0, 4001.0)
    picture = CurvePicture((Line("LSTM", steps, np.full(len(steps), 0.5), BLUE, 1.8),), levels=(0.0, 1.0))
    stack = shown(qtbot, PlotRow("share", "Share", "", "", "%", Role.GRADIENT, picture), last=4000)
    plot, image = stack.plot("share"), stack.grab().toImage()
    for share in (0.1, 0.5, 0.9):
        at = place_of(plot, 4000 * share, 0.5)
        assert drawn_near(image, at)
        assert not drawn_near(image, at + QPointF(0, 12))


def test_of_more_lags_than_pixels_each_pixel_shows_the_largest(qtbot: QtBot) -> None:
    norms = np.tile(10.0 ** -(np.arange(2000) / 200.0), (4, 1))
    stack = shown(qtbot, lag_row(norms))
    plot, image = stack.plot("lags"), stack.grab().toImage()
    height = plot.plot_rect().height()
    for y in (0, 100, round(height) - 2):
        first = -(-y * 2000 // round(height))
        at = place_of(plot, 20, 0) + QPointF(0, y + 0.5)
        assert pixel(image, at) == map_colour(LIGHT, float(norms[0, first]), LogAxis(-10, 0))
        assert f" {first:,} steps back" in plot.text_at(at - QPointF(plot.pos()))


@pytest.mark.parametrize("last", [3, 79, 400, 5000])
def test_ticks_stand_where_their_steps_are(qtbot: QtBot, last: int) -> None:
    stack = shown(qtbot, curve_row(), last=last)
    plot, image = stack.plot("loss"), stack.grab().toImage()
    inside = plot.plot_rect()
    for step in (0, 1, last // 2, last):
        assert plot.x_of(step) == pytest.approx(inside.left() + inside.width() * step / last)
    below = plot.y() + inside.bottom() + 2
    columns = range(round(inside.left()), round(inside.right()))
    drawn = [x for x in columns if pixel(image, QPointF(x, below)) == LIGHT.frame.upper()]
    distance = round((drawn[1] - drawn[0]) * last / inside.width())
    assert str(distance).strip("0") in {"1", "2", "25", "5"}
    expected = [round(inside.left() + inside.width() * step / last) for step in range(0, last + 1, distance)]
    assert drawn == [min(x, round(inside.right()) - 1) for x in expected]


def test_labels_at_the_ends_stand_beside_the_frame_where_the_training_has_ended(qtbot: QtBot) -> None:
    for last, beside in ((40, True), (80, False)):
        stack = shown(qtbot, curve_row(), last=last)
        plot = stack.plot("loss")
        assert isinstance(plot, CurvePlot)
        inside = plot.plot_rect()
        y = float(plot.y_of(np.array([0.001]), inside)[0])
        begin = round(inside.right() if beside else plot.x_of(40)) + 8
        image = stack.grab().toImage()
        assert any(drawn_near(image, QPointF(x, y)) for x in range(begin, begin + 40))
        assert (
            any(drawn_near(image, QPointF(x, y)) for x in range(round(inside.right()) + 8, stack.width() - 1)) == beside
        )


def test_the_edges_are_told_in_the_coordinates_of_the_stack(qtbot: QtBot) -> None:
    stack = shown(qtbot, curve_row())
    told = QSignalSpy(stack.edges_changed)
    stack.resize(1300, 600)
    QApplication.processEvents()
    assert told.count() >= 1
    inside = stack.plot("loss").plot_rect()
    assert stack.edges == (round(inside.left()), round(inside.right())) == tuple(told.at(told.count() - 1))
    assert stack.plot("loss").pos() == QPoint(0, 0)


def test_a_file_gets_curves_and_words_as_such_and_a_sharper_picture_more_pixels(qtbot: QtBot, tmp_path: Path) -> None:
    band = Band(STEPS.astype(np.float64), np.full(4, 0.2), np.full(4, 7.0), BLUE, 0.3)
    row = curve_row(log=False, values=(0.0, 0.25, 0.5, 1.0))
    assert isinstance(row.picture, CurvePicture)
    stack = shown(qtbot, replace(row, picture=replace(row.picture, bands=(band,))), lag_row(np.ones((4, 3))))
    save_svg(stack, LIGHT, tmp_path / "plots.svg", "Plots")
    drawn = (tmp_path / "plots.svg").read_text("utf-8")
    assert ">LSTM end<" in drawn
    assert drawn.count("<image") == 2, "the heat map and the colour bar"
    assert BLUE.lower() in drawn.lower()
    renders = [stack.plot(key).renders for key in ("loss", "lags")]
    once, twice = (draw(stack, LIGHT, ratio) for ratio in (1.0, 2.0))
    assert twice.width() == 2 * once.width()
    plot = stack.plot("loss")
    assert isinstance(plot, CurvePlot)
    # A line of a pixel's width has its own colour at twice the sharpness, where it is two.
    grid = plot.plot_rect().top() + plot.left_labels(plot.plot_rect())[0].y
    column = [
        twice.pixelColor(round(2 * plot.x_of(60)), row) for row in range(2 * round(grid) - 3, 2 * round(grid) + 4)
    ]
    assert QColor(LIGHT.sunken) in column
    assert QColor(LIGHT.grid) in column
    assert [stack.plot(key).renders for key in ("loss", "lags")] == renders, "those on the screen stay as they are"
