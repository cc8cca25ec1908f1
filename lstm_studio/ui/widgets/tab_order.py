"""The order in which Tab goes through what is made late: Qt would put it last in the window."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def put_after(place: QWidget, *parts: QWidget) -> None:
    """Let Tab go through some parts one after another, from where a widget is.

    Parameters
    ----------
    place
        A widget of the same window, which need not take the keyboard itself.
    parts
        What takes it.
    """
    policy = place.focusPolicy()
    if policy is Qt.FocusPolicy.NoFocus:
        # Qt puts nothing behind what the keyboard never reaches.
        place.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    for before, after in pairwise((place, *parts)):
        QWidget.setTabOrder(before, after)
    place.setFocusPolicy(policy)
