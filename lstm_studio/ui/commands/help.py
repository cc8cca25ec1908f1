"""Pages of text."""

from __future__ import annotations

from PySide6.QtCore import QPoint

from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.command_palette import CommandPalette, entries_of
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.sheets import TextSheet, about_page, shortcuts_page
from lstm_studio.ui.workspaces import EXPLORE, WORKSPACES


class HelpCommands(Group):
    """Pages of text."""

    actions = (
        ActionInfo(
            "help.find-command",
            "Find a command…",
            "Type a few letters of any command's name, and Return does it.",
            "find_command",
            ("Ctrl+K", "Ctrl+Shift+P"),
            Icon.SEARCH,
        ),
        ActionInfo("help.shortcuts", "Keyboard shortcuts", "All keys on one page.", "show_shortcuts", ("F1",)),
        ActionInfo("help.hints", "First hints", "Show the three hints of the first start again.", "show_hints"),
        ActionInfo("help.about", "About LSTM Studio", "Versions and licence.", "show_about"),
    )

    def find_command(self) -> None:
        """Open the palette of commands below its field."""
        window = self._window
        entries = entries_of(window.commands.menus, window.commands.infos, window.command_actions)
        palette = CommandPalette(entries, window.appearance.theme, window)
        window.appearance.changed.connect(palette.apply_theme)
        field = window.header.find_button
        palette.open_below(field.mapToGlobal(QPoint(field.width(), field.height() + 2)), window.screen().geometry())

    def show_shortcuts(self) -> None:
        """Show all keys."""
        commands = self._window.commands
        titles = {info.key: info.title for info in WORKSPACES}
        where = {key: titles.get(workspace, "") for key, workspace in commands.where.items()}
        TextSheet("Keyboard shortcuts", shortcuts_page(commands.menus, commands.infos, where), self._window).show()

    def show_hints(self) -> None:
        """Show the hints from the first one, in the workspace of which they speak."""
        self._window.show_workspace(EXPLORE)
        self._window.show_hints()

    def show_about(self) -> None:
        """Show versions and licence."""
        warm = self._window.runner.warm
        TextSheet("About LSTM Studio", about_page(warm.torch_version if warm else None), self._window).show()
