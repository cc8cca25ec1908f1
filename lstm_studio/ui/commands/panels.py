"""One switch for each panel, made from the table of panels."""

from __future__ import annotations

from lstm_studio.ui.actions import switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.panels import PANELS, PanelInfo
from lstm_studio.ui.workspaces import EXPLORE, WORKSPACES

_TITLES = {info.key: info.title for info in WORKSPACES}


def _text(info: PanelInfo) -> str:
    """Return what the switch is called; of panels with one title, that of Explore has no other name."""
    named_alike = any(other.title == info.title and other is not info for other in PANELS)
    whose = f" of {_TITLES[info.workspace]}" if named_alike and info.workspace != EXPLORE else ""
    return f"{info.title} panel{whose}"


class PanelCommands(Group):
    """Showing and hiding panels."""

    actions = tuple(
        switch(
            info.action,
            _text(info),
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
