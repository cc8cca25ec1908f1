"""Find similar: what to look for, and the stretches that were found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from lstm_studio.sequences.options import in_bytes
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.similar import MOST_BYTES, FindSimilar, Found, Similar
from lstm_studio.session.state import Result, View
from lstm_studio.session.units import units_text
from lstm_studio.ui.explore.similar.query import (
    NOTCHES,
    Query,
    SignalChoice,
    Wish,
    first_choice,
    make_query,
    signal_choices,
    steps_words,
    stretch_words,
)
from lstm_studio.ui.explore.similar.results import FoundList, Listed
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, Theme
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.keyed_slider import KeyedSlider
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.segments import Segments
from lstm_studio.ui.widgets.stepper import Stepper
from lstm_studio.ui.widgets.text import label

_MOST_MARGIN = 64
_HERE, _EVERYWHERE = "here", "everywhere"


@dataclass(frozen=True, slots=True)
class _State:
    choices: tuple[SignalChoice, ...]
    query: Query
    typed: str
    item: int
    sequences: int
    everywhere: bool


class SimilarPanel(Panel[_State]):
    """Chooses a signal, a threshold, units and where to look; lists what was found, and goes there.

    What is looked for is the stretch that is marked. What was found stays listed while other sequences of the same set
    are shown, so that one can go from one stretch to the next.
    """

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Find similar", parent)
        self._session = session
        self._key = ""
        self._wishes: dict[str, Wish] = {}
        self._typed_for: tuple[object, ...] = ()
        self._everywhere = False
        self._known: tuple[tuple[object, ...], tuple[SignalChoice, ...]] = ((), ())
        self._listed = self._wanted = Listed()
        self._about: tuple[object, ...] = ()
        self._asked: FindSimilar | None = None
        self._going: Found | None = None
        self._signal = QComboBox()
        self._marked = label(kind="value")
        self._slider = KeyedSlider("Threshold", 0, NOTCHES)
        self._threshold = QDoubleSpinBox()
        self._units, self._count = QLineEdit(), label(kind="caption")
        self._margin = Stepper(theme, "margin")
        self._scope = Segments("Search in", {_HERE: "this sequence", _EVERYWHERE: "all"})
        self._find = QPushButton("Find similar")
        self._empty = EmptyState(theme, "")
        self._summary, self._left_out = label(kind="caption"), label(kind="secondary")
        self._list = FoundList(theme)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self._signal.setAccessibleName("Signal")
        self._signal.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._threshold.setAccessibleName("A unit is on from this value")
        self._threshold.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._threshold.setKeyboardTracking(False)
        self._slider.setToolTip("A unit counts as on where its value is at least this")
        self._units.setAccessibleName("Units to look for")
        self._units.setToolTip("Empty: all units that are on throughout the stretch, and off in the margin")
        self._margin.setToolTip("Steps before and after the stretch in which its units are off")
        self._find.setProperty("kind", "primary")
        self._find.setToolTip("Find the stretches in which most of these units fit (F)")
        for words in (self._count, self._summary, self._left_out, self._marked):
            words.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Marked", self._marked),
            ("Signal", self._signal),
            ("On from", _side_by_side(self._slider, self._threshold)),
            ("Off in", _side_by_side(self._margin, label("steps beside it", "secondary"))),
            ("Units", self._units),
            ("", self._count),
            ("Search", self._scope),
        )
        for row, (word, part) in enumerate(rows):
            grid.addWidget(label(word, "secondary"), row, 0)
            grid.addWidget(part, row, 1)
        self.column.addWidget(self._empty)
        self.column.addLayout(grid)
        self.column.addWidget(self._find)
        self.column.addWidget(self._summary)
        self.column.addWidget(self._left_out)
        self.column.addWidget(self._list, 1)
        self.column.addStretch(0)
        self._show_listed()

    def _connect(self) -> None:
        self._signal.activated.connect(self._choose_signal)
        self._slider.valueChanged.connect(self._slide)
        self._threshold.valueChanged.connect(self._choose_threshold)
        self._margin.chosen.connect(self._choose_margin)
        self._units.textEdited.connect(self._type_units)
        self._units.returnPressed.connect(self.search)
        self._scope.chosen.connect(self._choose_scope)
        self._find.clicked.connect(self.search)
        self._list.gone_to.connect(self._go_to)
        self._session.result_replaced.connect(self._on_result)
        self._session.view_changed.connect(self._on_view)
        self._session.answered.connect(self._on_answered)

    @property
    def found_list(self) -> FoundList:
        """The list of what was found."""
        return self._list

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._margin.apply_theme(theme)
        self._empty.apply_theme(theme)
        self._list.apply_theme(theme)

    def start(self) -> None:
        """Take the keyboard, and look for what is marked, if anything is."""
        if self.search():
            self._list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            self._signal.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def search(self) -> bool:
        """Look for what is marked; return whether anything can be looked for."""
        self.refresh()
        state = self._state
        if state is None or state.query.pattern is None or state.query.choice is None:
            return False
        choice, query = state.query.choice, state.query
        assert query.pattern is not None  # noqa: S101 - seen above
        assert query.stretch is not None  # noqa: S101 - a pattern has one
        self._asked = FindSimilar(
            self._session.result,
            choice.network,
            choice.name,
            query.threshold,
            query.pattern,
            marked=query.stretch[0],
            everywhere=state.everywhere and state.sequences > 1,
        )
        # Until the answer comes, and if it never does, the list is that of the last one.
        self._wanted = Listed((), len(query.units), choice.levels, (state.item, query.stretch[0]))
        self._session.ask(self._asked)
        return True

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Catch up with what happened while nobody saw it."""
        super().showEvent(event)
        self.refresh()

    # What the user does.

    def _choose_signal(self, index: int) -> None:
        if self._state is not None:
            self._key = self._state.choices[index].key
            self.refresh()

    def _wish(self, choice: SignalChoice) -> Wish:
        return self._wishes.get(choice.key, Wish(choice.threshold))

    def _change(self, **changes: Any) -> None:
        if self._state is not None and self._state.query.choice is not None:
            choice = self._state.query.choice
            self._wishes[choice.key] = replace(self._wish(choice), **changes)
            self.refresh()

    def _slide(self, notch: int) -> None:
        if self._state is not None and self._state.query.choice is not None:
            self._change(threshold=self._state.query.choice.at(notch / NOTCHES))

    def _choose_threshold(self, threshold: float) -> None:
        self._change(threshold=threshold)

    def _choose_margin(self, margin: int) -> None:
        self._change(margin=margin)

    def _type_units(self, text: str) -> None:
        self._change(typed=text)

    def _choose_scope(self, scope: str) -> None:
        self._everywhere = scope == _EVERYWHERE
        self.refresh()

    def _go_to(self, row: int) -> None:
        found = self._listed.found[row]
        session = self._session
        if found.item == session.setup.item:
            self._show(found)
            return
        self._going = found
        session.change(f"Show sequence {found.item + 1}", item=found.item)

    def _show(self, found: Found) -> None:
        self._going = None
        self._session.look(cursor=found.stop - 1, stretch=(found.start, found.stop), mark=None)

    # What the session tells.

    def _on_result(self, result: Result) -> None:
        # Unseen it asks for none of the new one, and the old one with all its traces would stay alive.
        self._known = ((), ())
        if self._about and self._about != _about(result):
            self._listed, self._about = Listed(), ()
            self._show_listed()
        if self._going is not None:
            found, self._going = self._going, None
            if result.setup.item == found.item and found.stop <= result.sequence.steps:
                self._show(found)
        self._follow()

    def _on_view(self, after: View, before: View) -> None:
        if after.marked != before.marked or (after.layer, after.labels) != (before.layer, before.labels):
            self._follow()

    def _on_answered(self, question: Question, answer: object) -> None:
        if question is not self._asked or not isinstance(answer, Similar):
            return
        self._listed = replace(self._wanted, found=answer.found)
        self._about = _about(self._asked.result)
        self._asked = None
        self._show_listed(answer)
        if answer.found:
            self.reveal(self._list)

    # What is shown.

    def _follow(self) -> None:
        """Draw what the session holds now, if anybody sees it: counting units of a long stretch takes its time."""
        if self.isVisible():
            self.refresh()

    def _choices(self) -> tuple[SignalChoice, ...]:
        result, view = self._session.result, self._session.view
        about = (result, view.layer, view.labels)
        if self._known[0] != about:
            self._known = (about, signal_choices(result, view))
        return self._known[1]

    def _resolve(self) -> _State:
        result, view = self._session.result, self._session.view
        choices = self._choices()
        choice = next((one for one in choices if one.key == self._key), first_choice(choices))
        wish = Wish(0.0) if choice is None else self._wish(choice)
        # A list of units was meant for the stretch at which it was typed.
        typed_for = (view.marked, result.setup.item, self._key)
        if choice is not None and wish.typed and typed_for != self._typed_for and self._typed_for:
            wish = self._wishes[choice.key] = replace(wish, typed="")
        self._typed_for = typed_for
        query = make_query(result, choice, wish, view.marked)
        return _State(choices, query, wish.typed, result.setup.item, len(result.sequences), self._everywhere)

    def _apply(self, state: _State, before: _State | None) -> None:
        query = state.query
        if before is None or state.choices != before.choices:
            self._signal.clear()
            for choice in state.choices:
                self._signal.addItem(choice.title, choice.key)
        if query.choice is not None:
            self._signal.setCurrentIndex(state.choices.index(query.choice))
            self._show_threshold(query.choice, query.threshold)
        self._marked.setText(_marked_words(state))
        self._margin.show_value(query.margin, 0, _MOST_MARGIN)
        if state.typed != self._units.text():
            self._units.setText(state.typed)
        self._units.setPlaceholderText(units_text(query.automatic) or "none")
        self._count.setText(_count_words(state))
        self._scope.show_choice(_EVERYWHERE if state.everywhere and state.sequences > 1 else _HERE)
        self._scope.button(_EVERYWHERE).setText(
            f"all {format_count(state.sequences)}" if state.sequences > 1 else "all"
        )
        self._scope.button(_EVERYWHERE).setEnabled(state.sequences > 1)
        nothing = query.stretch is None
        self._empty.setText(query.problem if nothing else "")
        self._empty.setVisible(nothing)
        for part in (self._find, self._scope, self._units, self._margin, self._slider, self._threshold):
            part.setEnabled(query.choice is not None)
        self._find.setEnabled(not query.problem)

    def _show_threshold(self, choice: SignalChoice, threshold: float) -> None:
        low, high = choice.levels
        for part in (self._slider, self._threshold):
            part.blockSignals(True)
        self._threshold.setDecimals(choice.decimals)
        self._threshold.setRange(low, high)
        self._threshold.setSingleStep((high - low) / 20)
        self._threshold.setValue(threshold)
        self._slider.setValue(round((threshold - low) / (high - low) * NOTCHES))
        for part in (self._slider, self._threshold):
            part.blockSignals(False)

    def _show_listed(self, answer: Similar | None = None) -> None:
        listed = self._listed
        self._list.show_listed(listed)
        self._list.setVisible(bool(listed.found))
        self._summary.setVisible(answer is not None)
        self._left_out.setVisible(answer is not None and answer.searched < answer.of)
        if answer is None:
            return
        where = f"{format_count(answer.searched)} sequences" if answer.of > 1 else "this sequence"
        best = f"The best {len(listed.found)}" if listed.found else "Nothing like it"
        self._summary.setText(f"{best} in {format_count(answer.steps)} steps of {where}")
        self._left_out.setText(
            f"Only the first of {format_count(answer.of)} sequences were searched: "
            f"one signal of all would take more than {in_bytes(MOST_BYTES)} of memory."
        )


def _side_by_side(first: QWidget, second: QWidget) -> QWidget:
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    row.addWidget(first, 1)
    row.addWidget(second)
    return made


def _about(result: Result) -> tuple[object, ...]:
    """Return what the list of found stretches is about: it stays while other sequences of a set are shown."""
    setup = result.setup
    networks = tuple(info.fingerprint for info in result.infos)
    return setup.data, setup.scaling, setup.piece_length, networks


def _marked_words(state: _State) -> str:
    if state.query.stretch is None:
        return "nothing yet"
    start, stop = state.query.stretch
    sequence = f" of sequence {format_count(state.item + 1)}" if state.sequences > 1 else ""
    return f"Step{'' if stop - start == 1 else 's'} {stretch_words(start, stop)}{sequence}"


def _count_words(state: _State) -> str:
    query = state.query
    if query.choice is None or query.stretch is None:
        return ""
    if query.problem:
        return query.problem
    number = f"{format_count(len(query.units))} of {format_count(query.choice.units)} units"
    if query.units != query.automatic:
        return f"{number}, as typed"
    beside = f", and off {steps_words(query.margin)} before and after" if query.margin else ""
    return f"{number}: on throughout{beside}"
