from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from lstm_studio.ui.plots.curves import paint_band, paint_curve
from lstm_studio.ui.plots.scale import TimeScale


def red(image: QImage) -> NDArray[np.float64]:
    """Return (height, width) how far each pixel of a white picture has turned black, 0 … 1."""
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return np.asarray(1 - pixels[:, : image.width(), 2] / 255, np.float64)


def draw_curve(
    ys: NDArray[np.float64], width: int, stroke: float = 2.0, *, dashed: bool = False, dotted: bool = False
) -> NDArray[np.float64]:
    scale = TimeScale(0, width, 1.0, 0, len(ys))
    image = QImage(scale.pixels, 50, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    paint_curve(painter, ys, scale, 50, colour="#000000", width=stroke, dashed=dashed, dotted=dotted)
    painter.end()
    return red(image)


@pytest.mark.parametrize("steps", [20, 200, 5000])
def test_a_level_curve_is_as_wide_as_asked_however_many_steps(steps: int, qapp: QApplication) -> None:
    drawn = draw_curve(np.full(steps, 25.0), 400)
    middle = drawn[:, drawn.shape[1] // 2]
    assert middle.sum() == pytest.approx(2.0, abs=0.02)
    assert np.flatnonzero(middle > 0.5).tolist() == [24, 25]


@pytest.mark.parametrize("steps", [20, 200, 5000])
def test_a_curve_breaks_where_there_is_no_value(steps: int, qapp: QApplication) -> None:
    ys = np.full(steps, 25.0)
    ys[steps // 4 : steps // 2] = np.nan
    ink = draw_curve(ys, 400).sum(axis=0)
    assert ink[130:170].max() == 0
    assert ink[60:90].min() > 1.9
    assert ink[230:380].min() > 1.9


def test_a_spike_of_one_step_among_thousands_is_drawn_to_its_top(qapp: QApplication) -> None:
    ys = np.full(8000, 40.0)
    ys[3210] = 5.0
    column = draw_curve(ys, 400)[:, 3210 * 400 // 8000]
    assert column[5:40].min() == pytest.approx(1.0, abs=0.01)


def test_dashes_leave_gaps_in_crowded_curves_too(qapp: QApplication) -> None:
    whole, dashed = draw_curve(np.full(3000, 25.0), 400), draw_curve(np.full(3000, 25.0), 400, dashed=True)
    assert dashed.sum() / whole.sum() == pytest.approx(3 / 5, abs=0.05)


@pytest.mark.parametrize("steps", [20, 3000])
def test_dots_leave_more_gaps_than_ink(steps: int, qapp: QApplication) -> None:
    level = np.full(steps, 25.0)
    assert draw_curve(level, 400, dotted=True).sum() / draw_curve(level, 400).sum() == pytest.approx(2 / 5, abs=0.05)


@pytest.mark.parametrize("steps", [20, 5000])
def test_a_band_fills_between_its_curves_with_its_opacity(steps: int, qapp: QApplication) -> None:
    scale = TimeScale(0, 400, 1.0, 0, steps)
    image = QImage(400, 50, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    paint_band(painter, np.full(steps, 10.0), np.full(steps, 30.0), scale, 50, colour="#000000", opacity=0.4)
    painter.end()
    column = red(image)[:, 200]
    assert column[10:30] == pytest.approx(0.4, abs=0.01)
    assert column[:10].max() == column[30:].max() == 0
