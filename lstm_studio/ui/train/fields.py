"""Fields of a form that change a plan: by name, with the value that the plan has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QSpinBox, QWidget

from lstm_studio.ui.widgets.number_field import whole_field

_FIELD_WIDTH = 56
_MOST = 2**31 - 1


class Fields(QObject):
    """Tells of every field that the user has changed, under the field's name."""

    changed = Signal(str, object)
    """Name, and the new value."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._widgets: dict[QWidget, str] = {}
        self._show: dict[str, Callable[[Any], None]] = {}
        self.quiet = False
        """Whether values are being shown, and not typed."""

    def whole(self, name: str, title: str, low: int, high: int = _MOST, tip: str = "") -> QSpinBox:
        """Return a field for a whole number."""
        field = whole_field(title)
        field.setRange(low, min(high, _MOST))
        # The range would ask for more room than a dock has.
        field.setMinimumWidth(_FIELD_WIDTH)
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._keep(field, name, title, tip, field.setValue)
        field.valueChanged.connect(self._on_value)
        return field

    def number(self, name: str, title: str, tip: str = "") -> QLineEdit:
        """Return a field for any number, as small as it may be."""
        field = QLineEdit()
        validator = QDoubleValidator(field)
        validator.setLocale(validator.locale().c())
        field.setValidator(validator)
        field.setMinimumWidth(_FIELD_WIDTH)
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._keep(field, name, title, tip, _NumberText(field))
        field.editingFinished.connect(self._on_edited)
        return field

    def text(self, name: str, title: str, tip: str = "") -> QLineEdit:
        """Return a field for a word."""
        field = QLineEdit()
        field.setMinimumWidth(_FIELD_WIDTH)
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._keep(field, name, title, tip, _PlainText(field))
        field.editingFinished.connect(self._on_typed)
        return field

    def choice(self, name: str, title: str, options: dict[Any, str], tip: str = "") -> QComboBox:
        """Return a field for one of a few words."""
        field = QComboBox()
        for key, text in options.items():
            field.addItem(text, key)
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        field.setMinimumWidth(_FIELD_WIDTH)
        self._keep(field, name, title, tip, _Chosen(field))
        field.activated.connect(self._on_chosen)
        return field

    def show(self, name: str, value: Any) -> None:
        """Show the value that the plan has, without telling."""
        self.quiet = True
        self._show[name](value)
        self.quiet = False

    def forget(self) -> None:
        """Know no field any more."""
        self._widgets.clear()
        self._show.clear()

    def _keep(self, field: QWidget, name: str, title: str, tip: str, show: Callable[[Any], Any]) -> None:
        field.setAccessibleName(title)
        field.setToolTip(tip)
        self._widgets[field] = name
        self._show[name] = show

    def _tell(self, value: Any) -> None:
        sender = self.sender()
        name = self._widgets.get(sender) if isinstance(sender, QWidget) else None
        if name is not None and not self.quiet:
            self.changed.emit(name, value)

    def _on_value(self, value: int) -> None:
        self._tell(value)

    def _on_edited(self) -> None:
        field = self.sender()
        if isinstance(field, QLineEdit):
            try:
                value = float(field.text())
            except ValueError:
                return
            if math.isfinite(value):
                self._tell(value)

    def _on_typed(self) -> None:
        field = self.sender()
        if isinstance(field, QLineEdit):
            self._tell(field.text())

    def _on_chosen(self, index: int) -> None:
        field = self.sender()
        if isinstance(field, QComboBox):
            self._tell(field.itemData(index))


class _NumberText:
    """Shows a number in a line."""

    def __init__(self, field: QLineEdit) -> None:
        self._field = field

    def __call__(self, value: float | None) -> None:
        text = "" if value is None else f"{value:g}"
        if self._field.text() != text:
            self._field.setText(text)


class _PlainText:
    """Shows a word in a line."""

    def __init__(self, field: QLineEdit) -> None:
        self._field = field

    def __call__(self, value: str) -> None:
        if self._field.text() != value:
            self._field.setText(value)


class _Chosen:
    """Shows a choice in a box."""

    def __init__(self, field: QComboBox) -> None:
        self._field = field

    def __call__(self, value: Any) -> None:
        self._field.setCurrentIndex(self._field.findData(value))
