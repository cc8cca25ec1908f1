"""What looks like a field at the top of the window, and opens the palette of commands."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from lstm_studio.ui.icons import Icon, show_icon
from lstm_studio.ui.theme import CONTROL_HEIGHT, GRID, HALF_GRID, Text, Theme, font, scaled

_WIDTH = 220
_COMPACT = 32
_GLASS = 14


class FindButton(QPushButton):
    """An icon, the words, and the key.

    Parameters
    ----------
    action
        What it does.
    """

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self.setProperty("kind", "field")
        self.setAccessibleName(action.text().rstrip("…"))
        self.setToolTip(action.toolTip())
        self.clicked.connect(action.trigger)
        self._icon, self._words = QLabel(), QLabel(action.text().rstrip("…"))
        self._words.setProperty("kind", "caption")
        self._key = QLabel(action.shortcut().toString(QKeySequence.SequenceFormat.NativeText).replace("+", " "))
        self._key.setProperty("kind", "key")
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 2, HALF_GRID, 2)
        row.setSpacing(GRID)
        row.addWidget(self._icon)
        row.addWidget(self._words, 1)
        row.addWidget(self._key, 0, Qt.AlignmentFlag.AlignVCenter)
        for part in (self._icon, self._words, self._key):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_words(self, on: bool) -> None:
        """Show words and key, or the icon alone where room is short."""
        if on is not self._words.isHidden():
            return
        self._words.setVisible(on)
        self._key.setVisible(on)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the size of a field, with room for the words at any text size."""
        return QSize(scaled(_COMPACT) if self._words.isHidden() else self.width_with_words, CONTROL_HEIGHT)

    @property
    def width_with_words(self) -> int:
        """The width of a field that has words and key in it, at any text size."""
        # Of the fonts that the style sheet gives them: the labels know those only once they have been shown.
        words = QFontMetrics(font(Text.SECONDARY)).horizontalAdvance(self._words.text())
        keys = QFontMetrics(font(Text.TICK)).horizontalAdvance(self._key.text())
        return max(_WIDTH, words + keys + 12 * GRID)

    def minimumSizeHint(self) -> QSize:
        """Return the same: menus have all the rest."""
        return self.sizeHint()

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        show_icon(self._icon, Icon.SEARCH, theme.ink3, _GLASS)
        self._key.setFont(font(Text.TICK))
        self.updateGeometry()
