"""Takes the snapshot that is looked at into Explore, and moves Explore along with it where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Scaling, SequenceSet
from lstm_studio.session.held_out import DrawHeldOut
from lstm_studio.session.question import Question
from lstm_studio.session.state import Setup
from lstm_studio.session.trainings import Trainings
from lstm_studio.ui.workspaces import EXPLORE

if TYPE_CHECKING:
    from lstm_studio.ui.window import StudioWindow

_CHANGE = "Look at another snapshot"


class Link(QObject):
    """Between the snapshots of a training and what Explore shows.

    Parameters
    ----------
    window
        Whose session is changed.
    trainings
        What is shown in Train.
    """

    changed = Signal()
    """Explore shows another snapshot, follows, or no longer does."""

    def __init__(self, window: StudioWindow, trainings: Trainings) -> None:
        super().__init__(window)
        self._window, self._session, self._trainings = window, window.session, trainings
        self._question: DrawHeldOut | None = None
        self._enter = False
        self._address = ""
        self._data: SequenceSet | None = None
        self._follows = False
        self._shown: int | None = None
        self._was_linked = False
        self._session.answered.connect(self._on_answered)
        self._session.setup_changed.connect(self._on_setup_changed)
        trainings.selected.connect(self._on_moved)
        trainings.changed.connect(self._on_moved)

    @property
    def follows(self) -> bool:
        """Whether Explore shows whichever snapshot is looked at."""
        return self._follows

    @property
    def linked(self) -> bool:
        """Whether Explore shows snapshots of the training that is shown."""
        return self._address == self._trainings.shown and self._session.setup.data is self._data

    @property
    def step(self) -> int | None:
        """The snapshot that Explore shows; None where it shows none."""
        return self._shown if self.linked else None

    def refresh(self) -> None:
        """Let Explore show the snapshot that is looked at now, where it shows one of this training."""
        if self.linked:
            self._change()

    def open(self) -> None:
        """Show the snapshot that is looked at in Explore, and go there."""
        self._enter = True
        self._show()

    def follow(self, on: bool) -> None:
        """Move Explore along, or leave it where it is."""
        self._follows = on
        if on:
            self._show()
        self.changed.emit()

    def stop(self) -> None:
        """Listen no more."""
        self._session.answered.disconnect(self._on_answered)
        self._session.setup_changed.disconnect(self._on_setup_changed)
        self._trainings.selected.disconnect(self._on_moved)
        self._trainings.changed.disconnect(self._on_moved)

    def _show(self) -> None:
        plan, address = self._trainings.shown_plan, self._trainings.shown
        if plan is None or self._trainings.step is None:
            return
        if self._data is not None and self._address == address:
            self._change()
        elif self._question is None or self._question.address != address:
            self._question = DrawHeldOut(address, plan)
            self._session.ask(self._question)

    def _on_answered(self, question: Question, answer: object) -> None:
        if question is not self._question or not isinstance(answer, SequenceSet):
            return
        self._question, self._address, self._data = None, self._trainings.shown, answer
        if isinstance(question, DrawHeldOut) and question.address == self._address:
            self._change()

    def _change(self) -> None:
        """Let the session show the networks as they were at the snapshot."""
        learning, step = self._trainings.learning, self._trainings.step
        if learning is None or step is None or self._data is None:
            return
        self._shown = step
        specs = [NetworkSpec(checkpoint=learning.weights_file(step, one.key)) for one in learning.learners[:2]]
        changes: dict[str, Any] = {"network": specs[0], "companion": specs[1] if len(specs) > 1 else None}
        if self._session.setup.data is self._data:
            self._session.change_on(_CHANGE, **changes)
        else:
            changes |= {"data": self._data, "item": 0, "piece_length": None, "scaling": Scaling.NONE}
            self._session.change(f"Open a snapshot of {learning.title}", objective=None, **changes)
        if self._enter:
            self._enter = False
            self._window.show_workspace(EXPLORE)
        self.changed.emit()

    def _on_moved(self) -> None:
        if self._follows and self.linked and self._window.session.setup.network.checkpoint is not None:
            self._change()

    def _on_setup_changed(self, setup: Setup) -> None:
        # Somebody may have opened something else: it is not to be taken away again.
        linked = setup.data is self._data
        if linked != self._was_linked:
            self._was_linked = linked
            self._follows = self._follows and linked
            self.changed.emit()
