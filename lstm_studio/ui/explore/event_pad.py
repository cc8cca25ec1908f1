"""A small pad to draw new values with the mouse, at the end of the sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.theme import Text, Theme
from lstm_studio.ui.widgets.text import text_font

STEP_WIDTH = 12
"""Pixels that stand for one step."""
PAST_STEPS = 8
_HEIGHT = 76
_MARGIN = 6


class EventPad(QWidget):
    """Left, the last values of one feature; right, room to draw: every step's width that the mouse crosses is a value.

    The vertical range is given by :meth:`show_feature` and does not move while drawing.
    """

    drawn = Signal(float)
    """A new value, in raw units."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._past: NDArray[np.float64] = np.zeros(0)
        self._range = (0.0, 1.0)
        self._stroke: list[float] = []
        self._drawing = False
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Draw new values")
        self.setAccessibleDescription("Drawing needs a mouse; the field above takes typed values.")
        self.setToolTip("Drag to the right: each step's width adds a value")

    def show_feature(self, past: NDArray[np.float64], low: float, high: float) -> None:
        """Show the last values of a feature, raw, and the range to draw in."""
        if self._drawing:
            # Results arrive while the mouse is down; what is under it must not move.
            return
        self._past, self._range, self._stroke = past[-PAST_STEPS:], (low, high), []
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def value_at(self, y: float) -> float:
        """Return the value that a height stands for, kept within the range."""
        low, high = self._range
        share = (self.height() - _MARGIN - y) / max(1, self.height() - 2 * _MARGIN)
        return low + (high - low) * min(1.0, max(0.0, share))

    def sizeHint(self) -> QSize:
        """Return room for the past and a dozen new steps."""
        return QSize(STEP_WIDTH * (PAST_STEPS + 12), _HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to draw: the first value is where the mouse goes down."""
        if event.button() == Qt.MouseButton.LeftButton and event.position().x() >= self._border():
            self._drawing, self._stroke = True, []
            self._draw_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw on."""
        if self._drawing:
            self._draw_to(event)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """End the stroke; it becomes the past."""
        if self._drawing:
            self._drawing = False
            self.show_feature(np.array([*self._past.tolist(), *self._stroke]), *self._range)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw frame, past, border and stroke, and the range at the left."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        border = self._border()
        painter.fillRect(QRectF(0, 0, border, self.height()), QColor(self._theme.sunken))
        painter.setPen(QPen(QColor(self._theme.frame), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.drawLine(border, 0, border, self.height())
        painter.setFont(text_font(self, Text.TICK))
        painter.setPen(QColor(self._theme.ink3))
        if not self._stroke:
            inside = QRectF(border, 0, self.width() - border, self.height())
            painter.drawText(inside, int(Qt.AlignmentFlag.AlignCenter), "draw here")
        low, high = (format_number(limit) for limit in self._range)
        beside = self.rect().adjusted(border + 4, 2, -4, -2)
        painter.drawText(beside, int(Qt.AlignmentFlag.AlignTop), high)
        painter.drawText(beside, int(Qt.AlignmentFlag.AlignBottom), low)
        if self._stroke:
            painter.setPen(QColor(self._theme.ink))
            drawn = format_number(self._stroke[-1])
            corner = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
            painter.drawText(self.rect().adjusted(4, 2, -4, -2), int(corner), drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_line(painter, self._past, border - STEP_WIDTH * len(self._past), self._theme.ink3)
        joined = [*self._past[-1:].tolist(), *self._stroke] if self._stroke else []
        self._paint_line(painter, np.array(joined), border - STEP_WIDTH, self._theme.ink)

    def _paint_line(self, painter: QPainter, values: NDArray[np.float64], left: float, colour: str) -> None:
        points = [
            QPointF(left + (index + 0.5) * STEP_WIDTH, self._height_of(value))
            for index, value in enumerate(values.tolist())
            if np.isfinite(value)
        ]
        painter.setPen(QPen(QColor(colour), 2 if colour == self._theme.ink else 1))
        painter.drawPolyline(QPolygonF(points))

    def _draw_to(self, event: QMouseEvent) -> None:
        """Add a value for every step up to the mouse, on a straight line where it jumped over some."""
        reached = int((event.position().x() - self._border()) // STEP_WIDTH) + 1
        reached = min(reached, int((self.width() - self._border()) // STEP_WIDTH))
        value = self.value_at(event.position().y())
        missing = reached - len(self._stroke)
        start = self._stroke[-1] if self._stroke else value
        for number in range(1, missing + 1):
            step_value = start + (value - start) * number / missing
            self._stroke.append(step_value)
            self.drawn.emit(step_value)
        self.update()

    def _border(self) -> int:
        return STEP_WIDTH * PAST_STEPS

    def _height_of(self, value: float) -> float:
        low, high = self._range
        share = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5
        return self.height() - _MARGIN - share * (self.height() - 2 * _MARGIN)
