"""Curves over the steps of a training, with bands, reference lines and labels at their ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.curves import MOST_STROKED, is_vector, paint_filled, paint_points
from lstm_studio.ui.plots.end_labels import spread
from lstm_studio.ui.plots.row_item import TICK_GAP, LeftLabel, Mark
from lstm_studio.ui.theme import GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.training_plots.pictures import (
    Array,
    CurvePicture,
    Happening,
    Line,
    Picture,
    Reference,
    grown_since,
    looks_same,
    same_lines,
)
from lstm_studio.ui.training_plots.plot import TrainingPlot
from lstm_studio.ui.training_plots.value_axis import ValueAxis, axis_of
from lstm_studio.ui.widgets.badge import paint_letter

_TICK_PITCH = 22.0
_MOST_TICKS = 8
_INSET = 5.0
_SQUARE, _SQUARE_DISTANCE = 5.0, 80.0
_MISFIT = 4.0
_BESIDE = 6.0
_LINE_HEIGHT = 13.0
"""Of ticks in the text size for which heights are given."""
_ROOM_STEP = 8
"""Margins for labels are multiples of so many pixels: not every digit moves a frame."""
_FAINT, _FAINT_IN_DARK = 0.45, 0.65
_REACH = 6
"""Pixels that marks of a point stand out."""
_MANY = 3
"""Curves from which those that have not changed are kept as a picture."""


@dataclass(frozen=True, slots=True)
class _End:
    """The label of a curve: where that ends, how large it is, and whose it is."""

    at: QPointF
    width: float
    line: Line


@dataclass(frozen=True, slots=True)
class _Settled:
    """A picture of curves, what it was drawn of, and with what."""

    lines: tuple[Line, ...]
    place: tuple[object, ...]
    picture: QPixmap


class CurvePlot(TrainingPlot):
    """Curves on one axis.

    Parameters
    ----------
    name
        What it shows, for screen readers.
    axis, flag
        As of every plot over training steps.
    height, least
        Comfortable and smallest height in pixels.
    """

    def __init__(
        self, theme: Theme, name: str, *, axis: bool = True, flag: bool = False, height: int = 150, least: int = 84
    ) -> None:
        super().__init__(theme, name, axis=axis, flag=flag)
        self._height, self._least = height, least
        self.picture = CurvePicture()
        self.values = ValueAxis()
        self._settled: _Settled | None = None
        self._labels: tuple[object, Sequence[LeftLabel]] | None = None
        self._found: tuple[object, Sequence[_End]] | None = None
        self._needed_left: tuple[object, float] | None = None
        self._needed_right: tuple[object, float] | None = None
        self._words: list[QRectF] = []
        self._before: tuple[Line, ...] = ()
        self._since: float | None = None
        """While only a part is drawn, the position from which on curves are needed for it."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: Picture) -> None:
        """Show other curves; those that are the same as before are not drawn again."""
        if not isinstance(picture, CurvePicture) or looks_same(picture, self.picture):
            return
        before, axis, ends = self.picture, self.values, () if self._found is None else self._found[1]
        self.picture = picture
        self.values = axis_of(picture)
        self.describe(picture.summary)
        left = self._unchanged_until(before, ends) if self.values == axis else None
        if left is None:
            self.redraw_inside()
            return
        self._since = self.position_at(left - _REACH)
        self.repaint_from(left)
        self._since = None

    def _unchanged_until(self, before: CurvePicture, ends: Sequence[_End]) -> float | None:
        """Return the place up to which the picture that is there is right; None where all of it is drawn anew."""
        since, plot = grown_since(before, self.picture), self.plot_rect()
        if since is None or self.kept_picture is None or not self.keeps_outside(plot):
            return None
        left = math.floor(self.x_of(since)) - _REACH
        # Words that begin before that place would be cut.
        words = [self._label_left(end, plot) for end in (*ends, *self._ends(plot)) if not self._has_margin([end], plot)]
        words += [plot.right() - HALF_GRID - 4 - self._width_of(one) for one in self.picture.references if one.text]
        return float(left) if left > plot.left() and all(place >= left for place in words) else None

    def _width_of(self, reference: Reference) -> float:
        metrics = self.look.metrics(Text.TICK_BOLD if reference.solved else Text.TICK)
        return metrics.horizontalAdvance(reference.text)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(240, self._height)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which it can be read."""
        return QSize(120, round(self._least * max(1.0, self.line_height / _LINE_HEIGHT)))

    # Places.

    @property
    def needed_left(self) -> float:
        """Pixels that any values at the left need: the frame stays where it is when others come."""
        key = (self.look, self.values, self.height())
        if self._needed_left is None or self._needed_left[0] != key:
            metrics = self.look.metrics(Text.TICK)
            least = max(metrics.horizontalAdvance(text) for text in ("1e−20", "0.05")) + TICK_GAP + 3
            self._needed_left = key, max(least, super().needed_left)
        return self._needed_left[1]

    @property
    def needed_right(self) -> float:
        """Pixels that the labels need where they have no room behind the ends of their curves."""
        left = self._insets[0] if self._insets else self.needed_left
        key = (self.look, self.picture, self.span, left, self.width())
        if self._needed_right is None or self._needed_right[0] != key:
            self._needed_right = key, self._right_of(left)
        return self._needed_right[1]

    def _right_of(self, left: float) -> float:
        plot = QRectF(left, 0, max(8.0, self.width() - left - 1), max(8.0, self.height()))
        # Not by _ends, which keeps those of the frame as it is.
        ends = self._find_ends(plot)
        if all(_fits(end, plot) for end in ends):
            return 1.0
        return math.ceil((max(end.width for end in ends) + _BESIDE + 1) / _ROOM_STEP) * _ROOM_STEP

    def y_of(self, values: Array, plot: QRectF) -> Array:
        """Return pixels from the top of the widget; not-a-number for what has no place."""
        return plot.top() + self._down(values, plot.height())

    def _down(self, values: Array, height: float) -> Array:
        return np.asarray(_INSET + (1 - self.values.fraction(values)) * (height - 2 * _INSET), np.float64)

    def _along(self, x: Array, width: float) -> Array:
        return np.asarray((x - self.span.first) * (width / (self.span.last - self.span.first)), np.float64)

    def value_ticks(self, height: float) -> list[tuple[float, str]]:
        """Return (value, text) of the ticks that fit into a height."""
        most = max(2, min(_MOST_TICKS, int(height / max(_TICK_PITCH, 1.4 * self.line_height)) + 1))
        return self.values.ticks(most)

    def left_labels(self, plot: QRectF) -> Sequence[LeftLabel]:
        """Return the values at the left."""
        key = (self.values, plot.height(), self.look)
        if self._labels is None or self._labels[0] != key:
            self._labels = key, self._find_labels(plot)
        return self._labels[1]

    def _find_labels(self, plot: QRectF) -> Sequence[LeftLabel]:
        ticks = self.value_ticks(plot.height())
        downs = self._down(np.array([value for value, _ in ticks], np.float64), plot.height()).tolist()
        return [LeftLabel(y, text) for y, (_, text) in zip(downs, ticks, strict=True)]

    # Drawing.

    def paint_inside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw what is not known yet, the grid, bands, curves and what these are compared with."""
        picture = self.picture
        self._words.clear()
        ends = self._ends(plot)
        widest = max((end.width for end in ends), default=0.0)
        self.paint_unknown(painter, plot, picture.until, picture.words, widest + _BESIDE if widest else 0.0)
        for label in self.left_labels(plot):
            line = QRectF(plot.left(), plot.top() + round(label.y), plot.width(), 1)
            painter.fillRect(line, QColor(self.theme.grid))
        self._paint_curves(painter, plot)
        for happening in picture.happenings:
            self._paint_happening(painter, happening, plot)
        taken: list[QRectF] = []
        for reference in sorted(picture.references, key=_downwards):
            below = max((room.bottom() for room in taken), default=plot.top())
            taken += self._paint_reference(painter, reference, plot, below)
        if all(_fits(end, plot) for end in ends) or not self._has_margin(ends, plot):
            self._paint_ends(painter, ends, plot, taken)

    def paint_beside(self, painter: QPainter, plot: QRectF) -> None:
        """Label the curves beside the frame where there is no room within."""
        ends = self._ends(plot)
        if self._has_margin(ends, plot) and not all(_fits(end, plot) for end in ends):
            self._paint_ends(painter, ends, plot, [], beside=True)

    def words_inside(self) -> Sequence[QRectF]:
        """Return where levels, happenings and curves are named inside the frame."""
        return self._words

    def _paint_curves(self, painter: QPainter, plot: QRectF) -> None:
        """Draw bands and curves, pixel by pixel of the device."""
        ratio = self.ratio
        pixels, height = max(1, round(plot.width() * ratio)), max(1, round(plot.height() * ratio))
        painter.save()
        painter.translate(plot.topLeft())
        painter.scale(1 / ratio, 1 / ratio)
        settled = 0
        many = len(self.picture.lines) >= _MANY and not self.picture.bands
        if many and self._since is None and not is_vector(painter):
            settled = self._paint_settled(painter, plot, (pixels, height))
        for band in self.picture.bands:
            part = self._needed(band.x)
            top, bottom = (self._down(values[part], plot.height()) * ratio for values in (band.high, band.low))
            xs = self._along(band.x[part], plot.width()) * ratio
            if len(xs):
                paint_filled(painter, xs, (top, bottom), pixels, height, colour=band.colour, opacity=band.opacity)
        for line in self.picture.lines[settled:]:
            self._paint_line(painter, line, plot, (pixels, height))
        painter.restore()

    def _paint_settled(self, painter: QPainter, plot: QRectF, size: tuple[int, int]) -> int:
        """Draw the curves that are as they were from a picture that is kept of them; return how many these are.

        Of several runs most often one has something new, and that is drawn over the others.
        """
        lines = self.picture.lines
        place = (self.theme, self.span, self.values, size, self.ratio)
        same, self._before = same_lines(self._before, lines), lines
        kept = self._settled
        if kept is not None and kept.place == place and same <= len(kept.lines) == same_lines(kept.lines, lines):
            painter.drawPixmap(0, 0, kept.picture)
            return len(kept.lines)
        self._settled = None
        if same:
            picture = QPixmap(*size)
            picture.fill(Qt.GlobalColor.transparent)
            inside = QPainter(picture)
            for line in lines[:same]:
                self._paint_line(inside, line, plot, size)
            inside.end()
            self._settled = _Settled(lines[:same], place, picture)
            painter.drawPixmap(0, 0, picture)
        return same

    def release(self) -> None:
        """Keep no picture at all, nor one of the curves that are as they were."""
        super().release()
        self._settled = None

    def _paint_line(self, painter: QPainter, line: Line, plot: QRectF, size: tuple[int, int]) -> None:
        if not len(line.x):
            return
        ratio, (pixels, height) = self.ratio, size
        part = self._needed(line.x)
        x, y = line.x[part], line.y[part]
        xs, ys = self._along(x, plot.width()) * ratio, self._down(y, plot.height()) * ratio
        dashes = [length / line.width for length in line.dash]
        # Dashes are counted from the first column on.
        skipped = max(0, int(xs[0]) - 2) if part.start and not dashes else 0
        if line.faint:
            painter.setOpacity(_FAINT_IN_DARK if self.theme.dark else _FAINT)
        painter.translate(skipped, 0)
        paint_points(
            painter,
            xs - skipped,
            ys,
            pixels - skipped,
            height,
            colour=line.colour,
            width=line.width * ratio,
            dashes=dashes,
            whole=len(line.x),
        )
        painter.translate(-skipped, 0)
        painter.setOpacity(1.0)
        if not line.faint:
            self._paint_misfits(painter, line.colour, xs, y, height)
            if line.squares:
                first = float(self._along(line.x[:1], plot.width())[0]) * ratio
                self._paint_squares(painter, line.colour, xs, ys, first)

    def _needed(self, x: Array) -> slice:
        """Return which points have to do with what is drawn: few are stroked, and that from the first one on."""
        if self._since is None or len(x) <= MOST_STROKED:
            return slice(None)
        return slice(max(0, int(np.searchsorted(x, self._since)) - 2), None)

    def _paint_squares(self, painter: QPainter, colour: str, xs: Array, ys: Array, first: float) -> None:
        """Draw a square at a point every so many pixels, counted from the place of the first point of all."""
        side, distance = _SQUARE * self.ratio, _SQUARE_DISTANCE * self.ratio
        wanted = np.arange(first + math.ceil((xs[0] - first) / distance) * distance, xs[-1] + 1e-6, distance)
        for place in np.unique(np.searchsorted(xs, wanted - 1e-6)):
            if np.isfinite(ys[place]):
                square = QRectF(xs[place] - side / 2, ys[place] - side / 2, side, side)
                painter.fillRect(square, QColor(colour))

    def _paint_misfits(self, painter: QPainter, colour: str, xs: Array, values: Array, height: int) -> None:
        """Mark what has no place: not finite at the upper edge, 0 and less on a log axis at the lower one."""
        side = _MISFIT * self.ratio
        odd = ~np.isfinite(values)
        none = values <= 0 if self.picture.log else np.zeros(0, bool)
        for where, top in ((odd, 0.0), (none, height - side)):
            if where.any():
                for x in dict.fromkeys(np.round(xs[where]).tolist()):
                    painter.fillRect(QRectF(x - side / 2, top, side, side), QColor(colour))

    def _paint_reference(self, painter: QPainter, reference: Reference, plot: QRectF, below: float) -> list[QRectF]:
        """Draw a level with its words, which keep clear of those above; return what they take."""
        y = float(self.y_of(np.array([reference.value]), plot)[0])
        if not math.isfinite(y) or not plot.top() <= y <= plot.bottom():
            return []
        colour = QColor(self.theme.ok if reference.solved else self.theme.ink2)
        pen = QPen(colour, 1.5 if reference.solved else 1.0)
        pen.setDashPattern([1.4, 2.2] if reference.solved else [7, 4])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(plot.left(), round(y) + 0.5), QPointF(plot.right(), round(y) + 0.5))
        taken = [QRectF(plot.left(), y - 1, plot.width(), 2)]
        painter.setFont(self.look.font(Text.TICK_BOLD if reference.solved else Text.TICK))
        painter.setPen(colour)
        metrics = painter.fontMetrics()
        height, width = metrics.height(), metrics.horizontalAdvance(reference.text) + 2.0
        top = y - height - 1 if y - height - 1 >= below else y + 2
        if top + height > plot.bottom() or not reference.text:
            return taken
        room = QRectF(plot.right() - HALF_GRID - width, top, width, height)
        until = self.picture.until
        unknown = until is not None and until < self.span.last and room.left() >= self.x_of(until)
        painter.fillRect(room.adjusted(-2, 1, 2, 0), QColor(self.theme.sunken if unknown else self.theme.panel))
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, reference.text)
        self._words.append(room.adjusted(-2, 1, 2, 0))
        return [*taken, room]

    def _paint_happening(self, painter: QPainter, happening: Happening, plot: QRectF) -> None:
        if not 0 <= self.span.fraction(happening.position) <= 1:
            return
        x = self.x_of(happening.position)
        pen = QPen(QColor(self.theme.ok), 1.4)
        pen.setDashPattern([1.4, 2.2])
        painter.setPen(pen)
        painter.drawLine(QPointF(round(x), plot.top()), QPointF(round(x), plot.bottom()))
        painter.setFont(self.look.font(Text.TICK_BOLD))
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(happening.text) + 2.0, metrics.height()
        beside = x + GRID + width < plot.right()
        left = x + GRID if beside else max(plot.left() + HALF_GRID, x - GRID - width)
        if plot.height() > 3 * height:
            room = QRectF(left, plot.top() + 0.3 * plot.height() - height / 2, width, height)
            painter.fillRect(room.adjusted(-2, 0, 2, 0), QColor(self.theme.panel))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, happening.text)
            self._words.append(room.adjusted(-2, 0, 2, 0))

    # The labels at the ends.

    def _ends(self, plot: QRectF) -> Sequence[_End]:
        """Return the labels of the curves, from the top down."""
        key = (self.look, self.picture, self.values, self.span, plot.getRect())
        if self._found is None or self._found[0] != key:
            self._found = key, self._find_ends(plot)
        return self._found[1]

    def _find_ends(self, plot: QRectF) -> list[_End]:
        bold = self.look.metrics(Text.TICK_BOLD)
        found = []
        for line in self.picture.lines:
            if not (line.label or line.badge) or line.faint:
                continue
            last = _last_known(line.y)
            if last is None:
                continue
            x = float(self._along(line.x[last : last + 1], plot.width())[0])
            y = float(self._down(line.y[last : last + 1], plot.height())[0])
            y = y if math.isfinite(y) else plot.height() - _INSET
            side = self.line_height + 1
            width = bold.horizontalAdvance(line.badge or line.label)
            width = max(side, width + 6) if line.badge else width
            found.append(_End(QPointF(plot.left() + x, plot.top() + y), width + 2, line))
        return sorted(found, key=_height_of)

    def _has_margin(self, ends: Sequence[_End], plot: QRectF) -> bool:
        """Return whether the labels have room at the right of the frame."""
        room = self.width() - plot.right() - 1
        return all(end.width + _BESIDE <= room for end in ends)

    def _paint_ends(
        self, painter: QPainter, ends: Sequence[_End], plot: QRectF, taken: Sequence[QRectF], *, beside: bool = False
    ) -> None:
        """Write each label where its curve ends, none on top of another, nor of words that stand there."""
        height = self.line_height + (3 if any(end.line.badge for end in ends) else 0)
        left = plot.right() + _BESIDE
        wanted = []
        for end in ends:
            y = end.at.y()
            room = QRectF(self._label_left(end, plot), y - height / 2, end.width, height)
            for other in sorted(taken, key=QRectF.top):
                if other.height() > 2 and other.intersects(room):
                    room.moveTop(other.bottom() + 1)
            wanted.append(room.top() - plot.top())
        order = sorted(range(len(ends)), key=wanted.__getitem__)
        tops = spread([wanted[place] for place in order], [height] * len(ends), plot.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, top in zip(order, tops, strict=True):
            end = ends[place]
            room = QRectF(left if beside else self._label_left(end, plot), plot.top() + top, end.width, height)
            self._paint_end(painter, end, room, veiled=not beside)
            if not beside:
                self._words.append(room)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _label_left(self, end: _End, plot: QRectF) -> float:
        return min(end.at.x() + _BESIDE, plot.right() - end.width - 2)

    def _paint_end(self, painter: QPainter, end: _End, room: QRectF, *, veiled: bool) -> None:
        line = end.line
        painter.setFont(self.look.font(Text.TICK_BOLD))
        if line.badge:
            side = self.line_height + 1
            box = QRectF(room.left(), room.top() + 1, room.width() - 2, side)
            paint_letter(painter, box, line.badge, self.theme, filled=bool(line.label))
            return
        if veiled and room.left() < end.at.x() + _BESIDE - 1:
            # On the curve itself it would not be read.
            veil = QColor(self.theme.panel)
            veil.setAlphaF(0.8)
            painter.fillRect(room.adjusted(-2, 0, 0, 0), veil)
        painter.setPen(QColor(line.label_colour or line.colour))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, line.label)

    # The mouse and the cursor.

    def marks_at(self, position: float, plot: QRectF) -> Sequence[Mark]:
        """Return each curve's point at a position, where it was measured there."""
        found = []
        for line in self.picture.lines:
            place = None if line.faint else line.nearest(position)
            if place is None or float(line.x[place]) != position:
                continue
            y = float(self.y_of(line.y[place : place + 1], plot)[0])
            if math.isfinite(y):
                found.append(Mark(y, line.colour))
        return found

    def text_at(self, at: QPointF) -> str:
        """Return every curve's value at the point nearest to a place."""
        if not self.plot_rect().contains(at):
            return ""
        position = self.position_at(at.x())
        until = self.picture.until
        if until is not None and position > until and self.picture.words:
            return f"{self.lead(position)} · {self.picture.words}"
        parts, places = [], set()
        for line in self.picture.lines:
            place = None if line.faint else line.nearest(position)
            if place is not None:
                places.add(float(line.x[place]))
                parts.append(f"{line.name} {format_number(float(line.y[place]))}")
        if len(places) == 1:
            # All were measured there, and not where the mouse is.
            position = places.pop()
        return f"{self.lead(position)} · {' · '.join(parts)}" if parts else ""


def _last_known(values: Array) -> int | None:
    """Return the index of the last finite value; None where there is none."""
    if len(values) and math.isfinite(values[-1]):
        return len(values) - 1
    known = np.flatnonzero(np.isfinite(values))
    return int(known[-1]) if len(known) else None


def _fits(end: _End, plot: QRectF) -> bool:
    """Return whether a label has room behind the end of its curve."""
    return end.at.x() + _BESIDE + end.width <= plot.right()


def _downwards(reference: Reference) -> float:
    return -reference.value


def _height_of(end: _End) -> float:
    return end.at.y()
