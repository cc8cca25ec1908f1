"""Says something to those who do not see the window, wherever the keyboard is."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget


def say(place: QWidget, words: str, *, urgent: bool = False) -> None:
    """Let a screen reader say something once; where none listens, nothing happens.

    Parameters
    ----------
    place
        In whose name it is said; it has to be shown.
    words
        What is said, without markup.
    urgent
        Whether it may interrupt what is being said.
    """
    if not QAccessible.isActive() or not words:
        return
    event = QAccessibleAnnouncementEvent(place, words)
    if urgent:
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    QAccessible.updateAccessibility(event)
