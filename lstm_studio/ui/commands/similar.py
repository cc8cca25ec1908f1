"""Marking a stretch of time, and looking for others like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from lstm_studio.ui.actions import ActionInfo
from lstm_studio.ui.commands.group import Group
from lstm_studio.ui.icons import Icon
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.explore.similar.panel import SimilarPanel


class SimilarCommands(Group):
    """Marking a stretch of time, and looking for others like it."""

    workspace = EXPLORE
    actions = (
        ActionInfo(
            "similar.mark",
            "Mark a stretch",
            "Begin a stretch at the step shown, or end it.",
            "mark",
            ("M",),
        ),
        ActionInfo("similar.unmark", "Unmark the stretch", "Take the mark away (Escape).", "unmark"),
        ActionInfo(
            "similar.find",
            "Find similar",
            "Find the stretches in which the same units are on as in the marked one.",
            "find",
            ("F",),
            Icon.SEARCH,
        ),
    )

    def mark(self) -> None:
        """Begin a stretch at the cursor, or end the one that was begun."""
        view = self._session.view
        if view.mark is None:
            self._session.look(mark=view.cursor)
        else:
            self._session.mark("Mark a stretch", view.marked)

    def unmark(self) -> None:
        """Forget the stretch, marked or only begun."""
        self._session.mark("Unmark the stretch", None)

    def find(self) -> None:
        """End a stretch that was begun, show the panel, and look for what is marked."""
        if self._session.view.mark is not None:
            self.mark()
        self._window.show_panel("similar", True)
        cast("SimilarPanel", self._window.panel("similar")).start()

    def possible(self) -> Mapping[str, bool]:
        """Return whether anything is marked."""
        return {"similar.unmark": self._session.view.marked is not None}

    def texts(self) -> Mapping[str, str]:
        """Return whether marking begins or ends."""
        begun = self._session.view.mark is not None
        return {"similar.mark": "End the stretch here" if begun else "Mark a stretch"}
