"""Lists of widgets that are as long as what is shown needs."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QWidget

Kind = TypeVar("Kind", bound=QWidget)


def drop_surplus(widgets: list[Kind], count: int) -> None:
    """Delete the last widgets of a list, so that ``count`` stay: hidden ones would pile up for the largest ever shown.

    They disappear now, and Qt frees them when no event of theirs is under way.
    """
    for widget in widgets[count:]:
        widget.hide()
        widget.deleteLater()
    del widgets[count:]
