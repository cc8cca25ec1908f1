"""A horizontal bar that shows a share of a whole."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.theme import Theme

_HEIGHT = 8


class Bar(QWidget):
    """A bar in the colour of a role; its number stands beside it, so a screen reader passes over it."""

    def __init__(self, theme: Theme, role: Role = Role.INPUT) -> None:
        super().__init__()
        self._theme, self._role, self._share = theme, role, 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(32)

    @property
    def share(self) -> float:
        """The filled share, 0…1."""
        return self._share

    def show_share(self, share: float, role: Role) -> None:
        """Fill another share (clipped to 0…1) in the colour of a role."""
        clipped = min(1.0, max(0.0, share))
        if (clipped, role) != (self._share, self._role):
            self._share, self._role = clipped, role
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(80, _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the track and the filled share; a share above zero is at least one pixel."""
        painter = QPainter(self)
        whole = QRectF(self.rect())
        painter.fillRect(whole, QColor(self._theme.line))
        if self._share > 0:
            filled = QRectF(whole)
            filled.setWidth(max(1.0, whole.width() * self._share))
            painter.fillRect(filled, QColor(self._theme.roles[self._role].mark))
