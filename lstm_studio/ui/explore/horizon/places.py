"""How the parts of a page are placed: in one column in a dock, beside each other where the panel is wide."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from lstm_studio.ui.theme import GRID, HALF_GRID, SECTION_GAP
from lstm_studio.ui.widgets.text import label

WIDE_FROM = 640
"""Width from which the plot stands beside the numbers."""
_NUMBERS_WIDTH = 300
_WIDEST_CHOICE = 420
_ANY_WIDTH = 16_777_215
_ALL_THE_ROOM = 1_000


def choice_rows(*rows: tuple[str | QWidget, QWidget]) -> QGridLayout:
    """Return rows of a word and what is chosen; in a wide panel the choices do not grow without limit."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(GRID)
    grid.setVerticalSpacing(HALF_GRID)
    for row, (word, choice) in enumerate(rows):
        choice.setMaximumWidth(_WIDEST_CHOICE)
        if word:
            grid.addWidget(label(word, "secondary") if isinstance(word, str) else word, row, 0)
        grid.addWidget(choice, row, 1)
    grid.setColumnStretch(1, _ALL_THE_ROOM)
    grid.setColumnStretch(2, 1)
    return grid


def block(*parts: QWidget | QLayout) -> QWidget:
    """Return parts below each other as one widget."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SECTION_GAP)
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    return made


class Beside(QWidget):
    """A head, a plot and a tail: below each other, or the plot at the left of the other two.

    Parameters
    ----------
    head, plot, tail
        From the top down.
    """

    def __init__(self, head: QWidget, plot: QWidget, tail: QWidget) -> None:
        super().__init__()
        self._numbers, self._tail = QWidget(), tail
        self._beside = QVBoxLayout(self._numbers)
        self._beside.setContentsMargins(0, 0, 0, 0)
        self._beside.setSpacing(SECTION_GAP)
        self._beside.addWidget(head)
        # The room that is left over, last: it takes none until the tail is here too.
        self._beside.addStretch(0)
        self._below = QVBoxLayout()
        self._below.setSpacing(SECTION_GAP)
        self._below.addWidget(plot, 1)
        self._below.addWidget(tail)
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(SECTION_GAP)
        self._box.setDirection(QHBoxLayout.Direction.TopToBottom)
        self._box.addWidget(self._numbers)
        self._box.addLayout(self._below, 1)

    @property
    def is_wide(self) -> bool:
        """Whether the plot stands beside the rest."""
        return self._box.direction() is QHBoxLayout.Direction.RightToLeft

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Change places where the width has become another."""
        super().resizeEvent(event)
        wide = event.size().width() >= WIDE_FROM
        if wide == self.is_wide:
            return
        # Across, the numbers get a third; below each other, the plot gets all that is left over.
        self._box.setStretch(0, 1 if wide else 0)
        self._box.setStretch(1, 2 if wide else 1)
        if wide:
            self._below.removeWidget(self._tail)
            self._beside.insertWidget(1, self._tail)
            self._beside.setStretch(2, 1)
            # Not a fixed width: the panel must be able to get narrow again.
            self._numbers.setMaximumWidth(_NUMBERS_WIDTH)
            self._box.setDirection(QHBoxLayout.Direction.RightToLeft)
            self._box.setSpacing(2 * GRID)
        else:
            self._beside.removeWidget(self._tail)
            self._beside.setStretch(1, 0)
            self._below.addWidget(self._tail)
            self._numbers.setMaximumWidth(_ANY_WIDTH)
            self._box.setDirection(QHBoxLayout.Direction.TopToBottom)
            self._box.setSpacing(SECTION_GAP)
