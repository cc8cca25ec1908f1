"""The workspaces of the window, as a table: a new one is one row here, its panels, and its commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from lstm_studio.ui.theme import Theme

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

EXPLORE = "explore"
"""Key of the workspace with the plots of the session."""
TRAIN = "train"
"""Key of the workspace in which networks learn."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a workspace puts into the window beside its panels; both widgets have ``apply_theme``.

    Parameters
    ----------
    centre
        Between the panels; it gets the keyboard when the workspace is entered.
    bar
        Below everything.
    """

    centre: QWidget
    bar: QWidget


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    """One workspace.

    Parameters
    ----------
    key
        What its panels and its groups of commands name as theirs.
    title
        On the switch at the top of the window.
    tooltip
        What it is for, in one sentence.
    make
        Returns its widgets for a window; called when it is first entered.
    key_sequence
        Shortcut that leads there.
    """

    key: str
    title: str
    tooltip: str
    make: Callable[[StudioWindow, Theme], Workspace]
    key_sequence: str

    @property
    def action(self) -> str:
        """Key of the action that leads there."""
        return f"view.workspace-{self.key}"


def _explore(window: StudioWindow, _: Theme) -> Workspace:
    return Workspace(window.workspace, window.transport)


def _monitor(window: StudioWindow, theme: Theme) -> Workspace:
    from lstm_studio.ui.monitor.bar import MonitorBar
    from lstm_studio.ui.monitor.centre import MonitorCentre

    monitoring, actions = window.monitoring, window.command_actions
    centre = MonitorCentre(monitoring, window.session, actions, theme)
    bar = MonitorBar(monitoring, centre.drawing, actions, theme)
    centre.edges_changed.connect(bar.align)
    return Workspace(centre, bar)


def _train(window: StudioWindow, theme: Theme) -> Workspace:
    from lstm_studio.ui.train.bar import TrainBar
    from lstm_studio.ui.train.workspace import TrainWorkspace

    bar = TrainBar(window.trainings, window.command_actions, theme)
    return Workspace(TrainWorkspace(window.trainings, bar, window.command_actions, theme), bar)


WORKSPACES = (
    WorkspaceInfo(EXPLORE, "Explore", "Step networks through sequences, and see what they do.", _explore, "F6"),
    WorkspaceInfo(TRAIN, "Train", "Train networks side by side, and watch them at it.", _train, "F7"),
    WorkspaceInfo("monitor", "Monitor", "Watch trainings, live or finished, here or anywhere.", _monitor, "F8"),
)
