"""What all plots over training steps have in common: a frame with given edges, one axis, one cursor."""

from __future__ import annotations

import math
from abc import abstractmethod

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter

from lstm_studio.ui.plots.row_item import TICK_GAP, paint_frame
from lstm_studio.ui.plots.small_plot import SmallPlot, paint_line
from lstm_studio.ui.theme import HALF_GRID, Text, Theme
from lstm_studio.ui.training_plots.span import Span

_TICK_ROOM = 84.0
_LINE = 1.6
_COLUMN_FROM = 6.0
"""Pixels from which the cursor is the outline of a record, and not a line."""
_FLAG_PADDING = 6.0


class TrainingPlot(SmallPlot):
    """A plot whose inside has edges that others can share, and whose cursor is a training step.

    Parameters
    ----------
    name
        What it shows, for screen readers.
    axis
        Whether positions are written below.
    flag
        Whether there is room above for the cursor's flag.
    """

    chosen = Signal(float)
    """The position that the user pointed at, within the span."""

    def __init__(self, theme: Theme, name: str, *, axis: bool = True, flag: bool = False) -> None:
        super().__init__(theme, name)
        self.span = Span()
        self._axis, self._with_flag = axis, flag
        self._insets: tuple[float, float] | None = None
        self._cursor: float | None = None
        self._record = 0.0
        self._flag = ""
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    # What is shown.

    def show_span(self, span: Span) -> None:
        """Show another part of the training."""
        if span != self.span:
            self.span = span
            self.redraw()

    def show_insets(self, left: float, right: float) -> None:
        """Leave so many pixels beside the frame, so that it has the same edges as others."""
        if (left, right) != self._insets:
            self._insets = (left, right)
            self.redraw()

    def show_cursor(self, position: float | None, flag: str = "", record: float = 0.0) -> None:
        """Move the cursor.

        Parameters
        ----------
        position
            Of the step under the cursor; None for nowhere.
        flag
            What the flag says, where there is room for one.
        record
            How much of the span the record at the cursor stands for; it is outlined where that is wide enough.
        """
        if (position, flag, record) == (self._cursor, self._flag, self._record):
            return
        self._repaint_cursor()
        self._cursor, self._flag, self._record = position, flag, record
        self._repaint_cursor()

    @property
    def cursor_position(self) -> float | None:
        """Where the cursor is."""
        return self._cursor

    # Places.

    @property
    def needed_left(self) -> float:
        """Pixels that the labels at the left need."""
        return 0.0

    @property
    def needed_right(self) -> float:
        """Pixels that stands at the right of the frame need."""
        return 1.0

    @property
    def above(self) -> float:
        """Height of what is above the frame."""
        return self.look.metrics(Text.TICK_BOLD).height() + HALF_GRID if self._with_flag else self.line_height / 2

    @property
    def below(self) -> float:
        """Height of what is below it."""
        return self.line_height + HALF_GRID + 3 if self._axis else self.line_height / 2

    def plot_rect(self) -> QRectF:
        """Return the inside of the frame, on whole pixels."""
        left, right = self._insets or (self.needed_left, self.needed_right)
        top = math.ceil(self.above)
        height = max(8, self.height() - top - math.ceil(self.below))
        return QRectF(round(left), top, max(8, self.width() - round(left) - round(right)), height)

    def x_of(self, position: float) -> float:
        """Return where a position is."""
        plot = self.plot_rect()
        return plot.left() + self.span.fraction(position) * plot.width()

    def position_at(self, x: float) -> float:
        """Return the position at a place, the nearest one outside the frame."""
        plot = self.plot_rect()
        fraction = min(1.0, max(0.0, (x - plot.left()) / plot.width()))
        return self.span.first + fraction * (self.span.last - self.span.first)

    # Drawing.

    @abstractmethod
    def paint_inside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw what is inside the frame; the painter is clipped to it."""

    def paint_outside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw labels beside the frame."""

    def paint(self, painter: QPainter) -> None:
        """Draw inside, frame and axis."""
        plot = self.plot_rect()
        painter.save()
        painter.setClipRect(plot)
        painter.fillRect(plot, QColor(self.theme.panel))
        self.paint_inside(painter, plot)
        painter.restore()
        paint_frame(painter, plot, self.theme.frame)
        if self._axis:
            self._paint_axis(painter, plot)
        self.paint_outside(painter, plot)

    def _paint_axis(self, painter: QPainter, plot: QRectF) -> None:
        top = plot.bottom() + 2
        free_from = -math.inf
        metrics = self.look.metrics(Text.TICK)
        for tick in self.span.ticks(int(plot.width() / _TICK_ROOM) + 1):
            x = self.x_of(tick)
            text = self.span.write(tick)
            half = metrics.horizontalAdvance(text) / 2
            at = min(max(x, half), self.width() - half - 2)
            painter.fillRect(QRectF(round(x), plot.bottom() + 1, 1, 3), QColor(self.theme.frame))
            if at - half > free_from:
                self.write(painter, text, QPointF(at, top + 3), Qt.AlignmentFlag.AlignHCenter)
                free_from = at + half + TICK_GAP
        title = self.span.title
        if plot.left() - metrics.horizontalAdvance(title) > 2 * TICK_GAP:
            first = metrics.horizontalAdvance(self.span.write(self.span.first)) / 2
            self.write(painter, title, QPointF(plot.left() - first - TICK_GAP, top + 3), Qt.AlignmentFlag.AlignRight)

    def paint_over(self, painter: QPainter) -> None:
        """Draw the cursor and its flag."""
        column = self._column()
        if column is None:
            return
        plot = self.plot_rect()
        if column.width() >= _COLUMN_FROM:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for grow, width, colour in ((1.0, 4, self.theme.halo), (1.0, 2, self.theme.cursor)):
                pen = painter.pen()
                pen.setColor(QColor(colour))
                pen.setWidth(width)
                pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
                painter.setPen(pen)
                painter.drawRect(column.adjusted(-grow, 0, grow, 0))
        else:
            middle = column.center().x()
            paint_line(painter, QRectF(middle - _LINE / 2, plot.top(), _LINE, plot.height()), self.theme)
        if self._with_flag and self._flag:
            self._paint_flag(painter, column.center().x())

    def _paint_flag(self, painter: QPainter, x: float) -> None:
        flag = self._flag_rect(x)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.cursor))
        painter.drawRoundedRect(flag, HALF_GRID, HALF_GRID)
        painter.setPen(QColor(self.theme.halo))
        painter.setFont(self.look.font(Text.TICK_BOLD))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, self._flag)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _flag_rect(self, x: float) -> QRectF:
        width = self.look.metrics(Text.TICK_BOLD).horizontalAdvance(self._flag) + 2 * _FLAG_PADDING
        left = min(max(x - width / 2, 0.0), self.width() - width)
        return QRectF(left, 0, width, self.plot_rect().top() - 2)

    def _column(self) -> QRectF | None:
        """Return what the cursor marks; None where it is outside."""
        if self._cursor is None or not -1e-9 <= self.span.fraction(self._cursor) <= 1 + 1e-9:
            return None
        plot = self.plot_rect()
        left = self.x_of(self._cursor)
        width = self._record / (self.span.last - self.span.first) * plot.width() if self.outlines else 0.0
        if width < _COLUMN_FROM:
            return QRectF(left, plot.top(), 0, plot.height())
        right = min(plot.right(), round(left + width))
        return QRectF(round(left), plot.top(), right - round(left), plot.height())

    @property
    def outlines(self) -> bool:
        """Whether the cursor outlines a whole record where there is room; a curve has points, not columns."""
        return False

    def _repaint_cursor(self) -> None:
        column = self._column()
        if column is None:
            return
        area = column.adjusted(-4, -2, 4, 2)
        if self._with_flag and self._flag:
            area = area.united(self._flag_rect(column.center().x()))
        self.update(QRect(math.floor(area.left()), 0, math.ceil(area.width()) + 2, self.height()))

    # The mouse.

    def choose_at(self, at: QPointF) -> None:
        """Tell the position."""
        self.chosen.emit(self.position_at(at.x()))
