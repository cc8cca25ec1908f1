"""What dialogs that ask for something have in common: their title, margins and buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLayout, QVBoxLayout, QWidget

from lstm_studio.ui.theme import GRID, PANEL_INSET


class AskingDialog(QDialog):
    """Parts below each other, and below them a button that takes what was chosen, and one that does not.

    Parameters
    ----------
    title
        Of the window.
    take
        What the button says that takes it.
    """

    def __init__(self, title: str, take: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.buttons = QDialogButtonBox()
        self.take = self.buttons.addButton(take, QDialogButtonBox.ButtonRole.AcceptRole)
        self.take.setProperty("kind", "primary")
        self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def lay_out(self, *parts: QWidget | QLayout, spacing: int = 2 * GRID) -> None:
        """Put parts below each other, and the buttons below them, which makes them the last for the keyboard, too."""
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, PANEL_INSET)
        column.setSpacing(spacing)
        for part in (*parts, self.buttons):
            column.addLayout(part) if isinstance(part, QLayout) else column.addWidget(part)
        # Only now it belongs to the dialog, which else would take the first button for what Return presses.
        self.take.setDefault(True)


def wide_form() -> QFormLayout:
    """Return rows that each have a word at the left."""
    form = QFormLayout()
    form.setHorizontalSpacing(2 * GRID)
    form.setVerticalSpacing(GRID)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form
