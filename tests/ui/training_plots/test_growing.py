"""Plots of a training that goes on: what is drawn beside what was there is what all of it anew would be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from lstm_studio.ui.training_plots.curve_plot import CurvePlot
from lstm_studio.ui.training_plots.lag_map import LagMap
from lstm_studio.ui.training_plots.pictures import (
    Band,
    CurvePicture,
    Happening,
    LagPicture,
    Line,
    Picture,
    Reference,
    grown_since,
)
from lstm_studio.ui.training_plots.plot import TrainingPlot
from lstm_studio.ui.training_plots.span import Span

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

LAST = 1000.0
RANDOM = np.random.default_rng(4)
X = np.arange(0.0, LAST + 1, 2)
CURVES = [np.exp(-X / 300) * np.exp(0.2 * RANDOM.standard_normal(len(X))) for _ in range(3)]
NORMS = RANDOM.random((len(X), 30)) * (RANDOM.random((len(X), 30)) > 0.1)


def curves_until(step: float, *, every: int = 1, log: bool = True, banded: bool = False) -> CurvePicture:
    part = slice(0, int(step / 2) + 1, every)
    x, colours = X[part], LIGHT.roles
    lines = tuple(
        Line(
            f"line {place}",
            x,
            values[part],
            list(colours.values())[place].mark,
            (1.8, 1.0, 1.5)[place],
            ((), (3.0, 2.0), ())[place],
            label=f"now {values[part][-1]:.2f}" if place != 1 else "",
            squares=place == 2,
        )
        for place, values in enumerate(CURVES)
    )
    band = Band(x, 0.5 * CURVES[0][part], 1.5 * CURVES[0][part], lines[0].colour, 0.3)
    return CurvePicture(
        lines,
        (band,) if banded else (),
        (Reference(0.9, "chance"), Reference(0.3, "solved", solved=True)),
        (Happening(120.0, "since 120"),),
        log=log,
        levels=None if log else (0.0, 2.0),
        until=float(x[-1]),
        words="not yet trained",
    )


def lags_until(step: float) -> LagPicture:
    part = slice(0, int(step / 2) + 1, 5)
    return LagPicture(X[part], NORMS[part], axis=LogAxis(-3, 0), words="no records yet")


def shown(plot: TrainingPlot, qtbot: QtBot) -> None:
    qtbot.addWidget(plot)
    plot.resize(700, 260)
    plot.show_span(Span(0, LAST))
    plot.show_insets(60, 120)
    plot.show()


def screen(plot: TrainingPlot) -> QImage:
    QApplication.processEvents()
    return plot.grab().toImage()


def pixels(image: QImage) -> NDArray[np.uint8]:
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)


def drawn_on(plot: TrainingPlot, pictures: list[Picture]) -> tuple[QImage, QImage, int]:
    """Return the picture after one was shown after the other, that drawn anew, and how often all was drawn between."""
    plot.show_picture(pictures[0])
    screen(plot)
    before = plot.renders
    for picture in pictures[1:]:
        plot.show_picture(picture)
        grown = screen(plot)
    renders = plot.renders - before
    plot.apply_theme(plot.theme)
    return grown, screen(plot), renders


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("banded", [False, True], ids=["curves", "bands"])
@pytest.mark.parametrize("every", [1, 4, 12], ids=["crowded", "apart", "stroked"])
@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
def test_curves_that_grow_look_as_if_drawn_anew(
    qtbot: QtBot, theme: Theme, banded: bool, every: int, log: bool
) -> None:
    plot = CurvePlot(theme, "Loss")
    shown(plot, qtbot)
    steps = np.arange(200, 500, 2 * every)[:12]
    pictures: list[Picture] = [curves_until(step, every=every, log=log, banded=banded) for step in steps]
    grown, anew, renders = drawn_on(plot, pictures)
    assert grown == anew
    if not log:
        assert renders == 0, "no more than what has come was drawn"


def test_near_the_words_at_the_right_all_is_drawn(qtbot: QtBot) -> None:
    plot = CurvePlot(LIGHT, "Loss")
    shown(plot, qtbot)
    pictures: list[Picture] = [curves_until(step, log=False) for step in (860, 900, 940, 960, 990, 1000)]
    grown, anew, renders = drawn_on(plot, pictures)
    assert renders > 0
    # What lies over a kept picture of the other curves may be rounded otherwise.
    apart = np.abs(pixels(grown).astype(int) - pixels(anew).astype(int))
    assert apart.max() <= 1


def test_maps_that_grow_look_as_if_drawn_anew(qtbot: QtBot) -> None:
    plot = LagMap(LIGHT, "Gradient by lag")
    shown(plot, qtbot)
    pictures: list[Picture] = [lags_until(step) for step in range(200, 1000, 70)]
    grown, anew, renders = drawn_on(plot, pictures)
    assert grown == anew
    assert renders == 0, "no more than what has come was drawn"


def test_only_points_at_the_end_are_growth() -> None:
    before, now = curves_until(200), curves_until(300)
    assert grown_since(before, now) == 200
    assert grown_since(now, before) is None
    assert grown_since(before, replace(now, log=False)) is None
    assert grown_since(before, replace(now, lines=now.lines[:2])) is None
    assert grown_since(before, replace(now, references=())) is None
    other = replace(now.lines[0], y=now.lines[0].y + np.where(now.lines[0].x == 100, 1e-9, 0))
    assert grown_since(before, replace(now, lines=(other, *now.lines[1:]))) is None
    wide = replace(now.lines[0], width=3.0)
    assert grown_since(before, replace(now, lines=(wide, *now.lines[1:]))) is None


@pytest.mark.parametrize("kind", [CurvePlot, LagMap])
def test_a_plot_that_nobody_sees_keeps_its_picture_until_it_shows_something_else(
    kind: type[TrainingPlot], qtbot: QtBot
) -> None:
    def picture(step: float) -> Picture:
        return curves_until(step) if kind is CurvePlot else lags_until(step)

    def pictures(plot: TrainingPlot) -> list[QPixmap]:
        # Of all that a plot may keep: a picture of its own, or one with what it was drawn for.
        kept = [thing for thing in vars(plot).values() if thing is not None]
        parts = [*kept, *(part for thing in kept if isinstance(thing, tuple) for part in thing)]
        return [part for part in parts if isinstance(part, QPixmap)]

    place, plot, other = QWidget(), kind(LIGHT, "Loss"), kind(LIGHT, "Loss")
    qtbot.addWidget(place)
    plot.setParent(place)
    place.show()
    for each in (plot, other):
        shown(each, qtbot)
        each.show_picture(picture(400))
        screen(each)
    place.hide()
    assert plot.kept_picture is not None
    assert len(pictures(plot)) == 2
    for each in (plot, other):
        # Another size has all of it drawn anew.
        each.resize(600, 220)
        each.show_picture(picture(800))
        each.redraw()
    assert pictures(plot) == []
    place.show()
    assert screen(plot) == screen(other)
    assert len(pictures(plot)) == 2
    plot.hide()
    assert pictures(plot) == []
