"""One switch for each panel, made from the table of panels."""

from __future__ import annotations

from lstm_studio.ui.actions import switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.panels import PANELS


class PanelCommands(Group):
    """Showing and hiding panels."""

    actions = tuple(
        switch(
            info.action,
            f"{info.title} panel",
            "Show or hide the panel.",
            "show_panel",
            *info.keys,
            icon=info.icon,
            workspace=info.workspace,
        )
        for info in PANELS
    )

    def show_panel(self, on: bool) -> None:
        """Show or hide the panel whose switch was pressed."""
        key = self.sender().objectName().removeprefix("view.panel-")
        self._window.show_panel(key, on)
