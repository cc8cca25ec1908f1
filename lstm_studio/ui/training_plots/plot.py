"""What all plots over training steps have in common: a frame with given edges, one axis, one cursor."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QRegion

from lstm_studio.ui.plots.row_item import TICK_GAP, LeftLabel, Mark, Reach, paint_frame
from lstm_studio.ui.plots.small_plot import SmallPlot, paint_line
from lstm_studio.ui.theme import GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.training_plots.pictures import Picture
from lstm_studio.ui.training_plots.span import Span

_TICK_ROOM = 84.0
_LINE = 1.6
_COLUMN_FROM = 6.0
"""Pixels from which the cursor is the outline of a record, and not a line."""
_FLAG_PADDING = 6.0
_MARK_RADIUS = 3.5
_REACH = 5
"""Pixels that the cursor stands out on each side."""


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
        self.title = ""
        """What the tool tip begins with."""
        self._axis, self._with_flag = axis, flag
        self._insets: tuple[float, float] | None = None
        self._above: float | None = None
        self._below: float | None = None
        self._place: tuple[object, QRectF] | None = None
        self._clear = 0.0
        self._joined = (False, False)
        self._cursor: float | None = None
        self._column: tuple[float, float] | None = None
        self._flag = ""
        self._edge: float | None = None
        self._edge_flag = ""
        self._outside: tuple[object, QPixmap] | None = None
        # It fills all of itself: what lies below need not be drawn.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    # What is shown.

    @abstractmethod
    def show_picture(self, picture: Picture) -> None:
        """Show something else; what is the same as before is not drawn again."""

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

    def join(self, above: float, below: float, *, goes_on: tuple[bool, bool], axis: bool, flag: bool) -> None:
        """Make it one of several plots directly below each other.

        Parameters
        ----------
        above, below
            Pixels over and under the frame.
        goes_on
            Whether the cursor goes on above and below.
        axis, flag
            As when it was made.
        """
        now = (above, below, goes_on, axis, flag)
        if now != (self._above, self._below, self._joined, self._axis, self._with_flag):
            self._above, self._below, self._joined, self._axis, self._with_flag = now
            self.redraw()

    def keep_clear(self, left: float) -> None:
        """Leave so many pixels at the left of the first line of text to a title that stands there."""
        if left != self._clear:
            self._clear = left
            self.redraw()

    def show_cursor(self, position: float | None, flag: str = "", column: tuple[float, float] | None = None) -> None:
        """Move the cursor.

        Parameters
        ----------
        position
            Of the step under the cursor; None for nowhere.
        flag
            What the flag says, where there is room for one.
        column
            The positions between which the record at the cursor lies, which is outlined where that is wide enough;
            None for a line.
        """
        if (position, flag, column) != (self._cursor, self._flag, self._column):
            self._repaint_cursor()
            self._cursor, self._flag, self._column = position, flag, column
            self._repaint_cursor()

    def show_edge(self, position: float | None, flag: str = "") -> None:
        """Draw a line where a training is now, with a flag where there is room for one; None for no line."""
        if (position, flag) != (self._edge, self._edge_flag):
            self._repaint_edge()
            self._edge, self._edge_flag = position, flag
            self._repaint_edge()

    @property
    def cursor_position(self) -> float | None:
        """Where the cursor is."""
        return self._cursor

    # Places.

    @property
    def needed_left(self) -> float:
        """Pixels that the labels at the left need."""
        return max((reach.width for reach in self.reaches()), default=0.0)

    @property
    def needed_right(self) -> float:
        """Pixels that what stands at the right of the frame needs."""
        return 1.0

    @property
    def above(self) -> float:
        """Height of what is above the frame."""
        if self._above is not None:
            return self._above
        return self.look.metrics(Text.TICK_BOLD).height() + HALF_GRID + 2 if self._with_flag else self.line_height / 2

    @property
    def below(self) -> float:
        """Height of what is below it."""
        if self._below is not None:
            return self._below
        return self.line_height + HALF_GRID + 3 if self._axis else self.line_height / 2

    def plot_rect(self) -> QRectF:
        """Return the inside of the frame, on whole pixels."""
        key = (self._insets, self._above, self._below, self.width(), self.height(), self.look)
        if self._insets is None or self._place is None or self._place[0] != key:
            self._place = key, self._find_plot_rect()
        return QRectF(self._place[1])

    def _find_plot_rect(self) -> QRectF:
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

    # Beside the frame.

    def left_labels(self, plot: QRectF) -> Sequence[LeftLabel]:  # noqa: ARG002 - for plots that have any
        """Return the ticks at the left, in pixels from the top of the frame."""
        return ()

    def reaches(self) -> list[Reach]:
        """Return how far what stands at the left reaches out, in pixels from the top of the frame."""
        plot = QRectF(0, 0, 8, max(8.0, self.height() - math.ceil(self.above) - math.ceil(self.below)))
        return [self._reach(label, plot) for label in self.left_labels(plot)]

    def _reach(self, label: LeftLabel, plot: QRectF) -> Reach:
        metrics = self.look.metrics(Text.TICK)
        half = metrics.height() / 2
        # Kept inside the row, as far as there are others above and below.
        y = min(max(label.y, metrics.capHeight() / 2 + 1), plot.height() - metrics.capHeight() / 2 - 1)
        return Reach(y - half, y + half, metrics.horizontalAdvance(label.text) + TICK_GAP)

    def _meets_title(self, reach: Reach, plot: QRectF) -> bool:
        return bool(self._clear) and reach.top < self.line_height - 4 and plot.left() - reach.width < self._clear + 2

    # Drawing.

    @abstractmethod
    def paint_inside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw what is inside the frame; the painter is clipped to it."""

    def paint_outside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw what stands beside the frame, but for the ticks; it is kept as long as the outside stays the same."""

    def paint_beside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw what stands at the right of the frame, and changes with what is inside."""

    def words_inside(self) -> Sequence[QRectF]:
        """Return where words stand inside the frame, as it was drawn last: the cursor keeps off them."""
        return ()

    def outside(self, plot: QRectF) -> object:
        """Return what the outside depends on: with an equal one it is not drawn anew."""
        labels = tuple(self.left_labels(plot))
        size = self.size().toTuple()
        return self.theme, self._look, self.ratio, size, plot.getRect(), self.span, labels, self._axis, self._clear

    def marks_at(self, position: float, plot: QRectF) -> Sequence[Mark]:  # noqa: ARG002 - for plots that have any
        """Return the points to mark under the cursor, in pixels from the top of the widget."""
        return ()

    def paint(self, painter: QPainter) -> None:
        """Draw all but what moves."""
        plot = self.plot_rect()
        painter.fillRect(self.rect(), QColor(self.theme.panel))
        self._paint_all_outside(painter, plot)
        self._paint_fresh(painter, plot)

    def _drawn(self, ratio: float) -> QPixmap:
        """Return all but what moves; what is outside the frame is most often as before."""
        self._ratio = ratio
        plot = self.plot_rect()
        picture = QPixmap(self._kept_outside(plot))
        painter = QPainter(picture)
        self._paint_fresh(painter, plot)
        painter.end()
        self._ratio = None
        return picture

    def _paint_fresh(self, painter: QPainter, plot: QRectF) -> None:
        painter.save()
        painter.setClipRect(plot, Qt.ClipOperation.IntersectClip)
        self.paint_inside(painter, plot)
        painter.restore()
        self.paint_beside(painter, plot)

    def _kept_outside(self, plot: QRectF) -> QPixmap:
        """Return all but the inside, drawn anew only where it is another one."""
        key = self.outside(plot)
        if self._outside is None or self._outside[0] != key:
            picture = QPixmap(self.size() * self.ratio)
            picture.setDevicePixelRatio(self.ratio)
            picture.fill(QColor(self.theme.panel))
            painter = QPainter(picture)
            self._paint_all_outside(painter, plot)
            painter.end()
            self._outside = (key, picture)
        return self._outside[1]

    def release(self) -> None:
        """Keep no picture at all, nor one of what is outside the frame."""
        super().release()
        self._outside = None

    def _paint_all_outside(self, painter: QPainter, plot: QRectF) -> None:
        paint_frame(painter, plot, self.theme.frame)
        if self._axis:
            self._paint_axis(painter, plot)
        self._paint_left(painter, plot)
        self.paint_outside(painter, plot)

    def keeps_outside(self, plot: QRectF) -> bool:
        """Return whether what is outside the frame is as it was drawn last."""
        return self._outside is not None and self._outside[0] == self.outside(plot)

    def repaint_from(self, left: float) -> None:
        """Draw anew, into the picture that is there, what lies at the right of a place; the outside is as it was."""
        kept = self.kept_picture
        if kept is None or self._outside is None:
            self.redraw_inside()
            return
        plot = self.plot_rect()
        painter = QPainter(kept)
        painter.setClipRect(QRectF(left, 0, self.width() - left, self.height()))
        painter.drawPixmap(0, 0, self._outside[1])
        self._paint_fresh(painter, plot)
        painter.end()
        self.update(QRect(math.floor(left), 0, self.width(), self.height()))

    def redraw_inside(self) -> None:
        """Draw anew what is within the frame, and of the rest only what is another one."""
        plot = self.plot_rect()
        if self.keeps_outside(plot):
            self.forget_picture()
            self.update(QRect(round(plot.left()) - 1, 0, self.width(), self.height()))
        else:
            self.redraw()

    def paint_unknown(self, painter: QPainter, plot: QRectF, until: float | None, words: str, left: float) -> None:
        """Fill what is not known yet, and say so where there is room, so many pixels beside its beginning."""
        if until is None or until >= self.span.last:
            return
        begin = max(plot.left(), self.x_of(until))
        room = QRectF(begin, plot.top(), plot.right() - begin, plot.height())
        painter.fillRect(room, QColor(self.theme.sunken))
        room.setLeft(begin + left)
        if words and room.width() > self.look.metrics(Text.TICK).horizontalAdvance(words) + 2 * GRID:
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(self.theme.ink3))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_left(self, painter: QPainter, plot: QRectF) -> None:
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for label in self.left_labels(plot):
            reach = self._reach(label, plot)
            if not self._meets_title(reach, plot):
                y = plot.top() + (reach.top + reach.bottom) / 2
                self.write(painter, label.text, QPointF(plot.left() - TICK_GAP, y), flags)

    def _paint_axis(self, painter: QPainter, plot: QRectF) -> None:
        top = plot.bottom() + 2
        free_from = -math.inf
        metrics = self.look.metrics(Text.TICK)
        for tick in self.span.ticks(int(plot.width() / _TICK_ROOM) + 1):
            x = self.x_of(tick)
            text = self.span.write(tick)
            half = metrics.horizontalAdvance(text) / 2
            at = min(max(x, half), self.width() - half - 2)
            painter.fillRect(QRectF(min(round(x), plot.right() - 1), plot.bottom() + 1, 1, 3), QColor(self.theme.frame))
            if at - half > free_from:
                self.write(painter, text, QPointF(at, top + 3), Qt.AlignmentFlag.AlignHCenter)
                free_from = at + half + TICK_GAP
        first = metrics.horizontalAdvance(self.span.write(self.span.first)) / 2
        for title in self.span.titles:
            if plot.left() - first - metrics.horizontalAdvance(title) > 2 * TICK_GAP:
                place = QPointF(plot.left() - first - TICK_GAP, top + 3)
                self.write(painter, title, place, Qt.AlignmentFlag.AlignRight)
                break

    # The cursor, and where the training is.

    def paint_over(self, painter: QPainter) -> None:
        """Draw the live edge, and over it the cursor and its flag."""
        plot = self.plot_rect()
        self._paint_edge(painter, plot)
        column = self._cursor_rect(plot)
        if column is None:
            return
        painter.save()
        if words := self.words_inside():
            # The lines would cross out what they pass.
            around = QRegion(self.rect())
            for room in words:
                around -= QRegion(room.toAlignedRect())
            painter.setClipRegion(around, Qt.ClipOperation.IntersectClip)
        self._paint_column(painter, column)
        painter.restore()
        self._paint_marks(painter, plot)
        if self._with_flag and self._flag:
            self._paint_flag(painter, column.center().x())

    def _paint_column(self, painter: QPainter, column: QRectF) -> None:
        if column.width() >= _COLUMN_FROM:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for width, colour in ((4, self.theme.halo), (2, self.theme.cursor)):
                pen = QPen(QColor(colour), width)
                pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
                painter.setPen(pen)
                painter.drawRect(column.adjusted(-1, 0, 1, 0))
        else:
            middle = column.center().x()
            paint_line(painter, QRectF(middle - _LINE / 2, column.top(), _LINE, column.height()), self.theme)

    def _paint_marks(self, painter: QPainter, plot: QRectF) -> None:
        marks = () if self._cursor is None else self.marks_at(self._cursor, plot)
        if self._cursor is None or not marks:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(self.theme.panel))
        x = self.x_of(self._cursor)
        for mark in marks:
            painter.setPen(QPen(QColor(mark.colour), 1.8))
            painter.drawEllipse(QPointF(x, mark.y), _MARK_RADIUS, _MARK_RADIUS)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_edge(self, painter: QPainter, plot: QRectF) -> None:
        if self._edge is None or self._edge >= self.span.last:
            return
        x = self.x_of(self._edge)
        above, below = self._joined
        top, bottom = 0.0 if above else plot.top() - 1, float(self.height()) if below else plot.bottom() + 1
        painter.fillRect(QRectF(x - _LINE / 2, top, _LINE, bottom - top), QColor(self.theme.ink2))
        if not self._with_flag or not self._edge_flag:
            return
        flag = self._flag_rect(x, self._edge_flag)
        column = self._cursor_rect(plot)
        if column is not None and flag.intersects(
            self._flag_rect(column.center().x(), self._flag).adjusted(-GRID, 0, GRID, 0)
        ):
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.theme.control), 1))
        painter.setBrush(QColor(self.theme.panel))
        painter.drawRoundedRect(flag.adjusted(0.5, 0.5, -0.5, -0.5), HALF_GRID, HALF_GRID)
        painter.setPen(QColor(self.theme.ink2))
        painter.setFont(self.look.font(Text.TICK_BOLD))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, self._edge_flag)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_flag(self, painter: QPainter, x: float) -> None:
        flag = self._flag_rect(x, self._flag)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.cursor))
        painter.drawRoundedRect(flag, HALF_GRID, HALF_GRID)
        painter.setPen(QColor(self.theme.halo))
        painter.setFont(self.look.font(Text.TICK_BOLD))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, self._flag)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _flag_rect(self, x: float, text: str) -> QRectF:
        width = self.look.metrics(Text.TICK_BOLD).horizontalAdvance(text) + 2 * _FLAG_PADDING
        left = min(max(x - width / 2, 0.0), self.width() - width)
        return QRectF(left, 0, width, self.plot_rect().top() - 2)

    def _cursor_rect(self, plot: QRectF) -> QRectF | None:
        """Return what the cursor marks, beyond the widget where it goes on there; None where it is outside."""
        if self._cursor is None or not -1e-9 <= self.span.fraction(self._cursor) <= 1 + 1e-9:
            return None
        above, below = self._joined
        top = -2.0 * _REACH if above else plot.top()
        bottom = self.height() + 2.0 * _REACH if below else plot.bottom()
        if self._column is not None:
            left, right = (min(max(self.x_of(end), plot.left()), plot.right()) for end in self._column)
            if right - left >= _COLUMN_FROM:
                return QRectF(round(left), top, round(right) - round(left), bottom - top)
        return QRectF(self.x_of(self._cursor), top, 0, bottom - top)

    def _repaint_cursor(self) -> None:
        column = self._cursor_rect(self.plot_rect())
        if column is None:
            return
        area = column.adjusted(-_REACH, 0, _REACH, 0)
        if self._with_flag and self._flag:
            area = area.united(self._flag_rect(column.center().x(), self._flag))
        self.update(QRect(math.floor(area.left()) - 1, 0, math.ceil(area.width()) + 3, self.height()))
        # Whose flag gives way to that of the cursor.
        self._repaint_edge()

    def _repaint_edge(self) -> None:
        if self._edge is None:
            return
        x = self.x_of(self._edge)
        self.update(QRect(math.floor(x) - 2, 0, 5, self.height()))
        if self._with_flag and self._edge_flag:
            self.update(self._flag_rect(x, self._edge_flag).toAlignedRect().adjusted(-1, 0, 1, 1))

    # The mouse.

    def choose_at(self, at: QPointF) -> None:
        """Tell the position."""
        self.chosen.emit(self.position_at(at.x()))

    def lead(self, position: float) -> str:
        """Return what a tool tip begins with: ``Loss · step 20``."""
        return " · ".join(part for part in (self.title, f"{self.span.title} {self.span.write(position)}") if part)
