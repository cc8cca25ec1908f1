"""The one time axis below all rows."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import StackState
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.theme import Text

_TICK = 4.0
_LABEL_GAP = 14.0
_TITLE_GAP = 22.0
_PREFERRED_GAP = 72.0


def nice_step(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 … that is at least ``least``."""
    if least <= 1:
        return 1
    decade = 10 ** math.floor(math.log10(least))
    return next(int(step * decade) for step in (1, 2, 5, 10) if step * decade >= least * (1 - 1e-9))


class TimeAxis(QGraphicsItem):
    """Ticks under the columns, the first and the last visible step always among them.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.scale_of_time = TimeScale(0, 1, 1, 0, 1)
        self._state = StackState()
        self._rect = QRectF()

    def place(self, scale: TimeScale, state: StackState, rect: QRectF) -> None:
        """Give the axis its place and what it counts; ``rect`` in scene coordinates."""
        self.prepareGeometryChange()
        self.scale_of_time, self._state, self._rect = scale, state, rect
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the strip below the rows."""
        return self._rect

    @property
    def title(self) -> str:
        """The axis label; says so where steps share a pixel."""
        if not self.scale_of_time.reduced:
            return self._state.time_title
        shared = round(self.scale_of_time.count / self.scale_of_time.pixels)
        return f"{self._state.time_title}, {format_count(max(2, shared))} a pixel"

    def ticks(self) -> list[tuple[int, str]]:
        """Return (step, text) of the labelled steps, from left to right."""
        scale, state = self.scale_of_time, self._state
        if not state.steps:
            return []
        metrics = self.look.metrics(Text.TICK)
        first, last = scale.first, scale.first + scale.count - 1

        def text(step: int) -> str:
            return state.time_labels[step] if state.time_labels else format_count(step + state.first_step_number)

        def width(step: int) -> float:
            return metrics.horizontalAdvance(text(step))

        widest = max(width(first), width(last))
        apart = max(_PREFERRED_GAP, widest + _LABEL_GAP)
        stride = nice_step(apart / scale.column)
        numbers = range(first + state.first_step_number, last + state.first_step_number + 1)
        middle = [number - state.first_step_number for number in numbers if number % stride == 0]

        def clear(step: int, end: int) -> bool:
            return abs(step - end) * scale.column >= (width(step) + width(end)) / 2 + _LABEL_GAP

        steps = [first, *(step for step in middle if clear(step, first) and clear(step, last))]
        if last != first and clear(first, last):
            steps.append(last)
        return [(step, text(step)) for step in steps]

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Draw ticks and label."""
        theme = self.look.theme
        painter.fillRect(self._rect, QColor(theme.panel))
        painter.setFont(self.look.font(Text.TICK))
        top = self._rect.top()
        text_height = painter.fontMetrics().height()
        title_right = self.scale_of_time.left - _TITLE_GAP
        for step, text in self.ticks():
            left, right = self.scale_of_time.column_edges(step)
            middle = math.floor((left + right) / 2 * self.scale_of_time.ratio) / self.scale_of_time.ratio
            painter.fillRect(QRectF(middle, top, 1, _TICK), QColor(theme.frame))
            width = painter.fontMetrics().horizontalAdvance(text) + 2
            at = min(max(middle - width / 2, self._rect.left()), self._rect.right() - width)
            title_right = min(title_right, at - _LABEL_GAP / 2)
            painter.setPen(QColor(theme.ink2))
            painter.drawText(QRectF(at, top + _TICK + 1, width, text_height), Qt.AlignmentFlag.AlignHCenter, text)
        room = QRectF(self._rect.left(), top + _TICK + 1, title_right - self._rect.left(), text_height)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight, self.title)
