"""Pages of text."""

from __future__ import annotations

from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.sheets import TextSheet, about_page, shortcuts_page


class HelpCommands(Group):
    """Pages of text."""

    actions = (
        ActionInfo("help.shortcuts", "Keyboard shortcuts", "All keys on one page.", "show_shortcuts", ("F1",)),
        ActionInfo("help.about", "About LSTM Studio", "Versions and licence.", "show_about"),
    )

    def show_shortcuts(self) -> None:
        """Show all keys."""
        TextSheet(
            "Keyboard shortcuts", shortcuts_page(self._window.commands.menus, self._window.commands.infos), self._window
        ).show()

    def show_about(self) -> None:
        """Show versions and licence."""
        warm = self._window.runner.warm
        TextSheet("About LSTM Studio", about_page(warm.torch_version if warm else None), self._window).show()
