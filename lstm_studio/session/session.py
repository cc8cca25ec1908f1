"""What is open now. Evented and Qt-free: the window draws it, scripts and tests drive it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from lstm_studio.errors import StudioError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Scaling, SequenceSet
from lstm_studio.session.notes import notes_in
from lstm_studio.session.phases import phases_of, shown_phase
from lstm_studio.session.question import Question
from lstm_studio.session.state import Branch, Event, Remarks, Result, Setup, Verdicts, View

if TYPE_CHECKING:
    from lstm_studio.engine.trace import Trace

UNDO_DEPTH = 100
WITHOUT_NETWORK = (
    "This is a recorded step of a training: its traces are here, its network is not, so nothing can be computed anew.",
    "Open a checkpoint of the network to run it on the same sequence, or another sequence.",
)
"""Why a what-if or another setting is refused, and what helps."""
UNDO_BYTES = 2**30
"""Of sequences that are kept for undo alone; older changes are forgotten first."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where undo returns to, and what it takes back."""

    what: str
    setup: Setup
    remarks: Remarks
    document: Path | None
    stretch: tuple[int, int] | None
    cursor: int
    moves: bool = False
    """Whether going to another step is part of what it takes back."""


class Session:
    """The setup, its result and the view of it; each changes through one method and tells through one signal.

    The session computes nothing. Whoever listens to ``setup_changed`` computes the result (in the window, a worker
    thread) and hands it to :meth:`accept`, or the error to :meth:`reject`. Only the answer to the newest setup is
    taken; a setup that cannot be computed is taken back, so that the last good result stays on the screen.

    Parameters
    ----------
    result
        What is shown first, for example a sample with its stored traces.
    view
        How it is looked at; by default from the last step, with everything revealed.
    remarks
        What has been added to it.
    """

    setup_changed = Signal(Setup)
    result_replaced = Signal(Result)
    view_changed = Signal(View, View)
    """The view before and after."""
    verdicts_replaced = Signal(Verdicts)
    remarks_changed = Signal(Remarks)
    history_changed = Signal()
    asked = Signal(Question)
    answered = Signal(Question, object)
    """A question and its answer; whoever asked knows the question again."""
    noticed = Signal(str)
    """Something the user should know that is not an error."""
    failed = Signal(StudioError)

    def __init__(self, result: Result, view: View | None = None, remarks: Remarks | None = None) -> None:
        self._setup = result.setup
        self._remarks = remarks or Remarks()
        self._result = result
        self._view = view or View(cursor=result.sequence.steps - 1)
        self._verdicts: Verdicts | None = None
        self._arriving: tuple[Setup, View] | None = None
        self._returning: _Moment | None = None
        self._document: Path | None = None
        self._past: list[_Moment] = []
        self._future: list[_Moment] = []

    @property
    def setup(self) -> Setup:
        """The wanted setup; the result may still be on its way."""
        return self._setup

    @property
    def remarks(self) -> Remarks:
        """What has been added to what is shown."""
        return self._remarks

    @property
    def result(self) -> Result:
        """The newest result."""
        return self._result

    @property
    def view(self) -> View:
        """How the result is looked at."""
        return self._view

    @property
    def verdicts(self) -> Verdicts | None:
        """How the networks classify the sequences, where that is known."""
        return self._verdicts

    @property
    def document(self) -> Path | None:
        """The file in which this is saved, perhaps without the last changes; None for what never was."""
        return self._document

    @property
    def waiting(self) -> bool:
        """Whether the result on the screen is not that of the wanted setup."""
        return self._setup is not self._result.setup

    @property
    def steps(self) -> int:
        """Number of steps of the traced sequence."""
        return self._result.sequence.steps

    # What is computed: undoable.

    def change(self, what: str, **changes: Any) -> None:
        """Change fields of the setup; ``what`` names the command in the undo menu, for example ``"Change the seed"``.

        Choosing another sequence drops events that were added to the one before, and the what-ifs that change its
        events. Other what-ifs stay as long as they fit, see :meth:`accept`; other data drop them all, and those of
        another source begin a session without a name.
        """
        self._change(what, changes, merge=False)

    def change_on(self, what: str, **changes: Any) -> None:
        """Change fields likewise; where the last change has the same name, one undo takes back both."""
        self._change(what, changes, merge=True)

    def _change(self, what: str, changes: dict[str, Any], *, merge: bool) -> None:
        lost: tuple[Branch, ...] = ()
        if self._setup.recorded is not None and "recorded" not in changes:
            network = changes.get("network")
            if "data" not in changes and (network is None or network.checkpoint is None):
                self.failed.emit(StudioError(*WITHOUT_NETWORK))
                return
            # What was trained on the recorded sequences is no companion for what is opened now.
            changes.setdefault("network", NetworkSpec())
            changes |= {"recorded": None, "branches": (), "second": None}
        if changes.keys() & {"item", "data", "piece_length"}:
            changes.setdefault("events", ())
        if changes.keys() & {"data", "piece_length"}:
            changes.setdefault("branches", ())
            changes.setdefault("second", None)
        elif changes.get("item", self._setup.item) != self._setup.item and "branches" not in changes:
            lost = tuple(branch for branch in self._setup.branches if branch.events)
            changes["branches"] = tuple(branch for branch in self._setup.branches if not branch.events)
        setup = replace(self._setup, **changes)
        if setup == self._setup:
            return
        if not (merge and self.undo_text == what):
            self._keep(what)
        self._future.clear()
        if setup.data.source != self._setup.data.source:
            # What was saved is about something else: to save this in its place would lose it.
            self._document = None
        remarks = self._remarks if setup.data is self._setup.data else self._remarks.elsewhere()
        self._show_remarks(replace(remarks, notes=notes_in(self._remarks.notes, self._setup, setup)))
        self._want(setup)
        if lost:
            self.noticed.emit(f"{_named(lost)} about the sequence before. Undo brings it back.")

    def remark(self, what: str, **changes: Any) -> None:
        """Change fields of the remarks; ``what`` names the command in the undo menu, for example ``"Add a note"``."""
        self._remark(what, changes, merge=False)

    def remark_on(self, what: str, **changes: Any) -> None:
        """Change fields likewise; where the last change has the same name, one undo takes back both."""
        self._remark(what, changes, merge=True)

    def _remark(self, what: str, changes: dict[str, Any], *, merge: bool) -> None:
        remarks = replace(self._remarks, **changes)
        if remarks == self._remarks:
            return
        if not (merge and self.undo_text == what):
            self._keep(what)
        self._future.clear()
        self._show_remarks(remarks)
        self.history_changed.emit()

    def mark(
        self, what: str, stretch: tuple[int, int] | None, *, merge: bool = False, cursor: int | None = None
    ) -> None:
        """Mark a stretch of the shown sequence, or none; can be undone.

        Parameters
        ----------
        what
            Names the command in the undo menu, for example ``"Mark a stretch"``.
        stretch
            Its first step and the one after its last.
        merge
            Whether, where the last change has the same name, one undo takes back both.
        cursor
            The step to go to, from which undo comes back; None to stay.
        """
        step = self._view.cursor if cursor is None else cursor
        if stretch != self._view.stretch:
            if not (merge and self.undo_text == what):
                self._keep(what, moves=cursor is not None)
            self._future.clear()
            self.look(stretch=stretch, mark=None, cursor=step)
            self.history_changed.emit()
        else:
            self.look(mark=None, cursor=step)

    def _show_remarks(self, remarks: Remarks) -> None:
        if remarks != self._remarks:
            self._remarks = remarks
            self.remarks_changed.emit(remarks)

    def _now(self, what: str, moves: bool) -> _Moment:
        view = self._view
        return _Moment(what, self._setup, self._remarks, self._document, view.stretch, view.cursor, moves)

    def _keep(self, what: str, *, moves: bool = False) -> None:
        """Make it possible to return to what is wanted now."""
        self._past.append(self._now(what, moves))
        del self._past[:-UNDO_DEPTH]
        self._future.clear()
        room, counted = UNDO_BYTES, {id(self._setup.data)}
        for place in reversed(range(len(self._past))):
            data = self._past[place].setup.data
            room -= 0 if id(data) in counted else data.nbytes
            counted.add(id(data))
            if room < 0:
                del self._past[: place + 1]
                break

    def can_return_to(self, data: SequenceSet) -> bool:
        """Return whether some sequences are shown, or undo or redo can bring them back."""
        return any(setup.data is data for setup in (self._setup, *(it.setup for it in (*self._past, *self._future))))

    def open_data(self, data: SequenceSet, piece_length: int | None = None, scaling: Scaling = Scaling.NONE) -> None:
        """Show other sequences; networks trained for other features make place for fresh ones, and say so.

        Parameters
        ----------
        data
            As read.
        piece_length
            Where long sequences are cut.
        scaling
            For fresh networks. A trained one receives the values as they are: only its trainer knows how it was fed.
        """
        changes: dict[str, Any] = {"data": data, "item": 0, "piece_length": piece_length, "scaling": Scaling.NONE}
        features = len(data.names)
        for role, info in zip(("network", "companion"), self._result.infos, strict=False):
            spec = getattr(self._setup, role)
            if spec is not None and spec.checkpoint is not None and info.input_size != features:
                changes[role] = NetworkSpec(info.kind, info.hidden_size, info.layers, info.bidirectional, spec.seed)
        notes = []
        if changes.keys() & {"network", "companion"}:
            notes.append(
                f"The trained networks take {self._result.infos[0].input_size} features, {data.title} has {features}: "
                "it runs through new, untrained networks of the same size."
            )
        specs = [changes.get(role, getattr(self._setup, role)) for role in ("network", "companion")]
        if scaling is not Scaling.NONE and all(spec is None or spec.checkpoint is None for spec in specs):
            changes["scaling"] = scaling
            notes.append(
                f"Its values are scaled ({scaling.value}), as raw they would hold the gates of untrained networks open "
                "or shut. The sequence panel has the choice."
            )
        if notes:
            self.noticed.emit(" ".join(notes))
        if self._setup.objective is not None:
            changes["objective"] = None
        self.change(f"Open {data.title}", **changes)

    def open_checkpoint(self, path: str | Path, *, companion: bool = False) -> None:
        """Put the network of a checkpoint file under the microscope, or beside it."""
        spec = NetworkSpec(checkpoint=str(path))
        self.change(f"Open {Path(path).name}", **{"companion" if companion else "network": spec})

    def open_checkpoints(self, paths: Sequence[str | Path]) -> None:
        """Put the networks of one or two checkpoint files under the microscope, the second beside it, as one change."""
        specs = (NetworkSpec(checkpoint=str(path)) for path in paths)
        what = f"Open {' and '.join(Path(path).name for path in paths)}"
        self.change(what, **dict(zip(("network", "companion"), specs, strict=False)))

    def show_sample(self, result: Result) -> None:
        """Show a stored result as it is, without computing it; can be undone."""
        remarks = self._remarks.elsewhere()
        self.show_stored(f"Open {result.sequences.title}", result.setup, result, remarks=remarks)

    def show_stored(
        self,
        what: str,
        setup: Setup,
        result: Result | None,
        *,
        view: View | None = None,
        remarks: Remarks | None = None,
        document: Path | None = None,
    ) -> None:
        """Show what was stored, as one change.

        Parameters
        ----------
        what
            Names the command in the undo menu.
        setup
            What is shown.
        result
            What it came to, which is then not computed again; None where it has to be computed.
        view
            How it was looked at; None for all of it.
        remarks
            What had been added to it.
        document
            The file that it came from, where one may save it again.
        """
        self._keep(what)
        self._document = document
        self._show_remarks(remarks or Remarks())
        self._arriving = None if view is None else (setup, view)
        if result is None:
            self._want(setup)
            return
        self._setup, self._returning = setup, None
        self._take(result)
        self.setup_changed.emit(setup)
        self.history_changed.emit()

    def name(self, document: Path | None) -> None:
        """Take over the file in which this is saved from now on; nothing that is undone."""
        if document != self._document:
            self._document = document
            self.history_changed.emit()

    def add_event(self, event: Event) -> None:
        """Add an event after the last step and step to it; not while another sequence is on its way.

        It was meant for the one on the screen, and the other may not even have as many values.
        """
        if len(event) != self._result.sequence.features:
            raise ValueError(f"an event has {self._result.sequence.features} values, not {len(event)}")
        shown, wanted = self._result.setup, self._setup
        if shown.data is not wanted.data or (shown.item, shown.piece_length) != (wanted.item, wanted.piece_length):
            self.noticed.emit("No event was added: another sequence is on its way. Add it when that is shown.")
            return
        self.change("Add an event", events=(*self._setup.events, event))

    def remove_event(self) -> None:
        """Take back the event added last."""
        if self._setup.events:
            self.change("Remove an event", events=self._setup.events[:-1])

    def undo(self) -> None:
        """Return to the setup before the last change."""
        self._travel(self._past, self._future)

    def redo(self) -> None:
        """Return to the setup before the last undo."""
        self._travel(self._future, self._past)

    def _travel(self, origin: list[_Moment], destination: list[_Moment]) -> None:
        if not origin:
            return
        there = origin.pop()
        destination.append(self._now(there.what, there.moves))
        self._document = there.document
        self._show_remarks(there.remarks)
        if there.setup is self._setup:
            self.look(stretch=there.stretch, cursor=there.cursor if there.moves else self._view.cursor)
            self.history_changed.emit()
        else:
            self._want(there.setup, there)

    @property
    def undo_text(self) -> str | None:
        """The command that undo takes back, or None."""
        return self._past[-1].what if self._past else None

    @property
    def redo_text(self) -> str | None:
        """The command that redo brings back, or None."""
        return self._future[-1].what if self._future else None

    def _want(self, setup: Setup, returning: _Moment | None = None) -> None:
        self._setup, self._returning = setup, returning
        self.setup_changed.emit(setup)
        self.history_changed.emit()

    # Answers.

    def accept(self, result: Result) -> bool:
        """Show a result if it answers the newest setup; return whether it did.

        What-ifs without traces do not fit this sequence and these networks: they are dropped, with one notice.
        """
        if result.setup is not self._setup:
            return False
        pairs = tuple(zip(result.setup.branches, result.branches, strict=False))
        lost = tuple(branch for branch, traces in pairs if not traces)
        if lost:
            kept = tuple((branch, traces) for branch, traces in pairs if traces)
            self._setup = replace(result.setup, branches=tuple(branch for branch, _ in kept))
            result = replace(result, setup=self._setup, branches=tuple(traces for _, traces in kept))
        self._take(result)
        if lost:
            self.setup_changed.emit(self._setup)
            self.noticed.emit(f"{_named(lost)} about something that is not there any more. Undo brings it back.")
        return True

    def complete(self, result: Result, branches: Mapping[int, tuple[Trace, ...]]) -> None:
        """Show more of some what-ifs of a result, by their indices, as their gradients; unless it has been replaced."""
        if result is not self._result or not branches:
            return
        every = tuple(branches.get(place, traces) for place, traces in enumerate(result.branches))
        self._result = replace(result, branches=every)
        self.result_replaced.emit(self._result)

    def reject(self, setup: Setup, error: StudioError) -> None:
        """Report that a setup cannot be computed, and return to the one on the screen."""
        self.failed.emit(error)
        if setup is self._setup:
            self.withdraw()

    def withdraw(self) -> None:
        """Give up the wanted setup and return to the one on the screen."""
        if not self.waiting:
            return
        for moments in (self._past, self._future):
            places = [place for place, moment in enumerate(moments) if moment.setup is self._result.setup]
            if places:
                # The last of them is the one that was left; those before differ in remarks alone.
                self._document = moments[places[-1]].document
                self._show_remarks(moments[places[-1]].remarks)
                self.look(stretch=moments[places[-1]].stretch)
                del moments[places[-1] :]
                break
        self._setup, self._returning = self._result.setup, None
        self.setup_changed.emit(self._setup)
        self.history_changed.emit()

    def _take(self, result: Result) -> None:
        before = self._result
        self._result = result
        same_sequence = result.setup.data is before.setup.data and result.setup.item == before.setup.item
        was_last = self._view.cursor >= before.sequence.steps - 1
        last = result.sequence.steps - 1
        grown = len(result.setup.events) > len(before.setup.events)
        # A new sequence is shown whole: an empty window would say nothing. Playing begins at its first step.
        stays = same_sequence and not was_last and not grown
        cursor = min(self._view.cursor, last) if stays else last
        units = {group: unit for group, unit in self._view.units.items() if unit < _units_of(result, group)}
        stretch, mark = (self._view.stretch, self._view.mark) if same_sequence else (None, None)
        if self._returning is not None:
            stretch = self._returning.stretch
            # What moved the cursor is taken back with all that it did.
            if not same_sequence or (not stays and last != before.sequence.steps - 1):
                cursor = min(self._returning.cursor, last)
            self._returning = None
        if stretch is not None and stretch[1] > last + 1:
            stretch = None
        if mark is not None:
            mark = min(mark, last)
        view_before = self._view
        self._view = replace(view_before, cursor=cursor, units=units, stretch=stretch, mark=mark)
        if self._arriving is not None and self._arriving[0].data is result.setup.data:
            self._view = self._arriving[1]
        self._arriving = None
        if self._verdicts is not None and not self._verdicts_fit():
            self._verdicts = None
        # Whoever hears of the result may change the view too, and tells of that itself.
        moved = view_before != self._view
        self.result_replaced.emit(result)
        if moved:
            self.view_changed.emit(self._view, view_before)

    def _verdicts_fit(self) -> bool:
        return (
            self._verdicts is not None
            and self._verdicts.sequences is self._result.sequences
            and self._verdicts.networks == tuple(info.fingerprint for info in self._result.infos)
        )

    def accept_verdicts(self, verdicts: Verdicts) -> None:
        """Show how the networks classify the sequences, unless they are no longer those on the screen."""
        self._verdicts, before = verdicts, self._verdicts
        if self._verdicts_fit():
            self.verdicts_replaced.emit(verdicts)
        else:
            self._verdicts = before

    # Questions.

    def ask(self, question: Question) -> None:
        """Have a question answered; :attr:`answered` brings the answer, ``failed`` what prevents it."""
        self.asked.emit(question)

    def answer(self, question: Question, answer: object) -> None:
        """Hand over an answer, unless the result that the question is about has been replaced."""
        if not question.about_result or getattr(question, "result", self._result) is self._result:
            self.answered.emit(question, answer)

    # The view: never recomputes.

    def look(self, **changes: Any) -> None:
        """Change fields of the view."""
        before = self._view
        after = replace(before, **changes)
        if after != before:
            self._view = after
            self.view_changed.emit(after, before)

    def move_cursor(self, step: int) -> None:
        """Show a step, 0-based, clipped to the sequence."""
        self.look(cursor=max(0, min(step, self.steps - 1)))

    def step(self, by: int) -> None:
        """Go so many steps on, or back; where the phases of each step are shown, so many phases."""
        phases, phase = phases_of(self._result), shown_phase(self._result, self._view)
        if phase is None:
            self.move_cursor(self._view.cursor + by)
            return
        place = self._view.cursor * len(phases) + phases.index(phase) + by
        step, index = divmod(max(0, min(place, self.steps * len(phases) - 1)), len(phases))
        self.look(cursor=step, phase=phases[index])

    def show_phases(self, on: bool) -> None:
        """Take the phases of each step one by one, from the first of the shown step on; or take whole steps."""
        phases = phases_of(self._result)
        if on and not self._view.four_phases and phases:
            self.look(four_phases=True, phase=phases[0])
        else:
            self.look(four_phases=on)

    def select_unit(self, group: str, unit: int) -> None:
        """Select a unit of one layer (``"0:lstm.0"``), clipped to its size."""
        limit = _units_of(self._result, group)
        before = self._view
        self._view = before.with_unit(group, max(0, min(unit, limit - 1)))
        if self._view != before:
            self.view_changed.emit(self._view, before)

    def choose_plot_view(self, key: str, plot_view: str) -> None:
        """Show one row of plots as heat map, lines or band."""
        before = self._view
        self._view = before.with_plot_view(key, plot_view)
        if self._view != before:
            self.view_changed.emit(self._view, before)


def _named(branches: tuple[Branch, ...]) -> str:
    """Begin a sentence about what-ifs that were removed."""
    names = ", ".join(f"“{branch.name}”" for branch in branches)
    return f"Removed the what-if {names}, as it is" if len(branches) == 1 else f"Removed {names}: they are"


def groups_of(result: Result) -> tuple[str, ...]:
    """Return the layers that have a selected unit, ``"0:lstm.0"``: network index and trace prefix."""
    return tuple(f"{index}:{layer.prefix}" for index, trace in enumerate(result.traces) for layer in trace.layers)


def _units_of(result: Result, group: str) -> int:
    """Return the number of units of one layer, 0 where the result has no such layer."""
    index, _, prefix = group.partition(":")
    if not index.isdecimal() or int(index) >= len(result.traces):
        return 0
    return next((layer.units for layer in result.traces[int(index)].layers if layer.prefix == prefix), 0)
