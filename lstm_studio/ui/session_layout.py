"""Which panels are shown, where and how large, in words that any version of Qt and any screen can follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from lstm_studio.ui.docks import Dock

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

_SIDES = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
_LARGEST = 10_000
"""Pixels."""


def layout_of(window: StudioWindow) -> dict[str, Any]:
    """Return where the panels of a window are, as plain values."""
    panels = {}
    for key, dock in window.docks.items():
        area = window.dockWidgetArea(dock)
        side = next((name for name, at in _SIDES.items() if at is area), "right")
        panels[key] = {
            "shown": key in window.wanted_panels,
            # Of tabs, the one that is seen.
            "front": not dock.visibleRegion().isEmpty(),
            "side": side,
            "width": dock.width(),
            "height": dock.height(),
        }
    return {"panels": panels}


def lay_out(window: StudioWindow, layout: Mapping[str, Any]) -> None:
    """Put the panels of a window where they were; whatever a layout does not name, or names wrongly, stays."""
    panels = layout.get("panels")
    if not isinstance(panels, dict):
        return
    known = {key: panels[key] for key in window.docks if isinstance(panels.get(key), dict)}
    shown = {key: place["shown"] for key, place in known.items() if isinstance(place.get("shown"), bool)}
    for key, place in known.items():
        dock, area = window.docks[key], _SIDES.get(str(place.get("side")))
        if area is not None and not dock.isFloating() and window.dockWidgetArea(dock) is not area:
            window.addDockWidget(area, dock)
    window.want_panels(shown)
    for key, place in known.items():
        if place.get("front") is True and not window.docks[key].isHidden():
            window.docks[key].raise_()
    for dimension, orientation in (("width", Qt.Orientation.Horizontal), ("height", Qt.Orientation.Vertical)):
        docks: list[Dock] = []
        sizes: list[int] = []
        for key, place in known.items():
            size = place.get(dimension)
            if isinstance(size, int) and 0 < size <= _LARGEST and not window.docks[key].isHidden():
                docks.append(window.docks[key])
                sizes.append(size)
        if docks:
            window.resizeDocks(docks, sizes, orientation)
