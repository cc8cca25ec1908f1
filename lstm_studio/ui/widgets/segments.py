"""A row of buttons of which exactly one is down."""

from __future__ import annotations

from PySide6.QtCore import Signal
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
            button = QPushButton(text)
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
