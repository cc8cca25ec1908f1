"""Asks for the address of a run on another computer."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from lstm_studio.ui.theme import GRID
from lstm_studio.ui.widgets.dialog import AskingDialog
from lstm_studio.ui.widgets.text import label

_EXAMPLES = (
    "ssh://anna@cluster/home/anna/runs/mine",
    "https://example.org/runs/mine",
    "s3://bucket/runs/mine",
)


class AddressDialog(AskingDialog):
    """One field, with examples."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Add a run by its address", "Add", parent)
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
        self.take.setEnabled(False)
        self.field.textChanged.connect(self._on_text)
        self.lay_out(words, examples, self.field, spacing=GRID)
        self.field.setFocus()

    @property
    def address(self) -> str:
        """What was typed."""
        return self.field.text().strip()

    def _on_text(self, text: str) -> None:
        self.take.setEnabled(bool(text.strip()))
