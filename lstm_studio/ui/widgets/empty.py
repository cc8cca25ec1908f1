"""What a panel shows while it has nothing to show: one sentence on what to do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QLabel

from lstm_studio.ui.theme import CARD_RADIUS, PANEL_INSET, Theme


class EmptyState(QLabel):
    """A sentence in a dashed border."""

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__(words)
        self._theme = theme
        self.setProperty("kind", "secondary")
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMargin(PANEL_INSET)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Return the height that the sentence needs at this width: where room is short, a layout would cut it."""
        least = super().minimumSizeHint()
        # One without words is the frame of a layout of its own.
        return QSize(least.width(), self.heightForWidth(self.width())) if self.text() else least

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for another height at another width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the border around the sentence."""
        painter = QPainter(self)
        pen = QPen(QColor(self._theme.control), 1)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)
        painter.end()
        super().paintEvent(event)
