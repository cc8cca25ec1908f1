"""A part of a panel that can be folded away under its title."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import HALF_GRID, Theme, scaled

_LINE, _CHEVRON = 18, 12
"""Logical pixels at 100 %: least height of the title, and size of the chevron."""


class Fold(QWidget):
    """A title with a chevron, and below it the content while it is open.

    Parameters
    ----------
    title
        Always visible.
    content
        Shown while open.
    """

    unfolded = Signal(QWidget)
    """The user opened it; itself."""

    def __init__(self, theme: Theme, title: str, content: QWidget, *, opened: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._content = content
        self._head = QToolButton()
        self._head.setProperty("kind", "flat")
        self._head.setText(title)
        self._head.setAccessibleName(title)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        self._line = QHBoxLayout()
        self._line.addWidget(self._head)
        self._line.addStretch(1)
        layout.addLayout(self._line)
        layout.addWidget(content)
        self._opened = opened
        self._head.clicked.connect(self._toggle)
        self.open(opened)

    def put_beside(self, widget: QWidget) -> None:
        """Put a widget at the right end of the title's line; it is always visible."""
        self._line.addWidget(widget)

    @property
    def opened(self) -> bool:
        """Whether the content is shown."""
        return self._opened

    @property
    def title(self) -> str:
        """What is always visible."""
        return self._head.text()

    def open(self, opened: bool = True) -> None:
        """Show or hide the content."""
        self._opened = opened
        self._content.setVisible(opened)
        self._head.setAccessibleDescription("open" if opened else "folded")
        self.apply_theme(self._theme)

    def show_title(self, title: str) -> None:
        """Change the title."""
        self._head.setText(title)
        self._head.setAccessibleName(title)

    def apply_theme(self, theme: Theme) -> None:
        """Draw the chevron in another theme, and as large as the text is."""
        self._theme = theme
        style = f"QToolButton {{ padding: 0; min-height: {scaled(_LINE)}px; font-weight: 600; }}"
        if style != self._head.styleSheet():
            self._head.setStyleSheet(style)
        set_icon(self._head, Icon.CHEVRON_DOWN if self._opened else Icon.CHEVRON_RIGHT, theme, size=_CHEVRON)

    def _toggle(self) -> None:
        self.open(not self._opened)
        if self._opened:
            self.unfolded.emit(self)
