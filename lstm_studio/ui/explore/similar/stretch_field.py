"""The ends of the marked stretch as two numbers, for the keyboard."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSpinBox, QWidget

from lstm_studio.ui.theme import HALF_GRID
from lstm_studio.ui.widgets.number_field import whole_field
from lstm_studio.ui.widgets.text import label


class StretchField(QWidget):
    """From which step to which, both counted from 1 and both included; an end stops at the other one."""

    first_chosen = Signal(int, int)
    """The stretch with another first step: 0-based, and the step after its last."""
    last_chosen = Signal(int, int)
    """The stretch with another last step, likewise."""

    def __init__(self) -> None:
        super().__init__()
        self._first, self._last = _field("First step marked"), _field("Last step marked")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(HALF_GRID + 2)
        row.addWidget(self._first, 1)
        row.addWidget(label("to", "secondary"))
        row.addWidget(self._last, 1)
        self._first.valueChanged.connect(self._choose_first)
        self._last.valueChanged.connect(self._choose_last)

    @property
    def first(self) -> QSpinBox:
        """The field of the first step."""
        return self._first

    @property
    def last(self) -> QSpinBox:
        """The field of the last step."""
        return self._last

    def show_stretch(self, stretch: tuple[int, int] | None, steps: int) -> None:
        """Show a stretch of a sequence of so many steps; without one there is nothing to move."""
        start, stop = stretch or (0, 1)
        # Qt emits no change for what is set here: the user chose nothing.
        for field, value, low, high in ((self._first, start + 1, 1, stop), (self._last, stop, start + 1, steps)):
            field.blockSignals(True)
            field.setRange(low, max(low, high))
            field.setValue(value)
            field.blockSignals(False)
            field.setEnabled(stretch is not None)

    def _choose_first(self, number: int) -> None:
        self.first_chosen.emit(number - 1, self._last.value())

    def _choose_last(self, number: int) -> None:
        self.last_chosen.emit(self._first.value() - 1, number)


def _field(name: str) -> QSpinBox:
    field = whole_field(name)
    field.setAccelerated(True)
    field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return field
