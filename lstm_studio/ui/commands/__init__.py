"""Every command of the window, as data and as methods: menus, keys, the palette and the shortcut sheet come from here.

A new command is one row and one method in one of the groups, and one entry of a menu. A new group is one module.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from lstm_studio.ui.actions import SEPARATOR, ActionInfo, Actions, Menus, Submenu
from lstm_studio.ui.commands.colours import ColourCommands
from lstm_studio.ui.commands.edit import EditCommands
from lstm_studio.ui.commands.export import ExportCommands
from lstm_studio.ui.commands.files import FilesCommands
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.commands.help import HelpCommands
from lstm_studio.ui.commands.horizon import HorizonCommands
from lstm_studio.ui.commands.monitor import LOOKING, MonitorCommands
from lstm_studio.ui.commands.network import NetworkCommands
from lstm_studio.ui.commands.notes import NoteCommands
from lstm_studio.ui.commands.panels import PanelCommands
from lstm_studio.ui.commands.run import RunCommands
from lstm_studio.ui.commands.session import SessionCommands
from lstm_studio.ui.commands.similar import SimilarCommands
from lstm_studio.ui.commands.stops import StopCommands
from lstm_studio.ui.commands.train import TrainCommands
from lstm_studio.ui.commands.units import UnitsCommands
from lstm_studio.ui.commands.view import ViewCommands
from lstm_studio.ui.commands.what_if import WhatIfCommands
from lstm_studio.ui.commands.workspaces import WorkspaceCommands
from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.workspaces import WORKSPACES

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

GROUPS: tuple[type[Group], ...] = (
    FilesCommands,
    SessionCommands,
    NoteCommands,
    ExportCommands,
    EditCommands,
    WorkspaceCommands,
    ViewCommands,
    ColourCommands,
    PanelCommands,
    NetworkCommands,
    RunCommands,
    StopCommands,
    UnitsCommands,
    HorizonCommands,
    SimilarCommands,
    WhatIfCommands,
    MonitorCommands,
    TrainCommands,
    HelpCommands,
)

ACTIONS: Mapping[str, ActionInfo] = MappingProxyType({info.key: info for group in GROUPS for info in group.actions})

WHERE: Mapping[str, str] = MappingProxyType(
    {info.key: info.workspace or group.workspace for group in GROUPS for info in group.actions}
)
"""Command → key of the workspace in which it can be done; empty for all of them."""

MENUS: Menus = (
    (
        "File",
        (
            "file.open-sequence",
            "file.open-folder",
            "file.open-network",
            "file.open-companion",
            "session.open",
            "monitor.add-folder",
            "monitor.add-address",
            ">Samples",
            ">Recent files",
            SEPARATOR,
            "session.save",
            "session.save-as",
            SEPARATOR,
            "file.export-picture",
            "file.export-playback",
            "file.export-report",
            "file.export-numbers",
            "file.export-run",
            SEPARATOR,
            "file.quit",
        ),
    ),
    (
        "Edit",
        (
            "edit.undo",
            "edit.redo",
            SEPARATOR,
            "edit.remove-event",
            SEPARATOR,
            "note.add",
            "note.next",
            "note.previous",
            SEPARATOR,
            "edit.copy-picture",
            SEPARATOR,
            "similar.mark",
            "similar.unmark",
            "similar.find",
        ),
    ),
    (
        "View",
        (
            *(info.action for info in WORKSPACES),
            SEPARATOR,
            "view.diagram",
            "view.show-all",
            "view.whole-sequence",
            SEPARATOR,
            "units.by-index",
            "units.by-activity",
            "units.by-similarity",
            "units.next-order",
            "units.filter",
            "units.all",
            SEPARATOR,
            "horizon.jacobian-row",
            "horizon.itemised",
            "horizon.saturation",
            SEPARATOR,
            "view.labels-standard",
            "view.labels-classroom",
            SEPARATOR,
            Submenu("Theme", ("view.theme-system", "view.theme-light", "view.theme-dark")),
            Submenu("Colours of numbers", tuple(info.key for info in ColourCommands.actions)),
            Submenu("Text size", ("view.larger", "view.smaller", "view.normal-size")),
            "view.less-motion",
            SEPARATOR,
            Submenu("Panels", tuple(info.action for info in PANELS)),
            "view.reset-layout",
            "view.full-screen",
            SEPARATOR,
            "view.dismiss",
        ),
    ),
    (
        "Network",
        (
            "network.next-seed",
            SEPARATOR,
            "network.companion",
            "network.same-units",
            "network.same-parameters",
            SEPARATOR,
            ">Device",
        ),
    ),
    (
        "Run",
        (
            "run.play",
            SEPARATOR,
            "run.next",
            "run.previous",
            "run.next-ten",
            "run.previous-ten",
            "run.first",
            "run.last",
            SEPARATOR,
            "run.faster",
            "run.slower",
            "run.loop",
            SEPARATOR,
            "run.phases",
            "run.stop-when",
            "run.edit-stop",
            "run.next-hit",
            "run.previous-hit",
            SEPARATOR,
            "run.next-unit",
            "run.previous-unit",
            "units.pin",
            "run.next-sequence",
            "run.previous-sequence",
            SEPARATOR,
            Submenu("What if", ("what-if.clamp", "what-if.ablate", "what-if.event", "what-if.state")),
            Submenu("Compare", tuple(info.key for info in WhatIfCommands.actions if info.key.startswith("compare."))),
            Submenu("Monitor", tuple(info.key for info in LOOKING if info.key.startswith("monitor."))),
            Submenu("Training", tuple(info.key for info in TrainCommands.actions)),
        ),
    ),
    ("Help", ("help.find-command", "help.shortcuts", "help.hints", "help.about")),
)


class Commands(QObject):
    """The commands of one window.

    Parameters
    ----------
    window
        Whose session, runner, panels and settings they act on.
    """

    menus = MENUS
    infos = ACTIONS
    where = WHERE

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self.files = FilesCommands(window)
        self.notes = NoteCommands(window)
        self.what_if = WhatIfCommands(window)
        self.monitor = MonitorCommands(window)
        self.train = TrainCommands(window)
        named: tuple[Group, ...] = (self.files, self.notes, self.what_if, self.monitor, self.train)
        others = (group(window) for group in GROUPS if group not in {type(one) for one in named})
        self.groups: tuple[Group, ...] = (*named, *others)

    def show_state(self, actions: Actions, workspace: str) -> None:
        """Let the actions show what is on, and what can be done now in this workspace."""
        for group in self.groups:
            for key, on in group.switched().items():
                actions[key].setChecked(on)
            possible = group.possible()
            for info in group.actions:
                here = (info.workspace or group.workspace or workspace) == workspace
                actions[info.key].setEnabled(here and possible.get(info.key, True))
            for key, text in group.texts().items():
                actions[key].setText(text)
