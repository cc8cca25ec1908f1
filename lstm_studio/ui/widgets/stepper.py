"""A number between two arrows: ‹ 14 ›."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QToolButton, QWidget

from lstm_studio.session.units import beside
from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.theme import HALF_GRID, Theme, scaled

_ARROW = 10
_BESIDE_ARROW = 14


class _Field(QSpinBox):
    """Steps through the numbers one by one, or in an order of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.order: tuple[int, ...] = ()

    def stepBy(self, steps: int) -> None:
        """Go so many places on."""
        if self.order:
            self.setValue(beside(self.order, self.value(), steps))
        else:
            super().stepBy(steps)

    def sizeHint(self) -> QSize:
        """Return the room of the widest number; Qt keeps some for arrows, which stand beside the field here."""
        hint = super().sizeHint()
        return QSize(hint.width() - 2 * scaled(_ARROW), hint.height())

    def minimumSizeHint(self) -> QSize:
        """Return the same: numbers are not cut."""
        return self.sizeHint()

    def goes(self, steps: int) -> bool:
        """Return whether there is another number in that direction."""
        if self.order:
            return beside(self.order, self.value(), steps) != self.value()
        return self.minimum() <= self.value() + steps <= self.maximum()

    def stepEnabled(self) -> QSpinBox.StepEnabledFlag:
        """Return which arrows lead anywhere."""
        enabled = QSpinBox.StepEnabledFlag.StepNone
        if self.goes(1):
            enabled |= QSpinBox.StepEnabledFlag.StepUpEnabled
        if self.goes(-1):
            enabled |= QSpinBox.StepEnabledFlag.StepDownEnabled
        return enabled


class Stepper(QWidget):
    """Chooses one of a range of numbers, by typing or step by step.

    Parameters
    ----------
    name
        What is chosen (``"unit"``), for tool tips and screen readers.
    prefix
        Stands before the number in the field.
    """

    chosen = Signal(int)
    """The number that the user chose; not emitted by :meth:`show_value`."""

    def __init__(self, theme: Theme, name: str, prefix: str = "") -> None:
        super().__init__()
        self._back, self._forward = QToolButton(), QToolButton()
        self._field = _Field()
        # Not NoButtons: with arrows in the window's style sheet, Qt then gives the number one pixel.
        self._field.setStyleSheet(
            "QSpinBox::up-button, QSpinBox::down-button { width: 0px; }"
            "QSpinBox::up-arrow, QSpinBox::down-arrow { image: none; }"
        )
        self._field.setKeyboardTracking(False)
        self._field.setGroupSeparatorShown(True)
        self._field.setPrefix(prefix)
        self._field.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._field.setAccessibleName(name.capitalize())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        for button, words in ((self._back, f"Previous {name}"), (self._forward, f"Next {name}")):
            button.setAccessibleName(words)
            button.setToolTip(words)
            button.setAutoRepeat(True)
        layout.addWidget(self._back)
        layout.addWidget(self._field, 1)
        layout.addWidget(self._forward)
        self._back.clicked.connect(self._field.stepDown)
        self._forward.clicked.connect(self._field.stepUp)
        self._field.valueChanged.connect(self._changed)
        self.apply_theme(theme)
        self._range: tuple[object, ...] = ()
        self.show_value(0, 0, 0)

    @property
    def field(self) -> QSpinBox:
        """The field in the middle."""
        return self._field

    def show_value(self, value: int, low: int, high: int, order: tuple[int, ...] = ()) -> None:
        """Show a number and its range; the arrows follow an order, where one is given."""
        shown = (low, high, order)
        if shown == self._range and value == self._field.value():
            return
        self._range = shown
        self._field.blockSignals(True)
        self._field.order = order
        self._field.setRange(low, high)
        self._field.setValue(value)
        self._field.blockSignals(False)
        self._enable()

    def apply_theme(self, theme: Theme) -> None:
        """Draw the arrows in another theme."""
        set_icon(self._back, Icon.CHEVRON_LEFT, theme, size=_ARROW)
        set_icon(self._forward, Icon.CHEVRON_RIGHT, theme, size=_ARROW)
        for button in (self._back, self._forward):
            button.setFixedWidth(_BESIDE_ARROW + scaled(_ARROW))

    def _changed(self, value: int) -> None:
        self._enable()
        self.chosen.emit(value)

    def _enable(self) -> None:
        self._back.setEnabled(self._field.goes(-1))
        self._forward.setEnabled(self._field.goes(1))
        self._field.setEnabled(self._field.minimum() < self._field.maximum())
