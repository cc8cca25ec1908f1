"""Between the window and its trainings: looks after their processes, tells of what went wrong, asks before leaving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from lstm_studio.errors import StudioError
from lstm_studio.session.trainings import Trainings, folder_of_trainings
from lstm_studio.ui import dialogs
from lstm_studio.ui.notices import Level
from lstm_studio.ui.train.explorer import Link
from lstm_studio.ui.train.strip import SnapshotStrip

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

_LOOK = 250
"""Milliseconds between two looks at the processes that were started."""
STAY, LET_RUN, STOP = "Do not close", "Let it run", "Stop it"


class TrainDriver(QObject):
    """Owns the trainings of one window.

    Parameters
    ----------
    window
        Whose watch list follows them.
    """

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._window = window
        settings = window.settings
        folder = Path(settings.trainings) if settings.trainings else folder_of_trainings()
        self.trainings = Trainings(window.watchlist, folder)
        self.link = Link(window, self.trainings)
        self.link.changed.connect(self._show_state)
        self._strip = SnapshotStrip(self.trainings, self.link, window.command_actions, window.appearance.theme)
        window.workspace.show_above(self._strip)
        self._possible: dict[str, object] = {}
        self._asks, self._asking = True, False
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self._look)
        self.trainings.failed.connect(self._on_failed)
        self.trainings.changed.connect(self._on_changed)
        self.trainings.selected.connect(self._show_state)
        self.trainings.plan_changed.connect(self._on_plan)

    def may_close(self) -> bool:
        """Return whether the window may close now; else it is asked what is to become of trainings that still run."""
        if not self.trainings.unfinished or not self._asks:
            return True
        if not self._asking:
            self._asking = True
            # Not here: Qt takes a window whose closing waits for a question as closed when it is closed once more.
            QTimer.singleShot(0, self, self._ask)
        return False

    def _ask(self) -> None:
        running = self.trainings.unfinished
        one = len(running) == 1
        found = f"A training is running: {Path(running[0]).name}." if one else f"{len(running)} trainings are running."
        chosen = 0
        if running:
            chosen = dialogs.ask_choice(
                self._window,
                "Trainings are running",
                f"{found} {'It' if one else 'They'} can go on without this window, and be shown again later.",
                (LET_RUN, STOP, STAY) if one else (LET_RUN, STOP.replace("it", "them"), STAY),
            )
        self._asking = False
        if chosen == 1:
            self.trainings.stop_all()
        if chosen in {0, 1} or not self._asks:
            self._asks = False
            self._window.close()

    def ask_nothing(self) -> None:
        """Let the window close without a question, and end one that is being asked."""
        self._asks = False
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            dialog.close()

    def stop(self) -> None:
        """Look after nothing any more."""
        self._timer.stop()
        self.link.stop()
        self.trainings.close()

    def _look(self) -> None:
        self.trainings.look()
        if not self.trainings.waiting:
            self._timer.stop()

    def _on_failed(self, error: StudioError) -> None:
        self._window.note(Level.ERROR, error.found, error.cure)

    def _on_plan(self, _: object) -> None:
        self._show_state()

    def _on_changed(self) -> None:
        if self.trainings.waiting and not self._timer.isActive():
            self._timer.start()
        self._show_state()

    def _show_state(self) -> None:
        """Let the commands show what is possible, but only where that is something else than before."""
        group = self._window.commands.train
        possible = {**group.possible(), **group.switched(), **group.texts()}
        if possible != self._possible:
            self._possible = possible
            self._window.commands.show_state(self._window.command_actions, self._window.current_workspace)
