"""The letter that stands for a role where colour alone must not."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from lstm_studio.networks.signals import Role
from lstm_studio.ui.theme import BADGE_RADIUS, BADGE_SIZE, Text, Theme
from lstm_studio.ui.widgets.text import text_font


def network_badge(memory: bool) -> tuple[str, Role]:
    """Return letter and role of a network as a whole: L for one with a long-term path, R for one without."""
    return ("L", Role.LONG_TERM) if memory else ("R", Role.RECURRENT)


def paint_badge(painter: QPainter, rect: QRectF, letter: str, role: Role, theme: Theme) -> None:
    """Draw a badge with the painter's font."""
    fill = theme.roles[role].mark
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(rect, BADGE_RADIUS, BADGE_RADIUS)
    painter.setPen(QColor(theme.on(fill)))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), letter)
    painter.restore()


def paint_letter(painter: QPainter, rect: QRectF, letter: str, theme: Theme, *, filled: bool) -> None:
    """Draw the letter of a run in its box, in ink where it is the selected one; the painter is antialiased."""
    painter.setPen(QPen(QColor(theme.ink if filled else theme.control), 1))
    painter.setBrush(QColor(theme.ink if filled else theme.panel))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), BADGE_RADIUS, BADGE_RADIUS)
    painter.setPen(QColor(theme.panel if filled else theme.ink2))
    bold = painter.font()
    bold.setBold(True)
    painter.setFont(bold)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, letter)


class Badge(QWidget):
    """A badge as a widget; decoration, so a screen reader passes over it."""

    def __init__(self, theme: Theme, letter: str = "", role: Role = Role.INPUT) -> None:
        super().__init__()
        self._theme, self._letter, self._role = theme, letter, role
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_badge(self, letter: str, role: Role) -> None:
        """Show another letter and role."""
        if (letter, role) != (self._letter, self._role):
            self._letter, self._role = letter, role
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the badge's size, growing with the font."""
        side = max(BADGE_SIZE, text_font(self, Text.TICK_BOLD).pixelSize() + 6)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the badge, faintly where it is disabled."""
        painter = QPainter(self)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        painter.setFont(text_font(self, Text.TICK_BOLD))
        paint_badge(painter, QRectF(self.rect()), self._letter, self._role, self._theme)
