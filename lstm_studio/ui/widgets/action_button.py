"""Buttons that follow an action, without becoming slower and larger with each change of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMetaMethod, QObject
from PySide6.QtGui import QAction, QActionEvent, QIcon
from PySide6.QtWidgets import QToolButton


class ActionButton(QToolButton):
    """A button that shows and triggers an action.

    At each change of its action a tool button of Qt 6.11 connects itself to it once more, and never parts from it: 144
    bytes a change, and at the ten-thousandth change the button is called ten thousand times.

    Parameters
    ----------
    action
        What it does; its text, icon, tip and state are the button's.
    """

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self.setDefaultAction(action)

    def event(self, event: QEvent) -> bool:
        """Follow a change, connected once."""
        if isinstance(event, QActionEvent) and event.type() is QEvent.Type.ActionChanged:
            _part(event.action(), self)
        return super().event(event)


def set_field_icon(action: QAction, icon: QIcon) -> None:
    """Change the icon of an action that stands in a field of text: its button there is Qt's own, and grows alike."""
    for shown in action.associatedObjects():
        _part(action, shown)
    action.setIcon(icon)


def _part(action: QAction, follower: QObject) -> None:
    QObject.disconnect(action, QMetaMethod.fromSignal(action.changed), follower, QMetaMethod())
