"""What a list owes to whoever comes to it with the keyboard: to show and to name its current line."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView


def meet(view: QAbstractItemView) -> None:
    """Mark the current line of a list that the keyboard has come to, and let a screen reader name it.

    Qt makes the first line of a new list the current one without marking it, and names a line only when an arrow key
    goes to another. Call it after ``focusInEvent`` of the list's own class.
    """
    index, selection = view.currentIndex(), view.selectionModel()
    if not index.isValid():
        return
    if view.selectionMode() is not QAbstractItemView.SelectionMode.NoSelection and not selection.hasSelection():
        whole = view.selectionBehavior() is QAbstractItemView.SelectionBehavior.SelectRows
        rows = QItemSelectionModel.SelectionFlag.Rows if whole else QItemSelectionModel.SelectionFlag.NoUpdate
        selection.select(index, QItemSelectionModel.SelectionFlag.Select | rows)
    if QAccessible.isActive():
        event = QAccessibleEvent(view, QAccessible.Event.Focus)
        place = index.row()
        if isinstance(view, QTableView):
            # As Qt counts them: with a row and a column of heads, also where these are hidden.
            place = (index.row() + 1) * (view.model().columnCount() + 1) + index.column() + 1
        event.setChild(place)
        QAccessible.updateAccessibility(event)
