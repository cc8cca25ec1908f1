"""The system's dialogs that ask for a file."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget


def ask_open(parent: QWidget, title: str, folder: str, filters: tuple[str, ...]) -> str:
    """Return the path of a file to read, or an empty string."""
    return QFileDialog.getOpenFileName(parent, title, folder, ";;".join(filters))[0]


def ask_folder(parent: QWidget, title: str, folder: str) -> str:
    """Return the path of a folder, or an empty string."""
    return QFileDialog.getExistingDirectory(parent, title, folder)


def ask_save(parent: QWidget, title: str, suggestion: str, filters: tuple[str, ...]) -> str:
    """Return the path of a file to write, or an empty string; the dialog has asked before replacing one."""
    return QFileDialog.getSaveFileName(parent, title, suggestion, ";;".join(filters))[0]
