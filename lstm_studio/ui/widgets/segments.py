"""A row of buttons of which exactly one is down."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QWidget


class Segments(QFrame):
    """A choice among a few words.

    Parameters
    ----------
    name
        What is chosen, for screen readers.
    options
        Key → text.
    """

    chosen = Signal(str)
    """The key that the user chose; not emitted by :meth:`show_choice`."""

    def __init__(self, name: str, options: dict[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "segments")
        self.setAccessibleName(name)
        self._keys = tuple(options)
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        for index, text in enumerate(options.values()):
            button = _Segment(text)
            button.setProperty("kind", "segment")
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {text}")
            self._group.addButton(button, index)
            layout.addWidget(button, 1)
        self._group.idClicked.connect(self._clicked)

    def _clicked(self, index: int) -> None:
        self.chosen.emit(self._keys[index])

    @property
    def choice(self) -> str:
        """The key that is down, or an empty string."""
        index = self._group.checkedId()
        return self._keys[index] if index >= 0 else ""

    def show_choice(self, key: str) -> None:
        """Press the button of a key."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def button(self, key: str) -> QPushButton:
        """Return the button of a key."""
        button = self._group.button(self._keys.index(key))
        assert isinstance(button, QPushButton)  # noqa: S101 - only those are added
        return button


class _Segment(QPushButton):
    """A button that keeps room for its text in bold, as it is while it is down."""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the button when it is down."""
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        wider = QFontMetrics(bold).horizontalAdvance(self.text()) - self.fontMetrics().horizontalAdvance(self.text())
        return super().sizeHint() + QSize(max(0, wider), 0)
