"""A part of a panel that can be folded away under its title."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from lstm_studio.ui.icons import Icon, make_icon
from lstm_studio.ui.theme import HALF_GRID, Theme


class Fold(QWidget):
    """A title with a chevron, and below it the content while it is open.

    Parameters
    ----------
    title
        Always visible.
    content
        Shown while open.
    """

    def __init__(self, theme: Theme, title: str, content: QWidget, *, opened: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._content = content
        self._head = QToolButton()
        self._head.setProperty("kind", "flat")
        self._head.setText(title)
        self._head.setAccessibleName(title)
        self._head.setCheckable(True)
        self._head.setChecked(opened)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        layout.addWidget(self._head, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(content)
        self._head.toggled.connect(self._toggled)
        self._toggled(opened)

    @property
    def opened(self) -> bool:
        """Whether the content is shown."""
        return self._head.isChecked()

    def open(self, opened: bool = True) -> None:
        """Show or hide the content."""
        self._head.setChecked(opened)

    def show_title(self, title: str) -> None:
        """Change the title."""
        self._head.setText(title)
        self._head.setAccessibleName(title)

    def apply_theme(self, theme: Theme) -> None:
        """Draw the chevron in another theme."""
        self._theme = theme
        self._head.setIcon(make_icon(Icon.CHEVRON_DOWN if self.opened else Icon.CHEVRON_RIGHT, theme, size=12))

    def _toggled(self, opened: bool) -> None:
        self._content.setVisible(opened)
        self.apply_theme(self._theme)
