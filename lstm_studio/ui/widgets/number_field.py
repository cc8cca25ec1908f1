"""Fields for numbers."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractSpinBox, QSpinBox

from lstm_studio.ui.theme import HALF_GRID


def whole_field(name: str) -> QSpinBox:
    """Return a field for a whole number, for screen readers with a name; digits count when all of them are typed."""
    field = QSpinBox()
    field.setAccessibleName(name)
    field.setKeyboardTracking(False)
    field.setGroupSeparatorShown(True)
    inset(field)
    return field


def inset(field: QAbstractSpinBox) -> None:
    """Keep the number clear of the field's border: the style sheet's padding does not reach its text."""
    field.lineEdit().setTextMargins(HALF_GRID, 0, 0, 0)
