"""Taking the phases of a step, and stopping where a condition holds."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_studio.session.phases import phases_of, shown_phase
from lstm_studio.ui.actions import ActionInfo, switch
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.workspaces import EXPLORE


class StopCommands(Group):
    """Taking the phases of a step, and stopping where a condition holds."""

    workspace = EXPLORE
    actions = (
        switch("run.phases", "Phases of each step", "Take the operations of each step one by one.", "phases", "4"),
        switch("run.stop-when", "Stop when…", "Let playing stop where the condition holds.", "stop_when", "S"),
        ActionInfo("run.edit-stop", "Edit where playing stops", "Choose signals and numbers.", "edit_stop", ("E",)),
        ActionInfo(
            "run.next-hit",
            "Next step that meets it",
            "To the next step where the condition holds; after the last to the first.",
            "next_hit",
            (".",),
        ),
        ActionInfo(
            "run.previous-hit",
            "Previous step that meets it",
            "To the last step before this one where the condition holds; before the first to the last.",
            "previous_hit",
            (",",),
        ),
    )

    def phases(self, on: bool) -> None:
        """Take phases, or whole steps."""
        self._session.show_phases(on)

    def stop_when(self, on: bool) -> None:
        """Let playing stop, or not."""
        self._window.transport.stop_control.switch(on)

    def edit_stop(self) -> None:
        """Open the editor of the conditions."""
        self._window.transport.stop_control.edit()

    def next_hit(self) -> None:
        """Go to the next step where the conditions hold."""
        self._window.transport.next_hit()

    def previous_hit(self) -> None:
        """Go to the last step before this one where they hold."""
        self._window.transport.previous_hit()

    def switched(self) -> Mapping[str, bool]:
        """Return whether steps are taken in phases, and whether playing stops."""
        return {
            "run.phases": shown_phase(self._session.result, self._session.view) is not None,
            "run.stop-when": self._session.remarks.stop.on,
        }

    def possible(self) -> Mapping[str, bool]:
        """Return whether the shown cell has phases, and whether there is a condition."""
        conditions = bool(self._session.remarks.stop.conditions)
        return {
            "run.phases": bool(phases_of(self._session.result)),
            "run.next-hit": conditions,
            "run.previous-hit": conditions,
        }
