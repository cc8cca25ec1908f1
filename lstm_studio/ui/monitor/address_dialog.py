"""Asks for the address of a run on another computer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from lstm_studio.ui.theme import GRID, PANEL_INSET
from lstm_studio.ui.widgets.text import label

_EXAMPLES = (
    "ssh://anna@cluster/home/anna/runs/mine",
    "https://example.org/runs/mine",
    "s3://bucket/runs/mine",
)


class AddressDialog(QDialog):
    """One field, with examples."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Add a run by its address")
        self.setAccessibleName("Add a run by its address")
        self.field = QLineEdit()
        self.field.setAccessibleName("Address of a run or of a folder of runs")
        self.field.setPlaceholderText(_EXAMPLES[0])
        # All of the longest example, and about as much again.
        self.field.setMinimumWidth(round(1.6 * self.field.fontMetrics().horizontalAdvance(max(_EXAMPLES, key=len))))
        words = label(
            "A run folder, or a folder of runs, on this or on another computer. It is only read. For example:",
            "secondary",
        )
        words.setWordWrap(True)
        examples = label("\n".join(_EXAMPLES), "caption", selectable=True)
        buttons = QDialogButtonBox()
        self._add = buttons.addButton("Add", QDialogButtonBox.ButtonRole.AcceptRole)
        self._add.setProperty("kind", "primary")
        self._add.setDefault(True)
        self._add.setEnabled(False)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.field.textChanged.connect(self._on_text)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, PANEL_INSET)
        column.setSpacing(GRID)
        for part in (words, examples, self.field, buttons):
            column.addWidget(part)
        self.field.setFocus()

    @property
    def address(self) -> str:
        """What was typed."""
        return self.field.text().strip()

    def _on_text(self, text: str) -> None:
        self._add.setEnabled(bool(text.strip()))
