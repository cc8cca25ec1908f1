"""How large the window is, which workspace it shows, where each one's panels are: in words for any Qt and screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QStyle, QWidget

from lstm_studio.ui.docks import Dock
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.workspaces import EXPLORE, WORKSPACES

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

Panels = Mapping[str, Any]
"""Key of a panel → its place."""

_SIDES = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
_LARGEST = 10_000
"""Pixels."""
_HIGHEST_TABS = 80
"""Pixels of a row of tabs, with the largest text."""
_KEYS = frozenset(info.key for info in WORKSPACES)


def layout_of(window: StudioWindow) -> dict[str, Any]:
    """Return the size of the window, its workspace, and where the panels of all workspaces are, as plain values."""
    places = {**window.panel_places, window.current_workspace: panels_of(window)}
    whole = window.isMaximized() or window.isFullScreen()
    # Of a window that fills the screen, the size that it has else.
    size = window.normalGeometry().size() if whole else window.size()
    if size.isEmpty():
        size = window.size()
    return {
        "workspace": window.current_workspace,
        "window": {"width": size.width(), "height": size.height(), "maximised": window.isMaximized()},
        "panels": dict(places.pop(EXPLORE, {})),
        "workspaces": {key: {"panels": dict(panels)} for key, panels in places.items()},
    }


def panels_of(window: StudioWindow) -> dict[str, Any]:
    """Return where the panels of the workspace are that is shown."""
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
            "floating": dock.isFloating(),
            "out": key in window.arrangement.brought_out,
        }
        if dock.isFloating():
            at = dock.pos() - window.pos()
            panels[key] |= {"x": at.x(), "y": at.y()}
        if isinstance(dock.made, Panel):
            panels[key]["scrolled"] = dock.made.scrolled
    return panels


def lay_out(window: StudioWindow, layout: Mapping[str, Any]) -> None:
    """Give the window its size, and panels their places; whatever a layout does not name, or names wrongly, stays.

    The window becomes no larger than the screen that it is on. Panels of workspaces that are not shown follow when
    these are entered.
    """
    window.show_workspace(EXPLORE)
    _resize(window, layout.get("window"))
    place_panels(window, layout.get("panels"))
    others = layout.get("workspaces")
    for key, other in others.items() if isinstance(others, dict) else ():
        if key in _KEYS and key != EXPLORE and isinstance(other, dict) and isinstance(other.get("panels"), dict):
            window.panel_places[key] = other["panels"]
            window.panels_to_place.add(key)
    workspace = layout.get("workspace")
    if workspace in _KEYS:
        window.show_workspace(workspace)
    panels = layout.get("panels")
    if isinstance(panels, dict):
        # The desktop may yet give the window another size, and what panels need is known when they are laid out.
        window.panel_places[EXPLORE] = panels
        window.panels_to_place.add(EXPLORE)
    if window.panels_to_place:
        window.fit_screen_soon()


def _resize(window: StudioWindow, place: object) -> None:
    if not isinstance(place, dict) or window.isFullScreen():
        return
    if place.get("maximised") is True:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)
        return
    size = QSize(_pixels(place.get("width")), _pixels(place.get("height")))
    if size.isEmpty():
        return
    if window.isMaximized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMaximized)
    window.resize(size)
    fit_screen(window)
    window.fit_screen_soon()


def fit_screen(window: StudioWindow) -> None:
    """Make a window no larger than its screen, and put all of it where it can be seen."""
    if window.isMaximized() or window.isFullScreen():
        return
    room = _room_of(window)
    frame = window.frameGeometry().size() - window.geometry().size()
    size = window.size().boundedTo(room.size() - frame).expandedTo(window.minimumSize())
    if size != window.size():
        window.resize(size)
    place = _inside(QRect(window.pos(), size + frame), room)
    if place != window.pos():
        window.move(place)


def _room_of(window: StudioWindow) -> QRect:
    return window.screen().availableGeometry()


def _inside(frame: QRect, room: QRect) -> QPoint:
    """Return where a window has to be moved so that its frame lies within the screen, as far as it can."""
    left = max(room.left(), min(frame.left(), room.right() - frame.width() + 1))
    return QPoint(left, max(room.top(), min(frame.top(), room.bottom() - frame.height() + 1)))


def _pixels(size: object) -> int:
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 < size <= _LARGEST else 0


def place_panels(window: StudioWindow, panels: object) -> None:
    """Put the panels of the workspace that is shown where they were."""
    here = window.arrangement.here
    if not isinstance(panels, dict):
        return
    known = {key: panels[key] for key in here if isinstance(panels.get(key), dict)}
    shown = {key: place["shown"] for key, place in known.items() if isinstance(place.get("shown"), bool)}
    for key, place in known.items():
        dock, area = here[key], _SIDES.get(str(place.get("side")))
        if isinstance(place.get("floating"), bool):
            dock.setFloating(place["floating"])
        if area is not None and not dock.isFloating() and window.dockWidgetArea(dock) is not area:
            window.addDockWidget(area, dock)
    window.arrangement.want(shown)
    if any(isinstance(place.get("out"), bool) for place in known.values()):
        window.arrangement.bring_out([key for key, place in known.items() if place.get("out") is True])
    for key, place in known.items():
        if here[key].isFloating():
            _float_at(window, here[key], place)
    for key, place in known.items():
        if place.get("front") is True and not here[key].isHidden():
            here[key].raise_()
    seen = {key: place for key, place in known.items() if not here[key].isHidden() and not here[key].isFloating()}
    widths = {key: size for key, place in seen.items() if (size := _pixels(place.get("width")))}
    window.resizeDocks([here[key] for key in widths], [*widths.values()], Qt.Orientation.Horizontal)
    heights = {key: size for key, place in seen.items() if (size := _pixels(place.get("height")))}
    heights |= _with_tabs(window, {key: heights[key] for key in heights if seen[key].get("front") is True})
    window.resizeDocks([here[key] for key in heights], [*heights.values()], Qt.Orientation.Vertical)
    _scroll({here[key].made: place.get("scrolled") for key, place in known.items()})


def _scroll(places: Mapping[QWidget | None, object]) -> None:
    """Scroll panels to where they were; one that has not been made is at its beginning."""
    for panel, place in places.items():
        pixels = _offset(place)
        if isinstance(panel, Panel) and pixels is not None:
            panel.scroll_to(pixels)


def _with_tabs(window: StudioWindow, heights: Mapping[str, int]) -> dict[str, int]:
    """Return the heights of panels, with that of the tabs where there are some: Qt counts those to the panel."""
    here = window.arrangement.here
    between = window.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent, None, window)
    counted = dict(heights)
    for area in _SIDES.values():
        side = [key for key in heights if window.dockWidgetArea(here[key]) is area]
        left = window.stage.height() - sum(heights[key] for key in side) - between * (len(side) - 1)
        for key in side:
            behind = [dock for dock in window.tabifiedDockWidgets(here[key]) if not dock.isHidden()]
            if 0 < left <= _HIGHEST_TABS and behind:
                tabs = (here[key], *behind)
                counted |= {other: heights[key] + left for other, dock in here.items() if dock in tabs}
    return counted


def _float_at(window: StudioWindow, dock: Dock, place: Panels) -> None:
    """Give a panel in a window of its own its size and its place beside the window, within the screen."""
    size = QSize(_pixels(place.get("width")), _pixels(place.get("height")))
    if not size.isEmpty():
        dock.resize(size.boundedTo(_room_of(window).size()))
    x, y = (_offset(place.get(name)) for name in ("x", "y"))
    if x is not None and y is not None:
        dock.move(_inside(QRect(window.pos() + QPoint(x, y), dock.size()), _room_of(window)))


def _offset(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST else None
