"""Which panels are shown, where and how large, in words that any version of Qt and any screen can follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from lstm_studio.ui.docks import Dock
from lstm_studio.ui.workspaces import EXPLORE

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
    """Return where the panels of Explore are, or were when it was left, as plain values."""
    if window.current_workspace != EXPLORE:
        return dict(window.explore_layout)
    panels = {}
    for key, dock in window.arrangement.here.items():
        area = window.dockWidgetArea(dock)
        side = next((name for name, at in _SIDES.items() if at is area), "right")
        panels[key] = {
            "shown": key in window.arrangement.wanted,
            # Of tabs, the one that is seen.
            "front": not dock.visibleRegion().isEmpty(),
            "side": side,
            "width": dock.width(),
            "height": dock.height(),
        }
    return {"panels": panels}


def lay_out(window: StudioWindow, layout: Mapping[str, Any]) -> None:
    """Show Explore, its panels where they were; whatever a layout does not name, or names wrongly, stays."""
    window.show_workspace(EXPLORE)
    here = window.arrangement.here
    panels = layout.get("panels")
    if not isinstance(panels, dict):
        return
    known = {key: panels[key] for key in here if isinstance(panels.get(key), dict)}
    shown = {key: place["shown"] for key, place in known.items() if isinstance(place.get("shown"), bool)}
    for key, place in known.items():
        dock, area = here[key], _SIDES.get(str(place.get("side")))
        if area is not None and not dock.isFloating() and window.dockWidgetArea(dock) is not area:
            window.addDockWidget(area, dock)
    window.arrangement.want(shown)
    for key, place in known.items():
        if place.get("front") is True and not here[key].isHidden():
            here[key].raise_()
    for dimension, orientation in (("width", Qt.Orientation.Horizontal), ("height", Qt.Orientation.Vertical)):
        docks: list[Dock] = []
        sizes: list[int] = []
        for key, place in known.items():
            size = place.get(dimension)
            if isinstance(size, int) and 0 < size <= _LARGEST and not here[key].isHidden():
                docks.append(here[key])
                sizes.append(size)
        if docks:
            window.resizeDocks(docks, sizes, orientation)
