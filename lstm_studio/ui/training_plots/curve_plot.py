"""Curves over the steps of a training, with bands, reference lines and labels at their ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.ui.numbers import format_decade, format_number, format_tick
from lstm_studio.ui.plots.end_labels import spread
from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.row_item import TICK_GAP
from lstm_studio.ui.theme import BADGE_RADIUS, HALF_GRID, Text, Theme
from lstm_studio.ui.training_plots.plot import TrainingPlot

Array = NDArray[np.float64]

_TICK_PITCH = 22.0
_MOST_TICKS = 8
_INSET = 5.0
_SQUARE, _SQUARE_DISTANCE = 5.0, 80.0
_MARGIN = 0.06
"""Part of a range left free above and below curves whose range is not given."""
_BESIDE = 5.0


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One curve.

    Parameters
    ----------
    name
        What a screen reader and the tool tip call it.
    x, y
        (N,) positions in growing order, and values; what is not finite is left out and marked at the upper edge.
    colour
        ``"#RRGGBB"``.
    width
        Pixels.
    dash
        Lengths of dashes and gaps in pixels; none for a solid line.
    label
        What stands at its end; empty for nothing.
    label_colour
        Of that; by default the colour of the line.
    badge
        Letter in a box at the end instead; filled where ``label`` is not empty.
    squares
        Whether it has square markers.
    """

    name: str
    x: Array
    y: Array
    colour: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    label: str = ""
    label_colour: str = ""
    badge: str = ""
    squares: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """A filled range: (N,) positions, and the lowest and highest value at each."""

    x: Array
    low: Array
    high: Array
    colour: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A level to compare with: chance is dashed, what counts as solved dotted and green."""

    value: float
    text: str
    solved: bool = False


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """What a plot shows.

    Parameters
    ----------
    lines
        The last one is drawn on top.
    bands
        Below the lines.
    references
        Levels.
    log
        Whether the axis is logarithmic.
    levels
        Lowest and highest value of the axis; None for those of what is shown.
    until
        Position after which nothing is known yet; None for none.
    words
        What is said there.
    summary
        For screen readers.
    """

    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    references: tuple[Reference, ...] = ()
    log: bool = False
    levels: tuple[float, float] | None = None
    until: float | None = None
    words: str = ""
    summary: str = ""


class CurvePlot(TrainingPlot):
    """Curves on one axis.

    Parameters
    ----------
    name
        What it shows, for screen readers.
    axis, flag
        As of every plot over training steps.
    height
        Comfortable height in pixels.
    """

    def __init__(
        self, theme: Theme, name: str, *, axis: bool = True, flag: bool = False, height: int = 150, least: int = 84
    ) -> None:
        super().__init__(theme, name, axis=axis, flag=flag)
        self._height, self._least = height, least
        self.picture = CurvePicture()
        self._log = LogAxis(-1, 0)
        self._levels = (0.0, 1.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: CurvePicture) -> None:
        """Show other curves; those that are the same as before are not drawn again."""
        if _looks_same(picture, self.picture):
            return
        self.picture = picture
        if picture.log:
            levels = [np.array([line.value for line in picture.references])] if picture.references else []
            self._log = log_axis([*(line.y for line in picture.lines), *levels])
        else:
            self._levels = picture.levels or linear_levels(picture)
        self.describe(picture.summary)
        self.redraw()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a comfortable size."""
        return QSize(240, self._height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size at which it can be read."""
        return QSize(120, round(self._least - 18 + 1.4 * self.line_height))

    # Places.

    @property
    def needed_left(self) -> float:
        """Pixels that the values at the left need."""
        metrics = self.look.metrics(Text.TICK)
        return max(metrics.horizontalAdvance(text) for text in ("1e−20", "0.05")) + TICK_GAP + 3

    def y_of(self, values: Array, plot: QRectF) -> Array:
        """Return pixels from the top of the widget; not-a-number for what has no place."""
        if self.picture.log:
            fraction = self._log.fraction(values)
        else:
            low, high = self._levels
            with np.errstate(invalid="ignore"):
                fraction = (np.asarray(values, np.float64) - low) / (high - low)
            fraction = np.where(np.isfinite(fraction), fraction, np.nan)
        return np.asarray(plot.top() + _INSET + (1 - fraction) * (plot.height() - 2 * _INSET), np.float64)

    def value_ticks(self, height: float) -> list[tuple[float, str]]:
        """Return (value, text) of the ticks that fit into a height."""
        most = max(2, min(_MOST_TICKS, int(height / max(_TICK_PITCH, 1.4 * self.line_height)) + 1))
        if self.picture.log:
            return [(10.0**exponent, format_decade(exponent)) for exponent in self._log.ticks(most)]
        low, high = self._levels
        least = (high - low) / max(1, most - 1)
        decade = 10.0 ** math.floor(math.log10(least))
        distance = next(step * decade for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * decade >= least * (1 - 1e-9))
        begin, end = math.ceil(low / distance - 1e-9), math.floor(high / distance + 1e-9)
        return [(index * distance, format_tick(index * distance)) for index in range(begin, end + 1)]

    # Drawing.

    def paint_inside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw what is not known yet, the grid, bands, references and curves."""
        picture = self.picture
        self._paint_unknown(painter, plot)
        for value, _ in self.value_ticks(plot.height()):
            y = float(self.y_of(np.array([value]), plot)[0])
            painter.fillRect(QRectF(plot.left(), round(y), plot.width(), 1), QColor(self.theme.grid))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for band in picture.bands:
            self._paint_band(painter, band, plot)
        for reference in picture.references:
            self._paint_reference(painter, reference, plot)
        for line in picture.lines:
            self._paint_line(painter, line, plot)
        self._paint_ends(painter, plot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_unknown(self, painter: QPainter, plot: QRectF) -> None:
        until = self.picture.until
        if until is None or until >= self.span.last:
            return
        left = max(plot.left(), self.x_of(until))
        empty = QRectF(left, plot.top(), plot.right() - left, plot.height())
        painter.fillRect(empty, QColor(self.theme.sunken))
        words = self.picture.words
        if words and empty.width() > self.look.metrics(Text.TICK).horizontalAdvance(words) + 3 * _BESIDE:
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(self.theme.ink3))
            painter.drawText(empty, Qt.AlignmentFlag.AlignCenter, words)

    def _xs(self, x: Array, plot: QRectF) -> Array:
        return np.asarray(plot.left() + (x - self.span.first) / (self.span.last - self.span.first) * plot.width())

    def _paint_band(self, painter: QPainter, band: Band, plot: QRectF) -> None:
        top, bottom = self.y_of(band.high, plot), self.y_of(band.low, plot)
        known = np.isfinite(top) & np.isfinite(bottom)
        if not known.any():
            return
        x = self._xs(band.x[known], plot)
        colour = QColor(band.colour)
        colour.setAlphaF(band.opacity)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([*_points(x, top[known]), *_points(x[::-1], bottom[known][::-1])]))

    def _paint_reference(self, painter: QPainter, reference: Reference, plot: QRectF) -> None:
        y = float(self.y_of(np.array([reference.value]), plot)[0])
        if not math.isfinite(y):
            return
        colour = QColor(self.theme.ok if reference.solved else self.theme.ink2)
        pen = QPen(colour, 1.5 if reference.solved else 1.0)
        pen.setDashPattern([2, 3] if reference.solved else [7, 4])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        above = y - plot.top() > self.line_height + 3
        at = QPointF(plot.right() - HALF_GRID, y - self.line_height - 1 if above else y + 2)
        self.write(painter, reference.text, at, Qt.AlignmentFlag.AlignRight)

    def _paint_line(self, painter: QPainter, line: Line, plot: QRectF) -> None:
        y = self.y_of(line.y, plot)
        x = self._xs(line.x, plot)
        pen = QPen(QColor(line.colour), line.width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if line.dash:
            pen.setDashPattern([length / line.width for length in line.dash])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen)
        # Thin lines need none, and several long ones would take longer than a frame.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, line.width > 1)
        finite = np.flatnonzero(np.isfinite(y))
        for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1):
            if len(run) == 1:
                point = QPen(QColor(line.colour), max(3.0, line.width))
                point.setCapStyle(Qt.PenCapStyle.RoundCap)
                painter.setPen(point)
                painter.drawPoint(QPointF(float(x[run[0]]), float(y[run[0]])))
                painter.setPen(pen)
            elif len(run):
                painter.drawPolyline(QPolygonF(_points(x[run], np.clip(y[run], -1e4, 1e4))))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_misfits(painter, line, x, plot)
        if line.squares and len(finite):
            last = -math.inf
            for index in finite:
                if x[index] - last >= _SQUARE_DISTANCE:
                    last = float(x[index])
                    square = QRectF(last - _SQUARE / 2, float(y[index]) - _SQUARE / 2, _SQUARE, _SQUARE)
                    painter.fillRect(square, QColor(line.colour))

    def _paint_misfits(self, painter: QPainter, line: Line, x: Array, plot: QRectF) -> None:
        """Mark what has no place: not finite at the upper edge, 0 on a log axis at the lower one."""
        for where, top in ((~np.isfinite(line.y), plot.top()), (line.y == 0, plot.bottom() - 4)):
            if top == plot.top() or self.picture.log:
                for at in dict.fromkeys(np.round(x[where]).tolist()):
                    painter.fillRect(QRectF(at - 1, top, 2, 4), QColor(line.colour))

    def _paint_ends(self, painter: QPainter, plot: QRectF) -> None:
        """Label the curves at their ends, none on top of another."""
        found = []
        for line in self.picture.lines:
            y = self.y_of(line.y, plot)
            finite = np.flatnonzero(np.isfinite(y))
            if (line.label or line.badge) and len(finite):
                found.append((float(y[finite[-1]]), float(self._xs(line.x[finite[-1] :][:1], plot)[0]), line))
        found.sort(key=lambda end: end[0])
        height = self.line_height + (3 if any(line.badge for _, _, line in found) else 0)
        tops = spread([y - plot.top() - height / 2 for y, _, _ in found], [height] * len(found), plot.height())
        for (_, x, line), top in zip(found, tops, strict=True):
            self._paint_end(painter, line, x, plot.top() + top, plot)

    def _paint_end(self, painter: QPainter, line: Line, x: float, top: float, plot: QRectF) -> None:
        bold = self.look.metrics(Text.TICK_BOLD)
        height = self.line_height
        if line.badge:
            side = height + 1
            left = min(x + _BESIDE, plot.right() - side - 2)
            paint_letter(painter, QRectF(left, top + 1, side, side), line.badge, self.theme, filled=bool(line.label))
            return
        width = bold.horizontalAdvance(line.label) + 2
        beside = x + _BESIDE + width <= plot.right()
        left = x + _BESIDE if beside else plot.right() - width - 2
        painter.setFont(self.look.font(Text.TICK_BOLD))
        if not beside:
            # On the curve itself it would not be read.
            veil = QColor(self.theme.panel)
            veil.setAlphaF(0.8)
            painter.fillRect(QRectF(left - 2, top, width + 2, height), veil)
        painter.setPen(QColor(line.label_colour or line.colour))
        painter.drawText(QRectF(left, top, width, height), Qt.AlignmentFlag.AlignVCenter, line.label)

    def paint_outside(self, painter: QPainter, plot: QRectF) -> None:
        """Write the values at the left."""
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, text in self.value_ticks(plot.height()):
            y = float(self.y_of(np.array([value]), plot)[0])
            self.write(painter, text, QPointF(plot.left() - TICK_GAP, y), flags)

    # The mouse.

    def text_at(self, at: QPointF) -> str:
        """Return every curve's value at the last point before a place."""
        if not self.plot_rect().contains(at):
            return ""
        position = self.position_at(at.x())
        parts = []
        for line in self.picture.lines:
            index = int(np.searchsorted(line.x, position, "right")) - 1
            if index >= 0:
                parts.append(f"{line.name} {format_number(float(line.y[index]))}")
        return f"{self.span.title} {self.span.write(position)} · {' · '.join(parts)}" if parts else ""


