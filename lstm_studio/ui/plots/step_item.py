"""Rows over the steps of a training: what all have in common, and curves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from lstm_studio.ui.numbers import format_count, format_decade, format_number, format_tick
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.curves import paint_points
from lstm_studio.ui.plots.end_labels import EndLabel, paint_end_labels
from lstm_studio.ui.plots.row_item import LeftLabel, Look, Mark, RowItem
from lstm_studio.ui.plots.rows import StackState
from lstm_studio.ui.plots.step_rows import CurveRow, StepCurve, StepLine
from lstm_studio.ui.theme import GRID, HALF_GRID, Text

_INSET = 7.0
_LEAST_DECADES = 1.0
_HEADROOM = 0.12
"""Decades above the largest value."""
_TICK_PITCH = 26.0
_SQUARE = 5.0
_SQUARE_DISTANCE = 80.0
_WIDE_POINTS = 2000
_WIDEST_END = "LSTM 1.39e−12"
_REST = "not yet trained"
_MISFIT_DEPTH = 4.0
_FAINT, _FAINT_IN_DARK = 0.45, 0.65


class StepLook(Look):
    """Theme and fonts of plots whose end labels hold a number."""

    @property
    def side_width(self) -> float:
        """Width of the margin at the right."""
        return 2 * GRID + self.metrics(Text.TICK_BOLD).horizontalAdvance(_WIDEST_END)


class StepItem(RowItem):
    """A row over the steps of a training; behind the live edge it says that nothing is there yet.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._done, self._growing = -1, False
        self.names_rest = False
        """Whether it says in words what lies behind the live edge."""

    def apply(self, state: StackState) -> None:
        """Nothing of what rows over time have concerns this one."""

    def show_edge(self, done: int, growing: bool) -> None:
        """Move the live edge."""
        if (done, growing) != (self._done, self._growing):
            self._done, self._growing = done, growing
            self.redraw()

    @property
    def length(self) -> int:
        """How many steps are known, the one before the first update among them."""
        return self._done + 1

    @property
    def ends_early(self) -> bool:
        """Whether there is room behind the live edge."""
        return self.length < self.scale_of_time.first + self.scale_of_time.count

    def x_of(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return device pixels from the plot's left, of the middle of each step."""
        scale = self.scale_of_time
        return np.asarray((steps - scale.first + 0.5) * (scale.pixels / scale.count), np.float64)

    @property
    def edge(self) -> float:
        """Where what is known ends, logical pixels from the plot's left."""
        scale = self.scale_of_time
        first = min(max(0, self.length - scale.first), scale.count)
        return float(scale.edges[first]) / scale.ratio

    def value_text(self, step: int) -> tuple[str, str]:  # noqa: ARG002
        """Return nothing: values stand beside the plots."""
        return "", ""

    @property
    @abstractmethod
    def header(self) -> tuple[str, str, str]:
        """Title, note and last line of the label."""

    def _paint_rest(self, painter: QPainter) -> None:
        """Say that the training has not come so far."""
        scale, left = self.scale_of_time, self.edge
        painter.save()
        painter.scale(scale.ratio, scale.ratio)
        rest = QRectF(left, 0, scale.width - left, self.height)
        if self.ends_early:
            painter.fillRect(rest, QColor(self.look.theme.sunken))
            words = _REST if self._growing else "not trained"
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(self.look.theme.ink3))
            room = rest.adjusted(self.look.side_width if self.labels_inside else GRID, 0, -GRID, 0)
            if self.names_rest and painter.fontMetrics().horizontalAdvance(words) < room.width():
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
        self.paint_above(painter)
        painter.restore()

    @property
    def labels_inside(self) -> bool:
        """Whether labels at the ends of curves have room behind the live edge."""
        return self.ends_early and self.scale_of_time.width - self.edge >= self.look.side_width

    def paint_above(self, painter: QPainter) -> None:
        """Draw what lies over both parts, in logical pixels."""


