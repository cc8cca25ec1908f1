"""The centre of the window: the workspaces, and over them what work in progress and notices have to say."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QProgressBar, QStackedLayout, QVBoxLayout, QWidget

from lstm_studio.ui.dropping import DropHint
from lstm_studio.ui.motion import motion_reduced
from lstm_studio.ui.notices import NoticeBoard
from lstm_studio.ui.theme import Theme

BAR_HEIGHT = 4
_STALE_OPACITY = 0.4
_DASH = 24
"""Pixels of each dash of a bar that stands still, and between two."""


class Stage(QFrame):
    """Shows one of the workspaces; while work goes on, old content shows at 60 % under a bar.

    Parameters
    ----------
    first
        The workspace whose content is what the work is for.
    """

    resized = Signal()

    def __init__(self, first: QWidget, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "panel")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._first, self._stale = first, False
        self._centres = QStackedLayout()
        # Before anything is in it, which would show as a window of its own.
        layout.addLayout(self._centres)
        self._centres.addWidget(first)
        self._veil = _Veil(theme, self)
        self.bar = _WorkBar(theme, self)
        self.bar.hide()
        self.notices = NoticeBoard(theme, self)
        self.drop_hint = DropHint(theme, self)

    @property
    def shown(self) -> QWidget | None:
        """The workspace that can be seen."""
        return self._centres.currentWidget()

    def show_workspace(self, centre: QWidget, about: str) -> None:
        """Show a workspace, which may be new, and say what it is for to those who come into it with a screen reader."""
        self.setAccessibleName(centre.accessibleName())
        self.setAccessibleDescription(about)
        if self._centres.indexOf(centre) < 0:
            self._centres.addWidget(centre)
        self._centres.setCurrentWidget(centre)
        self._veil.setVisible(self._stale and self.shown is self._first)

    def show_busy(self, busy: bool, *, stale: bool) -> None:
        """Show or hide the bar, and the veil where what is shown is about to be replaced."""
        self.bar.setRange(0, 0)
        self.bar.setVisible(busy)
        self._stale = busy and stale
        self._veil.setVisible(self._stale and self.shown is self._first)

    def show_progress(self, fraction: float) -> None:
        """Move the bar; a negative fraction is unknown."""
        self.bar.setRange(0, 0 if fraction < 0 else 1000)
        self.bar.setValue(round(max(0.0, fraction) * 1000))

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._veil.colour = QColor(theme.panel)
        self._veil.update()
        self.bar.theme = theme
        self.notices.apply_theme(theme)
        self.drop_hint.theme = theme

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what lies over the workspace in its place."""
        super().resizeEvent(event)
        self._veil.setGeometry(self.rect())
        self.bar.setGeometry(QRect(0, 0, self.width(), BAR_HEIGHT))
        self.notices.settle()
        self.resized.emit()


class _WorkBar(QProgressBar):
    """How far work has come; where nobody knows, something that moves, or dashes where nothing may move."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setTextVisible(False)
        self.setAccessibleName("Progress")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw dashes without the style, which would begin to move them."""
        if self.maximum() > self.minimum() or not motion_reduced():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.line))
        for left in range(0, self.width(), 2 * _DASH):
            painter.fillRect(QRect(left, 0, _DASH, self.height()), QColor(self.theme.ink))
        painter.end()


class _Veil(QWidget):
    """Dims what is stale without repainting it, and lets the mouse through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.colour = QColor(theme.panel)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lay the panel's colour over everything below."""
        painter = QPainter(self)
        colour = QColor(self.colour)
        colour.setAlphaF(_STALE_OPACITY)
        painter.fillRect(event.rect(), colour)
        painter.end()