def _looks_same(one: CurvePicture, other: CurvePicture) -> bool:
    """Return whether two pictures have the same curves, in the same looks."""
    if replace(one, lines=(), bands=()) != replace(other, lines=(), bands=()):
        return False
    return _same(one.lines, other.lines) and _same(one.bands, other.bands)


def _same(ones: Sequence[Line | Band], others: Sequence[Line | Band]) -> bool:
    if len(ones) != len(others):
        return False
    for one, other in zip(ones, others, strict=True):
        for field in fields(one):
            this, that = getattr(one, field.name), getattr(other, field.name)
            if isinstance(this, np.ndarray):
                if not np.array_equal(this, that, equal_nan=True):
                    return False
            elif this != that:
                return False
    return True


def linear_levels(picture: CurvePicture) -> tuple[float, float]:
    """Return a range that holds everything finite in a picture; it begins at 0 where nothing is below."""
    parts = [line.y for line in picture.lines]
    parts += [part for band in picture.bands for part in (band.low, band.high)]
    parts += [np.array([reference.value]) for reference in picture.references]
    every = np.concatenate(parts) if parts else np.zeros(0)
    every = every[np.isfinite(every)]
    if not len(every):
        return (0.0, 1.0)
    low, high = float(every.min()), float(every.max())
    if 0 <= low <= high / 2 or low == high == 0:
        return (0.0, high * (1 + _MARGIN) or 1.0)
    margin = (high - low) * _MARGIN or abs(high) * _MARGIN
    return (low - margin, high + margin)


def paint_letter(painter: QPainter, rect: QRectF, letter: str, theme: Theme, *, filled: bool) -> None:
    """Draw the letter of a run in its box, in ink where it is the selected one; the painter is antialiased."""
    painter.setPen(QPen(QColor(theme.ink if filled else theme.control), 1))
    painter.setBrush(QColor(theme.ink if filled else theme.panel))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), BADGE_RADIUS, BADGE_RADIUS)
    painter.setPen(QColor(theme.panel if filled else theme.ink2))
    bold = painter.font()
    bold.setBold(True)
    painter.setFont(bold)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, letter)


def _points(x: Array, y: Array) -> list[QPointF]:
    return [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
