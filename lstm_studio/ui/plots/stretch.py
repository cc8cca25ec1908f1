"""The marked stretch of time: a bracket over all rows."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.scale import TimeScale

_LINE = 2.0
_HALO = 1.0
_BAR = 4.0
_LEAST = 3.0
"""Logical pixels that even a stretch of less than that is wide."""


class StretchItem(QGraphicsItem):
    """A bar above the rows from the first marked step to the last, and a line down at either end that is visible.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.stretch: tuple[int, int] | None = None
        self._scale = TimeScale(0, 1, 1, 0, 1)
        self._area = QRectF()

    def place(self, scale: TimeScale, area: QRectF) -> None:
        """Give the bracket its place: where steps lie, and the scene rectangle of all rows."""
        self.prepareGeometryChange()
        self._scale, self._area = scale, area

    def show_stretch(self, stretch: tuple[int, int] | None) -> None:
        """Mark from a first step to the one before the second, or nothing."""
        if stretch != self.stretch:
            self.prepareGeometryChange()
            self.stretch = stretch

    def span(self) -> tuple[float, float] | None:
        """Return the scene coordinates between which the visible part lies; None where nothing of it is visible."""
        scale = self._scale
        if self.stretch is None:
            return None
        first, last = max(self.stretch[0], scale.first), min(self.stretch[1], scale.first + scale.count) - 1
        if first > last:
            return None
        left, right = scale.column_edges(first)[0], scale.column_edges(last)[1]
        missing = max(0.0, _LEAST - (right - left)) / 2
        return left - missing, right + missing

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the bracket with its halo; empty where nothing of it is visible."""
        span = self.span()
        if span is None:
            return QRectF()
        reach = _LINE + _HALO
        top = self._area.top() - _BAR
        return QRectF(span[0] - reach, top, span[1] - span[0] + 2 * reach, self._area.bottom() - top)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Draw the bar, and an end wherever the stretch ends within the visible steps."""
        span = self.span()
        if span is None or self.stretch is None:
            return
        left, right = span
        theme, area, scale = self.look.theme, self._area, self._scale
        ends = []
        if self.stretch[0] >= scale.first:
            ends.append(left - _LINE)
        if self.stretch[1] <= scale.first + scale.count:
            ends.append(right)
        for x in ends:
            halo = QRectF(x - _HALO, area.top(), _LINE + 2 * _HALO, area.height())
            painter.fillRect(halo, QColor(theme.halo))
        begin = left - (_LINE if self.stretch[0] >= scale.first else 0)
        end = right + (_LINE if self.stretch[1] <= scale.first + scale.count else 0)
        painter.fillRect(QRectF(begin, area.top() - _BAR, end - begin, _BAR), QColor(theme.focus))
        for x in ends:
            painter.fillRect(QRectF(x, area.top(), _LINE, area.height()), QColor(theme.focus))
