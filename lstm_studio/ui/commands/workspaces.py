"""One command for each workspace, made from the table of workspaces."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_studio.ui.actions import choice
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.workspaces import WORKSPACES


class WorkspaceCommands(Group):
    """Going from one workspace to another."""

    actions = tuple(
        choice(info.action, info.title, info.tooltip, "enter", "workspace", info.key_sequence) for info in WORKSPACES
    )

    def enter(self) -> None:
        """Show the workspace whose command was given."""
        self._window.show_workspace(self.sender().objectName().removeprefix("view.workspace-"))

    def switched(self) -> Mapping[str, bool]:
        """Return which workspace is shown."""
        return {info.action: info.key == self._window.current_workspace for info in WORKSPACES}
