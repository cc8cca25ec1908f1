"""How large the gradient is so many time steps back, as a heat map over the steps of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.ui.numbers import format_count, format_decade, format_scientific
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.row_item import TICK_GAP, paint_frame
from lstm_studio.ui.plots.scale import unit_edges
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, LEVELS, MISSING, Text, Theme
from lstm_studio.ui.training_plots.plot import TrainingPlot

_MOST_RECORDS = 2048
_HATCH = 6
_TICK_PITCH = 26.0
_OVERLAP = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class LagPicture:
    """What the heat map shows.

    Parameters
    ----------
    x
        (N,) positions of the records in growing order.
    norms
        (N, L) at each lag, not-a-number where a record has fewer.
    spacing
        Time steps between two lags.
    axis
        Range of the colours, where it is shared with another map; None for that of ``norms``.
    words
        What is said where nothing is recorded yet.
    summary
        For screen readers.
    """

    x: NDArray[np.float64]
    norms: NDArray[np.float64]
    spacing: int = 1
    axis: LogAxis | None = None
    words: str = ""
    summary: str = ""

    @property
    def stride(self) -> int:
        """Every so many records are drawn; all of a long training would take longer than anybody waits."""
        return max(1, -(-len(self.x) // _MOST_RECORDS))

    @property
    def shown(self) -> NDArray[np.intp]:
        """Indices of the records that are drawn, the last always among them."""
        return np.arange((len(self.x) - 1) % self.stride, len(self.x), self.stride) if len(self.x) else np.zeros(0, int)


def range_of(norms: NDArray[np.float64]) -> LogAxis:
    """Return the range of colours of a map: whole decades of at most the last 2,048 records that it draws."""
    return log_axis([norms[:: max(1, -(-len(norms) // _MOST_RECORDS))]])


class LagMap(TrainingPlot):
    """The heat map with its own colour bar.

    Parameters
    ----------
    name
        What it shows, for screen readers.
    bar
        Whether the colour bar is drawn; maps below each other need only one.
    """

    def __init__(
        self, theme: Theme, name: str, *, axis: bool = True, flag: bool = False, bar: bool = True, height: int = 190
    ) -> None:
        super().__init__(theme, name, axis=axis, flag=flag)
        self._height, self._with_bar = height, bar
        self.picture = LagPicture(np.zeros(0), np.zeros((0, 1)))
        self.axis = LogAxis(-1, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: LagPicture) -> None:
        """Show other gradients; the same ones are not drawn again."""
        before = self.picture
        same = np.array_equal(picture.x, before.x) and picture.norms.shape == before.norms.shape
        if same and picture.norms.base is not None and picture.norms.base is before.norms.base:
            self.picture = picture
            return
        self.picture = picture
        self.axis = picture.axis or log_axis([picture.norms[picture.shown]])
        self.describe(picture.summary)
        self.redraw()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a comfortable size."""
        return QSize(240, self._height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size at which it can be read."""
        return QSize(160, round(72 + self.line_height))

    @property
    def outlines(self) -> bool:
        """The cursor outlines a record."""
        return True

    # Places.

    @property
    def lags(self) -> int:
        """L."""
        return int(self.picture.norms.shape[1])

    @property
    def needed_left(self) -> float:
        """Pixels that the lags at the left need, and the title beside them."""
        widest = self.look.metrics(Text.TICK).horizontalAdvance(
            format_count(max(100, self.lags * self.picture.spacing))
        )
        return widest + TICK_GAP + self.line_height + HALF_GRID

    @property
    def needed_right(self) -> float:
        """Pixels that the colour bar needs."""
        if not self._with_bar:
            return 1.0
        return GRID + COLOUR_BAR_WIDTH + TICK_GAP + self.look.metrics(Text.TICK).horizontalAdvance("1e−20") + 2

    def record_length(self, index: int) -> float:
        """Return how much of the span a record stands for: up to the next one, the last as much as the one before."""
        x = self.picture.x
        if len(x) < 2:
            return (self.span.last - self.span.first) / 40
        return float(x[index + 1] - x[index] if index + 1 < len(x) else x[index] - x[index - 1])

    @property
    def until(self) -> float:
        """Where the last record ends."""
        count = len(self.picture.x)
        return float(self.picture.x[-1]) + self.record_length(count - 1) if count else self.span.first

    # Drawing.

    def paint_inside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw the map, and what is not recorded yet."""
        painter.fillRect(plot, QColor(self.theme.sunken))
        ratio = self.devicePixelRatioF()
        width, height = round(plot.width() * ratio), round(plot.height() * ratio)
        if len(self.picture.x):
            painter.drawImage(plot, _image(self._pixels(width, height)))
        left = max(plot.left(), self.x_of(self.until))
        words = self.picture.words
        if words and plot.right() - left > self.look.metrics(Text.TICK).horizontalAdvance(words) + 2 * GRID:
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(self.theme.ink3))
            room = QRectF(left, plot.top(), plot.right() - left, plot.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)

    def _pixels(self, width: int, height: int) -> NDArray[np.uint8]:
        """Return (height, width, 4) uint8, blue first."""
        shown = self.picture.shown
        records = self._records(width, shown)
        drawn, columns = np.unique(records[records >= 0], return_inverse=True)
        index, zero, absent = colour_index(self.picture.norms[shown[drawn]], self.axis, height)
        pixels = np.empty((height, width, 4), np.uint8)
        pixels[:] = (*_blue_first(self.theme.sunken), 255)
        table = np.concatenate((self.theme.gate_table[:, 2::-1], np.full((256, 1), 255, np.uint8)), axis=1)
        there = records >= 0
        inside = table[index][:, columns]
        if absent.any():
            inside[absent[:, columns]] = (*_blue_first(self.theme.sunken), 255)
        if zero.any():
            down, along = np.indices(inside.shape[:2])
            none = zero[:, columns]
            inside[none] = (*_blue_first(self.theme.panel), 255)
            inside[none & ((down + along) % _HATCH == 0)] = (*_blue_first(self.theme.ink3), 255)
        pixels[:, there] = inside
        return pixels

    def _records(self, width: int, shown: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return for each column of pixels which of the drawn records it shows; −1 for none."""
        x = self.picture.x[shown]
        length = self.span.last - self.span.first
        centres = self.span.first + (np.arange(width) + 0.5) * length / width
        records = np.searchsorted(x, centres + _OVERLAP, "right") - 1
        records[centres > self.until] = -1
        # Of records that share a column, the last one; but one that no centre falls into must not vanish.
        columns = np.clip(((x - self.span.first) / length * width).astype(np.intp), 0, width - 1)
        inside = (x >= self.span.first) & (x <= self.span.last)
        records[columns[inside]] = np.flatnonzero(inside)
        return np.asarray(records, np.intp)

    def paint_outside(self, painter: QPainter, plot: QRectF) -> None:
        """Write the lags at the left, and draw the colour bar."""
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        pitch = plot.height() / max(1, self.lags)
        spacing = self.picture.spacing
        distance = nice_step(max(_TICK_PITCH, 1.6 * self.line_height) / pitch * spacing)
        for lag in range(0, self.lags * spacing, distance):
            y = plot.top() + (lag / spacing + 0.5) * pitch
            painter.fillRect(QRectF(plot.left() - 4, round(y), 3, 1), QColor(self.theme.frame))
            self.write(painter, format_count(lag), QPointF(plot.left() - TICK_GAP, y), right)
        painter.save()
        painter.translate(plot.left() - self.needed_left + 2, plot.center().y())
        painter.rotate(-90)
        self.write(painter, "lag, steps back", QPointF(0, 0), Qt.AlignmentFlag.AlignHCenter)
        painter.restore()
        if self._with_bar:
            bar = QRectF(plot.right() + GRID, plot.top(), COLOUR_BAR_WIDTH, plot.height())
            paint_colour_bar(painter, self, bar, self.axis)

    # The mouse.

    def record_at(self, position: float) -> int | None:
        """Return the index of the record that stands for a position."""
        index = int(np.searchsorted(self.picture.x, position + _OVERLAP, "right")) - 1
        return index if index >= 0 and position <= self.until else None

    def text_at(self, at: QPointF) -> str:
        """Return the norm under the mouse."""
        plot = self.plot_rect()
        record = self.record_at(self.position_at(at.x())) if plot.contains(at) else None
        if record is None:
            return ""
        row = min(self.lags - 1, int((at.y() - plot.top()) / plot.height() * self.lags))
        norm = float(self.picture.norms[record, row])
        place = f"{self.span.title} {self.span.write(float(self.picture.x[record]))}"
        lag = format_count(row * self.picture.spacing)
        if math.isnan(norm):
            return f"{place} · no step {lag} before the last"
        return f"{place} · gradient {format_scientific(norm)} at lag {lag}"


def colour_index(
    norms: NDArray[np.float64], axis: LogAxis, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return table indices of records as (height, N), and where the norm is exactly 0, and where there is none.

    Where several lags share a row of pixels, the largest is shown.
    """
    lags = norms.shape[1]
    logs = np.full(norms.shape, -np.inf)
    with np.errstate(invalid="ignore"):
        np.log10(norms, out=logs, where=norms > 0)
    absent = np.isnan(norms)
    odd = np.isinf(norms)
    logs[odd] = np.inf
    if lags <= height:
        rows = np.repeat(np.arange(lags), np.diff(unit_edges(lags, height)))
        logs, absent, odd = logs[:, rows], absent[:, rows], odd[:, rows]
    else:
        starts = -(-np.arange(height) * lags // height)
        logs = np.maximum.reduceat(logs, starts, axis=1)
        absent = np.logical_and.reduceat(absent, starts, axis=1)
        odd = np.logical_or.reduceat(odd, starts, axis=1)
    fraction = (np.clip(logs, axis.low, axis.high) - axis.low) / (axis.high - axis.low)
    index = np.rint(fraction * (LEVELS - 1)).astype(np.uint8)
    index[odd] = MISSING
    zero = (logs == -np.inf) & ~absent
    return index.T, zero.T, absent.T


def paint_colour_bar(painter: QPainter, plot: TrainingPlot, bar: QRectF, axis: LogAxis) -> None:
    """Draw the colours from the top down, with the decades beside them."""
    ramp = np.empty((LEVELS, 1, 4), np.uint8)
    ramp[:, 0, :3] = plot.theme.gate_table[LEVELS - 1 :: -1, 2::-1]
    ramp[:, 0, 3] = 255
    painter.drawImage(bar, _image(ramp))
    paint_frame(painter, bar, plot.theme.frame)
    middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    for exponent in axis.ticks(max(2, int(bar.height() / (1.5 * plot.line_height)))):
        y = bar.bottom() - (exponent - axis.low) / (axis.high - axis.low) * bar.height()
        painter.fillRect(QRectF(bar.right() + 1, min(round(y), bar.bottom() - 1), 3, 1), QColor(plot.theme.frame))
        half = plot.line_height / 2
        at = QPointF(bar.right() + TICK_GAP, min(max(y, bar.top() + half - 3), bar.bottom() - half + 3))
        plot.write(painter, format_decade(exponent), at, middle)


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """Return (height, width, 4) uint8 as a picture with memory of its own."""
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def _blue_first(colour: str) -> tuple[int, int, int]:
    blue, green, red = (int(colour[at : at + 2], 16) for at in (5, 3, 1))
    return blue, green, red
