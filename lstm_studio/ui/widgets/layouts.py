"""Layouts that are filled again and again."""

from __future__ import annotations

from PySide6.QtWidgets import QLayout, QWidget


def take_widgets(layout: QLayout) -> list[QWidget]:
    """Take all widgets from a layout, and return them.

    Not item by item: one that ``takeAt`` returns belongs to the caller, but PySide does not delete it, and it stays for
    good.
    """
    items = [layout.itemAt(place) for place in range(layout.count())]
    widgets = [widget for item in items if item is not None and (widget := item.widget()) is not None]
    del items
    for widget in widgets:
        layout.removeWidget(widget)
    return widgets