class StepCurveItem(StepItem):
    """Curves on a log axis or from 0 to 1, with the lines that they are compared with.

    Parameters
    ----------
    row
        What to draw.
    look
        Theme and text scale.
    """

    def __init__(self, row: CurveRow, look: Look) -> None:
        super().__init__(look)
        self.row = row
        self._low, self._high = _range_of(row)

    def set_row(self, row: CurveRow) -> None:
        """Show other curves."""
        if row is not self.row:
            self.row = row
            self._low, self._high = _range_of(row)
            self.redraw()

    @property
    def title(self) -> str:
        """The row's title."""
        return self.row.title

    @property
    def header(self) -> tuple[str, str, str]:
        """Title, note and last line of the label."""
        return self.row.title, self.row.note, self.row.third

    # Places.

    def y_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return logical pixels from the plot's top; not-a-number for what has no place on the axis."""
        values = np.asarray(values, np.float64)
        if self.row.log:
            at = np.full(values.shape, np.nan)
            np.log10(values, out=at, where=np.isfinite(values) & (values > 0))
        else:
            at = np.where(np.isfinite(values), values, np.nan)
        fraction = (at - self._low) / (self._high - self._low)
        return np.asarray(_INSET + (1 - fraction) * (self.height - 2 * _INSET), np.float64)

    def _ticks(self) -> list[tuple[float, str]]:
        """Return (y, text) of the ticks that fit, from the top down."""
        most = max(2, int((self.height - 2 * _INSET) / _TICK_PITCH) + 1)
        if not self.row.log:
            values = [0.0, 0.25, 0.5, 0.75, 1.0] if most >= 8 else [0.0, 0.5, 1.0] if most >= 3 else [0.0, 1.0]
            ys = self.y_of(np.array(values)).tolist()
            return [
                (y, format_number(value, 1 if len(values) < 5 else 2)) for y, value in zip(ys, values, strict=True)
            ][::-1]
        exponents = list(range(int(np.ceil(self._low - 1e-9)), int(np.floor(self._high + 1e-9)) + 1))
        stride = nice_step(len(exponents) / most)
        if len(exponents) >= 2:
            shown = [exponent for exponent in exponents if exponent % stride == 0]
            ys = self.y_of(10.0 ** np.array(shown, np.float64)).tolist()
            return [(y, format_decade(exponent)) for y, exponent in zip(ys, shown, strict=True)][::-1]
        # Less than two decades: their parts say more.
        span = range(int(np.floor(self._low)), int(np.ceil(self._high)) + 1)
        every = [digit * 10.0**exponent for exponent in span for digit in (1, 2, 5)]
        parts = [value for value in every if self._low <= np.log10(value) <= self._high]
        ys = self.y_of(np.array(parts, np.float64)).tolist()
        return [(y, format_tick(value)) for y, value in zip(ys, parts, strict=True)][::-1]

    # Drawing.

    def render(self, painter: QPainter) -> None:
        """Draw grid and curves."""
        scale, theme = self.scale_of_time, self.look.theme
        for y, _ in self._ticks():
            line = QRectF(0, round(y * scale.ratio), scale.pixels, max(1, round(scale.ratio)))
            painter.fillRect(line, QColor(theme.grid))
        for curve in self.row.curves:
            self._paint_curve(painter, curve)

    def _paint_curve(self, painter: QPainter, curve: StepCurve) -> None:
        scale, colour = self.scale_of_time, self.look.theme.roles[curve.role].mark
        begin = max(0, int(np.searchsorted(curve.steps, scale.first)) - 1)
        end = int(np.searchsorted(curve.steps, scale.first + scale.count, side="right")) + 1
        steps, values = curve.steps[begin:end], curve.values[begin:end]
        if not len(steps):
            return
        xs, ys = self.x_of(steps), self.y_of(values) * scale.ratio
        wide = 1.0 if curve.dashed or curve.faint or len(steps) > _WIDE_POINTS else 1.8
        size = (scale.pixels, self.pixel_height)
        painter.setOpacity(1.0 if not curve.faint else _FAINT_IN_DARK if self.look.theme.dark else _FAINT)
        paint_points(painter, xs, ys, *size, colour=colour, width=wide * scale.ratio, dashed=curve.dashed)
        painter.setOpacity(1.0)
        if curve.faint:
            return
        if curve.squares and not curve.dashed:
            self._paint_squares(painter, xs, ys, colour)
        depth = _MISFIT_DEPTH * scale.ratio
        for where, y in (((values <= 0) & self.row.log, self.pixel_height - depth), (~np.isfinite(values), 0.0)):
            for x in xs[where]:
                painter.fillRect(QRectF(x - depth / 2, y, depth, depth), QColor(colour))

    def _paint_squares(self, painter: QPainter, xs: NDArray[np.float64], ys: NDArray[np.float64], colour: str) -> None:
        side = _SQUARE * self.scale_of_time.ratio
        wanted = np.arange(xs[0], xs[-1] + 1, _SQUARE_DISTANCE * self.scale_of_time.ratio)
        for place in np.unique(np.clip(np.searchsorted(xs, wanted), 0, len(xs) - 1)):
            if np.isfinite(ys[place]):
                painter.fillRect(QRectF(xs[place] - side / 2, ys[place] - side / 2, side, side), QColor(colour))

    def paint_above(self, painter: QPainter) -> None:
        """Draw the lines that the curves are compared with, what happened, and the labels that have room."""
        for mark in self.row.marks:
            self._paint_mark(painter, mark.step, mark.text)
        taken: list[QRectF] = []
        for line in sorted(self.row.lines, key=_downwards):
            below = max((room.bottom() for room in taken), default=0.0)
            taken += self._paint_line(painter, line, below)
        if self.labels_inside:
            painter.save()
            painter.translate(self.edge, 0)
            paint_end_labels(painter, self.look, self._clear_of(self._end_labels(), taken), self.height)
            painter.restore()

    def _clear_of(self, labels: list[EndLabel], taken: list[QRectF]) -> list[EndLabel]:
        """Return the labels, those below words that stand in their way."""
        half = self.look.metrics(Text.TICK).height() / 2 + 1
        right = self.edge + self.look.side_width
        for room in sorted((room for room in taken if room.left() < right and not room.isEmpty()), key=QRectF.top):
            labels = [
                replace(label, end=room.bottom() + half)
                if room.top() - half < label.end < room.bottom() + half
                else label
                for label in labels
            ]
        return labels

    def _paint_line(self, painter: QPainter, line: StepLine, below: float) -> list[QRectF]:
        """Draw a line with its words, which keep clear of those above; return what they take."""
        theme = self.look.theme
        at = float(self.y_of(np.array([line.value]))[0])
        if not np.isfinite(at) or not 0 <= at <= self.height:
            return []
        y = round(at) + 0.5
        taken = QRectF(0, y - 1, self.scale_of_time.width, 2)
        pen = QPen(QColor(theme.ok if line.goal else theme.ink2), 1.4 if line.goal else 1)
        pen.setDashPattern([1.4, 2.2] if line.goal else [7, 4])
        painter.setPen(pen)
        painter.drawLine(0, round(at), round(self.scale_of_time.width), round(at))
        painter.setFont(self.look.font(Text.TICK_BOLD if line.goal else Text.TICK))
        painter.setPen(QColor(theme.ok if line.goal else theme.ink2))
        metrics = painter.fontMetrics()
        height, width = metrics.height(), metrics.horizontalAdvance(line.text) + 2.0
        above = y - height - 1 >= below
        top = y - height - 1 if above else y + 2
        if top + height > self.height or not line.text:
            return [taken]
        right = self.scale_of_time.width - HALF_GRID
        room = QRectF(right - width, top, width, height)
        ground = theme.sunken if self.ends_early and room.left() >= self.edge else theme.panel
        painter.fillRect(room.adjusted(-2, 1, 2, 0), QColor(ground))
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, line.text)
        return [taken, room]

    def _paint_mark(self, painter: QPainter, step: int, text: str) -> None:
        scale, theme = self.scale_of_time, self.look.theme
        if not scale.contains(step):
            return
        x = float(self.x_of(np.array([step]))[0]) / scale.ratio
        pen = QPen(QColor(theme.ok), 1.4)
        pen.setDashPattern([1.4, 2.2])
        painter.setPen(pen)
        painter.drawLine(round(x), 0, round(x), round(self.height))
        painter.setFont(self.look.font(Text.TICK_BOLD))
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(text) + 2.0
        left = x + GRID if x + GRID + width < scale.width else max(float(HALF_GRID), x - GRID - width)
        room = QRectF(left, self.height * 0.3 - metrics.height() / 2, width, metrics.height())
        if self.height > 3 * metrics.height():
            painter.fillRect(room.adjusted(-2, 0, 2, 0), QColor(theme.panel))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def _end_labels(self) -> list[EndLabel]:
        found = []
        for curve in self.row.curves:
            if not curve.end or not len(curve.values):
                continue
            end = float(self.y_of(curve.values[-1:])[0])
            at = end if np.isfinite(end) else self.height if curve.values[-1] <= 0 else 0.0
            found.append(EndLabel(curve.end, self.look.theme.roles[curve.role].text, (), at))
        return found

    def paint_right(self, painter: QPainter) -> None:
        """Draw the labels at the ends of the curves, where these have no room inside."""
        if not self.labels_inside:
            paint_end_labels(painter, self.look, self._end_labels(), self.height)

    def left_labels(self) -> list[LeftLabel]:
        """Return the ticks."""
        return [LeftLabel(y, text) for y, text in self._ticks()]

    def marks(self, step: int) -> list[Mark]:
        """Return each curve's point at a step, where it was measured there."""
        found = []
        for curve in self.row.curves:
            place = None if curve.faint else curve.place_of(step)
            if place is None or int(curve.steps[place]) != step:
                continue
            y = float(self.y_of(curve.values[place : place + 1])[0])
            if np.isfinite(y):
                found.append(Mark(y, self.look.theme.roles[curve.role].mark))
        return found

    # In words.

    def summary(self) -> str:
        """Return where each curve begins and ends, in one sentence."""
        parts = []
        for curve in self.row.curves:
            if len(curve.values) and not curve.faint:
                first, last = format_number(float(curve.values[0])), format_number(float(curve.values[-1]))
                what = f"{curve.name} {curve.what}".strip()
                parts.append(f"{what} from {first} to {last} at step {format_count(int(curve.steps[-1]))}")
        parts += [line.text for line in self.row.lines if line.text]
        parts += [mark.text for mark in self.row.marks]
        return f"{self.row.title}: {'; '.join(parts) or 'nothing yet'}"

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:  # noqa: ARG002
        """Return what was measured nearest to a step."""
        values, at = [], step
        for curve in self.row.curves:
            place = None if curve.faint else curve.place_of(step)
            if place is not None:
                at = int(curve.steps[place])
                values.append(f"{curve.name} {curve.what}".strip() + f" {format_number(float(curve.values[place]))}")
        return f"{self.row.title} · step {label(at)} · {' · '.join(values)}" if values else ""


def _downwards(line: StepLine) -> float:
    return -line.value


def _range_of(row: CurveRow) -> tuple[float, float]:
    """Return the ends of the axis: 0 and 1, or powers of ten."""
    if not row.log:
        return 0.0, 1.0
    lows, highs = [], []
    for values in (*(curve.values for curve in row.curves), np.array([line.value for line in row.lines])):
        positive = values[np.isfinite(values) & (values > 0)]
        if positive.size:
            lows.append(float(np.log10(positive.min())))
            highs.append(float(np.log10(positive.max())))
    if not lows:
        return -1.0, 0.0
    low, high = min(lows), max(highs) + _HEADROOM
    low = min(low - _HEADROOM, high - _LEAST_DECADES)
    return low, high
