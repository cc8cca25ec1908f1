"""The ring around a part of the window that has the keyboard, where the part itself is covered by what it holds."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from lstm_studio.ui.theme import FOCUS_RING, Theme

BY_KEYBOARD = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
)


class FocusRing(QWidget):
    """Lies over a widget, lets the mouse through, and is shown to who came there by keyboard.

    Parameters
    ----------
    held
        The widget; it takes the focus itself.
    """

    def __init__(self, theme: Theme, held: QWidget) -> None:
        super().__init__(held)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        held.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Come and go with the focus, and keep the size of what is held."""
        held = self.parentWidget()
        if watched is held:
            if isinstance(event, QFocusEvent):
                self.setVisible(event.gotFocus() and event.reason() in BY_KEYBOARD)
                self.raise_()
            if event.type() in (QEvent.Type.Resize, QEvent.Type.FocusIn):
                self.setGeometry(held.rect())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self.theme.focus), FOCUS_RING))
        half = FOCUS_RING / 2
        painter.drawRect(QRectF(self.rect()).adjusted(half, half, -half, -half))
        painter.end()
