"""Files that are dropped on the window, or on a panel in a window of its own."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from lstm_studio.ui.theme import CARD_RADIUS, PANEL_INSET, Text, Theme, font

_VEIL = 0.72
"""Opacity of what lies over the plots while files are held above them."""


def local_files(event: QDropEvent) -> list[str]:
    """Return the paths of what is dropped; what lies on other computers is left out."""
    return [_here(url).toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]


def _here(url: QUrl) -> QUrl:
    """Return the address of a file without the name of this computer, which other programs may put into it."""
    if sys.platform != "win32" and url.host() in {"localhost", socket.gethostname().lower()}:
        url.setHost("")
    return url


class DropHint(QWidget):
    """Says over its parent what becomes of the files that are held above the window, if they are let go."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._words = ""
        self.setAccessibleName("What happens with dropped files")
        # Else the files would leave the window for it.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words

    def show_files(self, paths: Sequence[str]) -> None:
        """Name one file, or count several."""
        self._words = f"Drop to open {Path(paths[0]).name}" if len(paths) == 1 else f"Drop to open {len(paths)} files"
        self.setAccessibleDescription(self._words)
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a veil, a dashed border, and the words on a card."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(self.theme.panel)
        veil.setAlphaF(_VEIL)
        painter.fillRect(self.rect(), veil)
        pen = QPen(QColor(self.theme.focus), 2)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        inside = QRectF(self.rect()).adjusted(PANEL_INSET, PANEL_INSET, -PANEL_INSET, -PANEL_INSET)
        painter.drawRoundedRect(inside, CARD_RADIUS, CARD_RADIUS)
        written = font(Text.TITLE)
        metrics = QFontMetricsF(written)
        words = metrics.elidedText(self._words, Qt.TextElideMode.ElideMiddle, inside.width() - 6 * PANEL_INSET)
        card = QRectF(0, 0, metrics.horizontalAdvance(words) + 4 * PANEL_INSET, metrics.height() + 2 * PANEL_INSET)
        card.moveCenter(inside.center())
        painter.setPen(QPen(QColor(self.theme.focus), 1))
        painter.setBrush(QColor(self.theme.panel))
        painter.drawRoundedRect(card, CARD_RADIUS, CARD_RADIUS)
        painter.setFont(written)
        painter.setPen(QColor(self.theme.ink))
        painter.drawText(card, Qt.AlignmentFlag.AlignCenter, words)
        painter.end()
