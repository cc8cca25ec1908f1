"""A card: a frame that may carry the colour of a role at its left edge."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.theme import CARD_RADIUS, Theme

EDGE = 3
"""Width of the coloured edge in pixels."""


class Card(QWidget):
    """A rounded frame; not a button, so it does not change under the mouse."""

    def __init__(self, theme: Theme, role: Role | None = None) -> None:
        super().__init__()
        self._theme, self._role = theme, role

    def show_role(self, role: Role | None) -> None:
        """Show another role at the edge, or none."""
        self._role = role
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def edge_colour(self) -> str:
        """Return the colour of the edge at the left; empty for none."""
        return "" if self._role is None else self._theme.roles[self._role].mark

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frame, and the edge clipped to its round corners."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)
        painter.fillPath(outline, QColor(self._theme.panel))
        edge = self.edge_colour()
        if edge:
            painter.save()
            painter.setClipPath(outline)
            painter.fillRect(QRectF(0, 0, EDGE + 1, self.height()), QColor(edge))
            painter.restore()
        painter.setPen(QPen(QColor(self._theme.frame), 1))
        painter.drawPath(outline)
