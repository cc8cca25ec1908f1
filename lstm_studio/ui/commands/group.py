"""What each group of commands is: rows of the table of actions, the methods behind them, what is on or possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QObject

from lstm_studio.ui.actions import ActionInfo

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow


class Group(QObject):
    """Some commands of one window.

    Parameters
    ----------
    window
        Whose session, runner, panels and settings they act on.
    """

    actions: ClassVar[tuple[ActionInfo, ...]]
    """Each names one of the methods as its slot."""
    workspace: ClassVar[str] = ""
    """Key of the workspace in which they can be done, so that another may use their keys; empty for all."""

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session

    def switched(self) -> Mapping[str, bool]:
        """Return for actions that switch something whether it is on."""
        return {}

    def possible(self) -> Mapping[str, bool]:
        """Return for actions that are not always possible whether they are now."""
        return {}

    def texts(self) -> Mapping[str, str]:
        """Return the texts of actions that say what they would do now."""
        return {}
