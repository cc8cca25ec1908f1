"""Taking back and doing again."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.workspaces import EXPLORE


class EditCommands(Group):
    """Taking back and doing again."""

    workspace = EXPLORE
    actions = (
        ActionInfo("edit.undo", "Undo", "Take back the last change.", "undo", ("Ctrl+Z",), Icon.UNDO),
        ActionInfo("edit.redo", "Redo", "Do again what was taken back.", "redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
        ActionInfo(
            "edit.remove-event",
            "Remove the last added event",
            "Take away the event that was added last at the end of the sequence.",
            "remove_event",
            ("Ctrl+Backspace",),
            Icon.MINUS,
        ),
    )

    def undo(self) -> None:
        """Take back the last change."""
        self._session.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._session.redo()

    def remove_event(self) -> None:
        """Remove the event added last."""
        self._session.remove_event()

    def possible(self) -> Mapping[str, bool]:
        """Return whether there is something to take back or to do again."""
        return {
            "edit.undo": self._session.undo_text is not None,
            "edit.redo": self._session.redo_text is not None,
            "edit.remove-event": bool(self._session.setup.events),
        }

    def texts(self) -> Mapping[str, str]:
        """Return what undo and redo would do."""
        undo, redo = self._session.undo_text, self._session.redo_text
        return {"edit.undo": f"Undo: {undo}" if undo else "Undo", "edit.redo": f"Redo: {redo}" if redo else "Redo"}
