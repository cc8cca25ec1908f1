"""Where the panels of the window are: each workspace has its own, and finds them again as they were left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QCoreApplication, QEvent, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QStyle, QWidget

from lstm_studio.ui.docks import Dock, Strip
from lstm_studio.ui.panels import PANELS, PanelInfo, Side
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

LEFT_WIDTH = 232
RIGHT_WIDTH = 306
FOLD_BELOW_WIDTH = 1440
FOLD_BELOW_HEIGHT = 800
_FIRST_SHARE = 0.3
"""Of a side's height that its first panel gets at least."""
_MOST_ROUNDS = 6
"""Of sharing the room: twice as many as it takes until nothing changes any more."""

_INFOS: Mapping[str, PanelInfo] = {info.key: info for info in PANELS}


@dataclass
class _Room:
    """The panels of one workspace.

    Parameters
    ----------
    left, right, tabs
        Keys by the side where they are at first.
    folded
        Those on the left that will come back when there is room; None while nothing is folded.
    first, left_as
        Layout at first, and as the workspace was left.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    tabs: tuple[str, ...]
    folded: tuple[str, ...] | None = None
    first: QByteArray | None = None
    left_as: QByteArray | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.left, *self.right, *self.tabs)


class Arrangement:
    """Makes the docks of a workspace when it is first entered, shows them, folds them, and remembers them.

    Parameters
    ----------
    window
        Which has them.
    saved
        Workspace → layout as the last window left it, in Qt's encoding as hexadecimal digits.
    """

    def __init__(self, window: StudioWindow, saved: Mapping[str, str]) -> None:
        self._window = window
        self._rooms = {key: _room(key) for key in dict.fromkeys(info.workspace for info in PANELS)}
        for key, room in self._rooms.items():
            if saved.get(key):
                room.left_as = QByteArray.fromHex(saved[key].encode())
        self.docks: dict[str, Dock] = {}
        """Those that have been made, by the keys of their panels."""
        self.strip = Strip(window.command_actions, [info.action for info in PANELS if info.side is Side.LEFT], window)
        window.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.strip)
        self.strip.hide()
        self._workspace = ""
        self._heights: dict[str, int] = {}
        self._to_share: set[str] = set()

    @property
    def workspace(self) -> str:
        """Whose panels are shown."""
        return self._workspace

    def enter(self, workspace: str) -> None:
        """Show the panels of a workspace where they were, instead of those of another."""
        if workspace == self._workspace:
            return
        if self._workspace:
            self._room.left_as = self._window.saveState()
        self._workspace = workspace
        room = self._room
        others = [dock for key, dock in self.docks.items() if _INFOS[key].workspace != workspace]
        for dock in others:
            dock.hide()
        if room.first is None:
            self._make(room)
            room.first = self._window.saveState()
        elif room.left_as is None:
            self._show_first(room)
        if room.left_as is not None:
            self._window.restoreState(room.left_as)
        for dock in others:
            # Layouts that were saved by another version may know them.
            dock.hide()
        self._settle(room)
        self.fit()
        if workspace in self._to_share:
            QTimer.singleShot(0, self._window, self._share_room_laid_out)

    def share_room_everywhere(self) -> None:
        """Give each dock its first size; those of other workspaces get it when these are entered."""
        self._to_share = {key for key, room in self._rooms.items() if room.first is not None}
        QTimer.singleShot(0, self._window, self._share_room_laid_out)

    def _make(self, room: _Room) -> None:
        window = self._window
        for key in room.keys:
            self.docks[key] = window.make_dock(_INFOS[key])
        for key in room.left:
            window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.docks[key])
        for key in (*room.right, *room.tabs):
            window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.docks[key])
        for key in (*room.left, *room.right):
            # They are seen at once, and what they need decides how wide the docks are.
            _ = self.docks[key].panel
            # A window that is shown would show them only later, and by then it is decided which are folded.
            self.docks[key].show()
        for key in room.tabs:
            window.tabifyDockWidget(self.docks[room.right[0]], self.docks[key])
            self.docks[key].hide()
        if window.isVisible():
            self.share_room()
            # What they need is known only when they have been laid out.
            QTimer.singleShot(0, window, self.share_room)

    def _show_first(self, room: _Room) -> None:
        for key in room.keys:
            self.docks[key].setVisible(key not in room.tabs)

    def _settle(self, room: _Room) -> None:
        """Bring in the panels that a saved layout did not know: nothing else would give them a place."""
        for key in room.keys:
            dock = self.docks[key]
            if not dock.isFloating() and self._window.dockWidgetArea(dock) is Qt.DockWidgetArea.NoDockWidgetArea:
                on_left = key in room.left
                area = Qt.DockWidgetArea.LeftDockWidgetArea if on_left else Qt.DockWidgetArea.RightDockWidgetArea
                self._window.addDockWidget(area, dock)

    def saved(self) -> dict[str, str]:
        """Return the layout of every workspace that has been entered, unfolded, or as it was read."""
        room = self._room
        for key in room.folded or ():
            self.docks[key].show()
        room.left_as = self._window.saveState()
        for key in room.folded or ():
            self.docks[key].hide()
        layouts = {key: room.left_as for key, room in self._rooms.items()}
        return {key: bytes(layout.toHex().data()).decode() for key, layout in layouts.items() if layout is not None}

    def reset(self) -> None:
        """Put the panels of this workspace where they were at first."""
        room = self._room
        room.folded = None
        if room.first is not None:
            self._window.restoreState(room.first)
        for key, dock in self.docks.items():
            dock.setVisible(key in room.keys and key not in room.tabs)
        self.share_room()
        self.fit()

    def share_room(self) -> None:
        """Give each dock its first size; only a window that is shown knows what its panels need."""
        room, window = self._room, self._window
        self._to_share.discard(self._workspace)
        widths = ((room.left, LEFT_WIDTH), (room.right, RIGHT_WIDTH))
        ends: list[QDockWidget] = [self.docks[keys[0]] for keys, _ in widths if keys]
        window.resizeDocks(ends, [width for keys, width in widths if keys], Qt.Orientation.Horizontal)
        self._share_heights()

    def share_heights_soon(self) -> None:
        """Give the panels what they need of the height, when one of them that was empty has been laid out."""
        QTimer.singleShot(0, self._window, self._share_heights_laid_out)

    def _share_room_laid_out(self) -> None:
        # How large the text is now, first the panels hear, then their docks, then the window: until all agree.
        before: list[tuple[QSize, QSize, int]] = []
        for _ in range(_MOST_ROUNDS):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
            self.share_room()
            docks = [self.docks[key] for key in self._room.keys]
            now = [(dock.size(), dock.minimumSizeHint(), dock.needed_height) for dock in docks]
            if now == before:
                break
            before = now

    def _share_heights_laid_out(self) -> None:
        # Else the docks would not know yet what their panels need now.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        self._share_heights()

    def _share_heights(self) -> None:
        room = self._room
        # In Explore the first panel on the right has others behind it, and what they need has to do for all.
        for keys in (room.left, *(() if self._workspace == EXPLORE else (room.right,))):
            self._share_height(keys)
        if self._workspace == EXPLORE:
            self._favour_first(room.right)

    def _share_height(self, keys: tuple[str, ...]) -> None:
        """Give the panels of a side what they need of its height."""
        docks: list[QDockWidget] = [self.docks[key] for key in keys]
        wanted = [self.docks[key].needed_height for key in keys]
        if wanted:
            # What is left over goes to the first list, which can always use it; so does what is missing, as far
            # as the list can be used then. Below that all of them scroll.
            height, others = self._window.stage.height() - self._between * (len(keys) - 1), sum(wanted[1:])
            wanted[0] = max(1, round(_FIRST_SHARE * height), height - others)
            if others > height - wanted[0] > 0:
                wanted[1:] = [round(each * (height - wanted[0]) / others) for each in wanted[1:]]
            self._window.resizeDocks(docks, wanted, Qt.Orientation.Vertical)

    def _favour_first(self, keys: tuple[str, ...]) -> None:
        """Where the panels of a side need more height than there is, give the first all that the others can spare."""
        docks: list[QDockWidget] = [self.docks[key] for key in keys]
        first, *others = (self.docks[key].needed_height for key in keys)
        left = self._window.stage.height() - self._between * len(others) - first
        if left < sum(others):
            least = [min(each, max(1, round(each * left / sum(others)))) for each in others]
            self._window.resizeDocks(docks, [first, *least], Qt.Orientation.Vertical)
        elif any(dock.height() < each for dock, each in zip(docks[1:], others, strict=True)):
            # They gave up some of it to the first when text was larger.
            self._window.resizeDocks(docks, [first + left - sum(others), *others], Qt.Orientation.Vertical)

    @property
    def _between(self) -> int:
        """Pixels between one dock and the next."""
        return self._window.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent, None, self._window)

    def _share_left(self) -> None:
        shown = tuple(
            key
            for key in self._room.left
            if not self.docks[key].isHidden()
            and not self.docks[key].isFloating()
            and self._window.dockWidgetArea(self.docks[key]) is Qt.DockWidgetArea.LeftDockWidgetArea
        )
        self._share_height(shown)

    def note_heights(self) -> None:
        """Remember how high the panels are, before one of them takes more for a while."""
        if not self._heights:
            self._heights = {
                key: dock.height()
                for key, dock in self.here.items()
                if not dock.isFloating() and not dock.visibleRegion().isEmpty()
            }

    def restore_heights(self) -> None:
        """Give the panels the heights that were noted, as soon as they ask for no more."""
        QTimer.singleShot(0, self._window, self._restore_heights)

    def _restore_heights(self) -> None:
        heights, self._heights = self._heights, {}
        docks: list[QDockWidget] = [self.docks[key] for key in heights]
        if docks and not any(dock.isHidden() for dock in docks):
            self._window.resizeDocks(docks, list(heights.values()), Qt.Orientation.Vertical)

    def fit(self) -> None:
        """Fold the left panels where the window is narrow or low; bring them back where there is room again."""
        window, room = self._window, self._room
        narrow = window.width() < FOLD_BELOW_WIDTH or window.height() < FOLD_BELOW_HEIGHT
        if narrow and room.folded is None:
            room.folded = tuple(key for key in room.left if not self.docks[key].isHidden())
            for key in room.folded:
                self.docks[key].hide()
        elif not narrow and room.folded is not None:
            for key in room.folded:
                self.docks[key].show()
            room.folded = None
        self.strip.show_buttons([_INFOS[key].action for key in room.left])
        self.strip.setVisible(narrow and bool(room.left))

    def dock(self, key: str) -> Dock:
        """Return the dock of a panel, made if its workspace has never been entered; it is then not shown."""
        if key not in self.docks:
            here = self._workspace
            self._window.show_workspace(_INFOS[key].workspace)
            self._window.show_workspace(here)
        return self.docks[key]

    def show(self, key: str, on: bool) -> None:
        """Show or hide a panel, in its workspace; one that is shown comes before the tabs beside it."""
        if _INFOS[key].workspace != self._workspace:
            if not on:
                return
            self._window.show_workspace(_INFOS[key].workspace)
        came = on and self.docks[key].isHidden()
        self.docks[key].setVisible(on)
        if on:
            self.docks[key].raise_()
        if came and key in self._room.left:
            # Qt gives it what the others leave, which may hide most of it beside much that is empty.
            QTimer.singleShot(0, self._window, self._share_left)

    @property
    def here(self) -> dict[str, Dock]:
        """The docks of this workspace, by the keys of their panels."""
        return {key: self.docks[key] for key in self._room.keys}

    @property
    def wanted(self) -> frozenset[str]:
        """The panels of this workspace that are shown, or would be if there were room."""
        shown = {key for key, dock in self.here.items() if not dock.isHidden()}
        return frozenset(shown | {*(self._room.folded or ())})

    def want(self, shown: Mapping[str, bool]) -> None:
        """Show some panels of this workspace and hide others, as soon as there is room for those on the left."""
        room = self._room
        for key, on in shown.items():
            if key in room.keys and (room.folded is None or key not in room.left):
                self.docks[key].setVisible(on)
        if room.folded is not None:
            room.folded = tuple(key for key in room.left if shown.get(key, key in room.folded))

    @property
    def brought_out(self) -> frozenset[str]:
        """The panels that are shown on the left though those there are folded."""
        if self._room.folded is None:
            return frozenset()
        return frozenset(key for key in self._room.left if not self.docks[key].isHidden())

    def bring_out(self, keys: Collection[str]) -> None:
        """Where the panels on the left are folded, show these of them and no others."""
        if self._room.folded is not None:
            for key in self._room.left:
                self.docks[key].setVisible(key in keys)

    def apply_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.strip.apply_theme(theme)
        for dock in self.docks.values():
            dock.apply_theme(theme)

    def panels(self) -> Iterable[QWidget]:
        """Return the panels that have been made."""
        return [dock.made for dock in self.docks.values() if dock.made is not None]

    @property
    def _room(self) -> _Room:
        return self._rooms[self._workspace]


def _room(workspace: str) -> _Room:
    sides = {
        side: tuple(info.key for info in PANELS if info.workspace == workspace and info.side is side) for side in Side
    }
    return _Room(sides[Side.LEFT], sides[Side.RIGHT], sides[Side.TABS])
