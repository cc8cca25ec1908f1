"""The one time cursor, above all rows: its column, its flag, and the veil over what is not yet revealed.

It is the only item that a moving cursor touches: the rows below keep their pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.plots.row_item import Look, RowItem
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.theme import HALF_GRID, Text

_LINE_BELOW = 6.0
_LINE_WIDTH = 1.6
_HALO = 4.0
_MARK_RADIUS = 3.5
_FAINT = 0.62
_FLAG_PADDING = 7.0
_FLAG_REACH = 60.0
"""How far the flag may stand out to the left of the plots; to the right it has the margin of the rows."""
_WORDS = "not stepped yet"
_WORDS_GAP = 10.0
_LEAST_FOR_WORDS = 30.0


class TimeCursor(QGraphicsItem):
    """Column outline with halo and flag through all rows, unbroken.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.look = look
        self.step = -1
        self.revealed = -1
        self.reveal_all = False
        self.flag_text = ""
        self._rows: Sequence[RowItem] = ()
        self._scale = TimeScale(0, 1, 1, 0, 1)
        self._area = QRectF()

    def place(self, rows: Sequence[RowItem], scale: TimeScale, area: QRectF) -> None:
        """Give the cursor the rows it crosses.

        Parameters
        ----------
        rows
            From the top down.
        scale
            Where steps lie.
        area
            Scene rectangle from above the first row's top to below the last one's bottom, without the flag.
        """
        self.prepareGeometryChange()
        self._rows, self._scale, self._area = tuple(rows), scale, area
        self.update()

    def move(self, step: int, flag_text: str, *, reveal_all: bool, revealed: int | None = None) -> None:
        """Move to a step; repaints the old and the new column, flag and words, and what lies between the columns.

        ``revealed`` is the last step that is revealed, where it is not ``step``.
        """
        before, words_before, flag_before = self.column(), self._words_area(), self._flag_area()
        veil_before = self.reveal_all, self.revealed != self.step
        now = (step, flag_text, reveal_all, step if revealed is None else revealed)
        if now == (self.step, self.flag_text, self.reveal_all, self.revealed):
            return
        self.step, self.flag_text, self.reveal_all = step, flag_text, reveal_all
        self.revealed = step if revealed is None else revealed
        after, words_after, flag_after = self.column(), self._words_area(), self._flag_area()
        if (reveal_all, self.revealed != step) != veil_before or before is None or after is None:
            self.update()
            return
        reach = _HALO + _MARK_RADIUS
        self.update(before.united(after).adjusted(-reach, 0, reach, 0))
        self.update(flag_before.united(flag_after))
        # The words move with the edge of the veil, far beyond the column.
        for words in (words_before, words_after):
            if not words.isEmpty():
                self.update(words)

    def column(self) -> QRectF | None:
        """Return the cursor's column in scene coordinates; None where its step is not visible."""
        if not self._scale.contains(self.step):
            return None
        left, right = self._scale.column_edges(self.step)
        return QRectF(left, self._area.top(), right - left, self._area.height())

    @property
    def flag_height(self) -> float:
        """Height of the strip above the rows that holds the flag."""
        return self.look.metrics(Text.TICK_BOLD).height() + 6

    def boundingRect(self) -> QRectF:
        """Return all rows, and the strip of the flag."""
        return self._area.adjusted(-_FLAG_REACH, -self.flag_height - 1, self.look.side_width, 0)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Draw veil, marks, column and flag."""
        exposed: QRectF = option.exposedRect
        # What lies beyond it, as half a mark of a row that is scrolled, would never be repainted.
        painter.setClipRect(self.boundingRect(), Qt.ClipOperation.IntersectClip)
        self._paint_veil(painter, exposed)
        column = self.column()
        if column is None:
            return
        self._paint_column(painter, column)
        self._paint_marks(painter, column)
        if exposed.top() < self._area.top():
            self._paint_flag(painter)

    def _veil_left(self) -> float:
        last = self._scale.first + self._scale.count - 1
        if self.revealed >= last:
            return self._scale.right
        if self.revealed < self._scale.first:
            return self._scale.left
        return self._scale.column_edges(self.revealed)[1]

    def _paint_veil(self, painter: QPainter, exposed: QRectF) -> None:
        left = self._veil_left()
        if left >= self._scale.right:
            return
        theme = self.look.theme
        veil = QColor(theme.panel if self.reveal_all else theme.sunken)
        veil.setAlphaF(_FAINT if self.reveal_all else 1.0)
        for row in self._rows:
            rect = QRectF(left, row.y(), self._scale.right - left, row.height)
            painter.fillRect(rect.intersected(exposed), veil)
        words = self._words_area()
        if words.intersects(exposed):
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(theme.ink3))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, _WORDS)

    def _words_area(self) -> QRectF:
        """Return where the hidden future is named: once, in the first row with room for it; empty where there is none.

        Larger than the letters, whose antialiasing reaches out.
        """
        left = self._veil_left()
        metrics = self.look.metrics(Text.TICK)
        width = math.ceil(metrics.horizontalAdvance(_WORDS)) + 4.0
        if self.reveal_all or self._scale.right - left <= width + 2 * _WORDS_GAP:
            return QRectF()
        for row in self._rows:
            if row.height > _LEAST_FOR_WORDS:
                height = 1.5 * metrics.height()
                return QRectF(left + _WORDS_GAP, row.y() + (row.height - height) / 2, width, height)
        return QRectF()

    def _paint_column(self, painter: QPainter, column: QRectF) -> None:
        theme = self.look.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, column.width() < _LINE_BELOW)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if column.width() < _LINE_BELOW:
            middle = column.center().x()
            for width, colour in ((_HALO, theme.halo), (_LINE_WIDTH, theme.cursor)):
                painter.fillRect(QRectF(middle - width / 2, column.top(), width, column.height()), QColor(colour))
            return
        for grow, width, colour in ((1.0, _HALO, theme.halo), (1.0, 2.0, theme.cursor)):
            pen = QPen(QColor(colour), width)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(column.adjusted(-grow, 0, grow, -1))

    def _paint_marks(self, painter: QPainter, column: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(self.look.theme.panel))
        for row in self._rows:
            for mark in row.marks(self.step):
                if not self._area.top() <= row.y() + mark.y <= self._area.bottom():
                    continue  # scrolled away under the flag or the axis
                painter.setPen(QPen(QColor(mark.colour), 1.8))
                painter.drawEllipse(QPointF(column.center().x(), row.y() + mark.y), _MARK_RADIUS, _MARK_RADIUS)

    def _flag_width(self) -> float:
        return self.look.metrics(Text.TICK_BOLD).horizontalAdvance(self.flag_text) + 2 * _FLAG_PADDING

    def _flag_area(self) -> QRectF:
        """Return the flag's rectangle, kept inside the strip above the rows; empty where the column is not visible."""
        column = self.column()
        if column is None:
            return QRectF()
        width = self._flag_width()
        room = self.boundingRect()
        left = min(max(column.center().x() - width / 2, room.left()), room.right() - width)
        return QRectF(left, self._area.top() - self.flag_height, width, self.flag_height - 1)

    def _paint_flag(self, painter: QPainter) -> None:
        theme = self.look.theme
        flag = self._flag_area()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.cursor))
        painter.drawRoundedRect(flag, HALF_GRID, HALF_GRID)
        painter.setPen(QColor(theme.halo))
        painter.setFont(self.look.font(Text.TICK_BOLD))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, self.flag_text)
