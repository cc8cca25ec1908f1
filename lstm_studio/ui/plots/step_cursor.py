"""The cursor through the plots of a training: the column of the snapshot that is looked at, and the live edge."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.cursor import TimeCursor
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.theme import GRID, HALF_GRID, Text

_EDGE_WIDTH = 1.6
_PADDING = 6.0


class StepCursor(TimeCursor):
    """A cursor as wide as what was measured at its step, and a second, thinner one where the training is now.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._span = (0.0, 0.0)
        self.edge = -1
        """The last step that is known; −1 before the first."""

    def show_at(self, step: int, span: tuple[float, float], edge: int, last: int) -> None:
        """Move to a step.

        Parameters
        ----------
        step
            That is looked at; −1 for none.
        span
            The steps between which the column lies.
        edge
            The last step that is known.
        last
            The last step that there is to be.
        """
        if span != self._span or edge != self.edge:
            self._span, self.edge = span, edge
            self.update()
        text = f"step {format_count(step)}" if step >= 0 else ""
        self.move(step, text, reveal_all=True, revealed=last)

    def column(self) -> QRectF | None:
        """Return the column in scene coordinates; None where its step is not visible."""
        scale = self._scale
        if self.step < 0 or not scale.contains(self.step):
            return None
        ends = [min(max(end - scale.first, 0.0), float(scale.count)) * scale.column for end in self._span]
        left, right = (scale.left + round(end * scale.ratio) / scale.ratio for end in ends)
        if right - left < 1 / scale.ratio:
            left, right = scale.column_edges(self.step)
        return QRectF(left, self._area.top(), right - left, self._area.height())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the live edge below the cursor."""
        self._paint_edge(painter)
        super().paint(painter, option, widget)

    def _paint_marks(self, painter: QPainter, column: QRectF) -> None:
        # At the ends of the axis a column reaches to one side only of what was measured.
        left, right = self._scale.column_edges(self.step)
        super()._paint_marks(painter, QRectF(left, column.top(), right - left, column.height()))

    def _paint_edge(self, painter: QPainter) -> None:
        scale, theme = self._scale, self.look.theme
        if not scale.contains(self.edge) or self.edge >= scale.first + scale.count - 1:
            return
        x = scale.column_edges(self.edge)[1]
        line = QRectF(x - _EDGE_WIDTH / 2, self._area.top(), _EDGE_WIDTH, self._area.height())
        painter.fillRect(line, QColor(theme.ink2))
        text = format_count(self.edge)
        width = self.look.metrics(Text.TICK).horizontalAdvance(text) + 2 * _PADDING
        room = self.boundingRect()
        left = min(max(x - width / 2, room.left()), room.right() - width)
        flag = QRectF(left, self._area.top() - self.flag_height, width, self.flag_height - 1)
        if flag.intersects(self._flag_area().adjusted(-GRID, 0, GRID, 0)):
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.control), 1))
        painter.setBrush(QColor(theme.panel))
        painter.drawRoundedRect(flag.adjusted(0.5, 0.5, -0.5, -0.5), HALF_GRID, HALF_GRID)
        painter.setPen(QColor(theme.ink2))
        painter.setFont(self.look.font(Text.TICK))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
