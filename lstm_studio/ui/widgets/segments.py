"""A row of buttons of which exactly one is down."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication, QButtonGroup, QFrame, QHBoxLayout, QPushButton, QWidget

_PADDING = 9
_FONTS = {QEvent.Type.Polish, QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.LayoutRequest}
"""Also a request for a layout: the style sheet reaches the buttons after their frame."""


class Segments(QFrame):
    """A choice among a few words.

    Parameters
    ----------
    name
        What is chosen, for screen readers.
    options
        Key → text.
    padding
        Pixels beside each text, where the look of the style sheet takes too much room.
    """

    chosen = Signal(str)
    """The key that the user chose; not emitted by :meth:`show_choice`."""

    def __init__(
        self, name: str, options: dict[str, str], parent: QWidget | None = None, *, padding: int | None = None
    ) -> None:
        super().__init__(parent)
        self._padding = _PADDING if padding is None else padding
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
            # The group sees to it; this tells screen readers that it is one of several.
            button.setAutoExclusive(True)
            # What is chosen is the name of the group, which is said before it.
            button.setAccessibleName(text)
            if padding is not None:
                button.setStyleSheet(f"padding: 0 {padding}px;")
            self._group.addButton(button, index)
            layout.addWidget(button, 1)
        self._group.idClicked.connect(self._clicked)

    def event(self, event: QEvent) -> bool:
        """Keep room for the bold text of the button that is down, also after a change of font."""
        done = super().event(event)
        if event.type() in _FONTS:
            for button in self._group.buttons():
                bold = QFont(button.font())
                bold.setWeight(QFont.Weight.DemiBold)
                button.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(button.text()) + 2 * self._padding + 2)
        return done

    def set_text(self, key: str, text: str) -> None:
        """Give a choice another text."""
        button = self.button(key)
        if button.text() != text:
            button.setText(text)
            button.setAccessibleName(text)
            QApplication.sendEvent(self, QEvent(QEvent.Type.FontChange))

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
