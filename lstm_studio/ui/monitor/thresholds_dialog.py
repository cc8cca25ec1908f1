"""Sets when there are alarms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QGridLayout, QLineEdit, QWidget

from lstm_studio.session.alarms import LIMITS, Thresholds
from lstm_studio.ui.theme import GRID
from lstm_studio.ui.widgets.dialog import AskingDialog
from lstm_studio.ui.widgets.text import label

_WORDS: Mapping[str, tuple[str, str]] = {
    "vanishing": ("Vanishing gradient below", "of its largest norm is left at the furthest lag"),
    "exploding": ("Gradient or update above", "times the median of the 20 records before"),
    "loss": ("Loss above", "times the median of the 20 values before"),
    "saturated": ("Gate saturated from a share of", "of its values below 0.1 or above 0.9"),
    "closed": ("Forget gates closed from a share of", "of their values below 0.1"),
    "dead": ("Dead units from a share of", "of the units that do not change over the sequence"),
    "silent": ("Nothing arrives for", "seconds, of a run that has not ended"),
}


class ThresholdsDialog(AskingDialog):
    """A row for each alarm: whether there is one, and from which value."""

    def __init__(self, thresholds: Thresholds, parent: QWidget) -> None:
        super().__init__("When there are alarms", "Use these", parent)
        self._rows: dict[str, tuple[QCheckBox, QLineEdit]] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        for row, (key, (before, after)) in enumerate(_WORDS.items()):
            tick, field = QCheckBox(before), QLineEdit()
            field.setAccessibleName(f"{before} … {after}")
            field.setFixedWidth(field.fontMetrics().horizontalAdvance("0.000e-000") + 2 * GRID)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            validator = QDoubleValidator(*LIMITS[key], 12, field)
            validator.setLocale(QLocale.c())
            field.setValidator(validator)
            field.textChanged.connect(self._on_changed)
            tick.toggled.connect(self._on_changed)
            for place, part in enumerate((tick, field, label(after, "secondary"))):
                grid.addWidget(part, row, place)
            self._rows[key] = tick, field
        note = label(
            "What comes and goes counts from three records in a row. Non-finite numbers, runs that died and recorders "
            "that stopped are always told of.",
            "caption",
        )
        note.setWordWrap(True)
        usual = self.buttons.addButton("As at first", QDialogButtonBox.ButtonRole.ResetRole)
        usual.clicked.connect(self._on_usual)
        self.lay_out(grid, note)
        self._show(thresholds)

    @property
    def thresholds(self) -> Thresholds:
        """What is chosen; of a field that makes no sense, what it was at first."""
        found: dict[str, float | None] = {}
        for key, (tick, field) in self._rows.items():
            number = _number(field.text())
            if not tick.isChecked():
                found[key] = None
            elif number is not None:
                found[key] = number
        return Thresholds.from_mapping(found)

    def _show(self, thresholds: Thresholds) -> None:
        usual = asdict(Thresholds())
        for key, value in asdict(thresholds).items():
            tick, field = self._rows[key]
            tick.setChecked(value is not None)
            field.setText(f"{usual[key] if value is None else value:g}")
        self._on_changed()

    def _on_usual(self) -> None:
        self._show(Thresholds())

    def _on_changed(self) -> None:
        for tick, field in self._rows.values():
            field.setEnabled(tick.isChecked())
        self.take.setEnabled(all(field.hasAcceptableInput() for tick, field in self._rows.values() if tick.isChecked()))


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
