"""The dialogs that ask for a file, or for a decision."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget


def ask_open(parent: QWidget, title: str, folder: str, filters: tuple[str, ...]) -> str:
    """Return the path of a file to read, or an empty string."""
    return QFileDialog.getOpenFileName(parent, title, folder, ";;".join(filters))[0]


def ask_folder(parent: QWidget, title: str, folder: str) -> str:
    """Return the path of a folder, or an empty string."""
    return QFileDialog.getExistingDirectory(parent, title, folder)


def ask_save(parent: QWidget, title: str, suggestion: str, filters: tuple[str, ...]) -> str:
    """Return the path of a file to write, or an empty string; the dialog has asked before replacing one."""
    return QFileDialog.getSaveFileName(parent, title, suggestion, ";;".join(filters))[0]


def ask_choice(parent: QWidget, title: str, question: str, choices: Sequence[str]) -> int:
    """Return the index of the button that was pressed; that of the last one where the dialog was just closed."""
    box = QMessageBox(QMessageBox.Icon.Question, title, question, QMessageBox.StandardButton.NoButton, parent)
    box.setAccessibleName(title)
    buttons = [box.addButton(text, QMessageBox.ButtonRole.ActionRole) for text in choices]
    box.setDefaultButton(buttons[0])
    box.setEscapeButton(buttons[-1])
    box.exec()
    pressed = box.clickedButton()
    box.deleteLater()
    return next((place for place, button in enumerate(buttons) if button is pressed), len(buttons) - 1)


def ask_count(parent: QWidget, title: str, question: str, first: int, low: int, high: int) -> int:  # noqa: PLR0917 - as QInputDialog has them
    """Return a whole number, or 0 where the dialog was cancelled."""
    number, accepted = QInputDialog.getInt(parent, title, question, first, low, high)
    return number if accepted else 0
