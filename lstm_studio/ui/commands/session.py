"""Saving and opening sessions."""

from __future__ import annotations

from pathlib import Path

from lstm_studio.session.session_file import SUFFIX
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon

SESSIONS = f"Sessions (*{SUFFIX})"


class SessionCommands(Group):
    """Saving and opening sessions."""

    actions = (
        ActionInfo(
            "session.open",
            "Open session…",
            "Open sequences, networks, notes and layout as they were saved.",
            "choose_session",
            ("Ctrl+Alt+O",),
        ),
        ActionInfo(
            "session.save",
            "Save session",
            "Save all of this in one file that opens on any machine as it is here.",
            "save",
            ("Ctrl+S",),
            Icon.SAVE,
        ),
        ActionInfo(
            "session.save-as",
            "Save session as…",
            "Save all of this in a file of another name.",
            "save_as",
            ("Ctrl+Shift+S",),
        ),
    )

    def choose_session(self) -> None:
        """Ask for a session and open it."""
        filters = (SESSIONS, "All files (*)")
        path = dialogs.ask_open(self._window, "Open a session", self._window.settings.folder, filters)
        if path:
            self._window.keeper.open(Path(path))

    def save(self) -> None:
        """Save the session in its file; ask for one where it has none."""
        document = self._session.document
        if document is None:
            self.save_as()
        else:
            self._window.keeper.save(document)

    def save_as(self) -> None:
        """Ask where to, and save the session there."""
        document = self._session.document
        suggestion = document or Path(self._window.settings.folder) / f"{self._name()}{SUFFIX}"
        path = dialogs.ask_save(self._window, "Save the session", str(suggestion), (SESSIONS,))
        if path:
            # A name without a suffix is one that the dialog did not complete.
            self._window.keeper.save(Path(path if path.lower().endswith(SUFFIX) else f"{path}{SUFFIX}"))

    def _name(self) -> str:
        title = self._session.result.sequences.title.lower()
        return "-".join("".join(c if c.isalnum() else " " for c in title).split()) or "session"
