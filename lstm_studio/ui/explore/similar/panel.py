"""Find similar: what to look for, and the stretches that were found."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QHBoxLayout, QPushButton, QWidget

from lstm_studio.sequences.options import in_bytes
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.similar import MOST_BYTES, FindSimilar, Found, Similar
from lstm_studio.session.state import Remarks, Result, UnitOrder, View
from lstm_studio.session.units import unit_order
from lstm_studio.session.wishes import LookingFor, Units, Wish
from lstm_studio.ui.explore.layers import shown_layers
from lstm_studio.ui.explore.similar.query import (
    NOTCHES,
    Query,
    SignalChoice,
    first_choice,
    make_query,
    signal_choices,
)
from lstm_studio.ui.explore.similar.results import FoundList, Listed
from lstm_studio.ui.explore.similar.stretch_field import StretchField
from lstm_studio.ui.explore.similar.unit_list import ListedUnits
from lstm_studio.ui.explore.similar.units_chooser import UnitsChooser
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
_ROOMY = 560
"""Pixels of height from which the list of units is unfolded at first."""
_LATE = 0.3
"""Seconds after which a search is not waited for any more, where something new is to be looked for."""


@dataclass(frozen=True, slots=True)
class _State:
    choices: tuple[SignalChoice, ...]
    query: Query
    item: int
    steps: int
    sequences: int
    everywhere: bool
    order: UnitOrder
    unit: int


_STALE = "The list is that of the last search. Find similar looks anew."


class SimilarPanel(Panel[_State]):
    """Chooses a stretch, a signal, a threshold, units and where to look; lists what was found, and goes there.

    What is looked for is the stretch that is marked. Once something has been found, the list follows every change of
    what is looked for; it stays where one of the listed stretches is gone to, also in another sequence, so that one can
    go from one to the next.
    """

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Find similar", parent)
        self._session = session
        self._known: tuple[tuple[object, ...], tuple[SignalChoice, ...]] = ((), ())
        self._made: tuple[tuple[object, ...], Query | None] = ((), None)
        self._listed = self._wanted = Listed()
        self._about: tuple[object, ...] = ()
        self._searched: tuple[object, ...] = ()
        self._asked: FindSimilar | None = None
        self._asked_at = 0.0
        self._live = self._again = self._seen = False
        self._gone: tuple[int, int] | None = None
        self._going: Found | None = None
        self._stretch = StretchField()
        self._marked = label(kind="caption")
        self._signal = QComboBox()
        self._slider = KeyedSlider("Threshold", 0, NOTCHES)
        self._threshold = QDoubleSpinBox()
        self._margin = Stepper(theme, "margin")
        self._units = UnitsChooser(theme)
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
        self._slider.setToolTip("A unit counts as on where its value is at least this, else as off")
        self._margin.setToolTip("Steps on both sides in which units that are on in the stretch are off, and vice versa")
        self._find.setProperty("kind", "primary")
        self._find.setToolTip("Find the stretches in which most of these units fit (F)")
        for text in (self._summary, self._left_out, self._marked):
            text.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Steps", self._stretch),
            ("", self._marked),
            ("Signal", self._signal),
            ("On from", _side_by_side(self._slider, self._threshold)),
            ("Not so in", _side_by_side(self._margin, label("steps beside it", "secondary"))),
        )
        words = []
        for row, (word, part) in enumerate(rows):
            words.append(label(word, "secondary"))
            words[-1].setBuddy(part)
            grid.addWidget(words[-1], row, 0)
            grid.addWidget(part, row, 1)
        # One edge for all that is chosen.
        self._units.align(max(word.sizeHint().width() for word in words))
        grid.addWidget(self._units, len(rows), 0, 1, 2)
        grid.addWidget(label("Search", "secondary"), len(rows) + 1, 0)
        grid.addWidget(self._scope, len(rows) + 1, 1)
        self.column.addWidget(self._empty)
        self.column.addLayout(grid)
        self.column.addWidget(self._find)
        self.column.addWidget(self._summary)
        self.column.addWidget(self._left_out)
        self.column.addWidget(self._list, 1)
        self.column.addStretch(0)
        self._show_listed()

    def _connect(self) -> None:
        self._stretch.first_chosen.connect(self._choose_first)
        self._stretch.last_chosen.connect(self._choose_last)
        self._signal.activated.connect(self._choose_signal)
        self._slider.valueChanged.connect(self._slide)
        self._threshold.valueChanged.connect(self._choose_threshold)
        self._margin.chosen.connect(self._choose_margin)
        self._units.wish_chosen.connect(self._choose_units)
        self._units.unit_chosen.connect(self._choose_unit)
        self._units.returned.connect(self.search)
        self._units.judged.connect(self.refresh)
        self._scope.chosen.connect(self._choose_scope)
        self._find.clicked.connect(self.search)
        self._list.gone_to.connect(self._go_to)
        self._session.result_replaced.connect(self._on_result)
        self._session.view_changed.connect(self._on_view)
        self._session.remarks_changed.connect(self._on_remarks)
        self._session.answered.connect(self._on_answered)

    @property
    def found_list(self) -> FoundList:
        """The list of what was found."""
        return self._list

    @property
    def units(self) -> UnitsChooser:
        """Which units are looked for."""
        return self._units

    @property
    def stretch_field(self) -> StretchField:
        """The ends of the stretch."""
        return self._stretch

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._margin.apply_theme(theme)
        self._empty.apply_theme(theme)
        self._units.apply_theme(theme)
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
        self._live = False
        return self._search()

    def refresh(self) -> None:
        """Draw what the session holds now."""
        super().refresh()
        if self._state is not None:
            # Also where only what is typed has become a list of units, or is none any more.
            self._find.setEnabled(self._state.query.pattern is not None and not self._units.wrong)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while nobody saw it."""
        super().showEvent(event)
        if not self._seen:
            self._seen = True
            self._units.fold.open(self.height() >= _ROOMY)
        self.refresh()

    # Searching.

    def _search(self) -> bool:
        state = self._state
        if state is None or self._units.wrong:
            return False
        query = state.query
        choice, stretch, pattern = query.choice, query.stretch, query.pattern
        if choice is None or stretch is None or pattern is None:
            return False
        self._asked = FindSimilar(
            self._session.result,
            choice.network,
            choice.name,
            query.threshold,
            pattern,
            marked=stretch[0],
            everywhere=state.everywhere and state.sequences > 1,
        )
        self._asked_at, self._again = time.monotonic(), False
        # Until the answer comes, and if it never does, the list is that of the last one.
        self._wanted = Listed((), query.on, query.off, choice.levels, (state.item, stretch[0]))
        self._session.ask(self._asked)
        return True

    def _search_on(self) -> None:
        """Have the list follow what is looked for, where an answer needs nothing that has not been traced."""
        state = self._state
        if not self._searched or state is None or self._session.view.mark is not None:
            return
        if self._stale(state):
            self._summary.setText(_STALE)
            self._summary.setVisible(bool(self._listed.found))
            return
        if self._asked is not None and time.monotonic() - self._asked_at < _LATE:
            # Asked again now, it would be left unanswered for as long as the mouse moves.
            self._again = True
            return
        self._live = True
        self._search_or_clear()

    def _search_or_clear(self) -> None:
        if not self._search() and self._listed.found:
            self._listed = Listed()
            self._show_listed()

    def _stale(self, state: _State) -> bool:
        """Return whether what is looked for has to be traced first, so that the list is that of an earlier search."""
        return bool(self._searched) and _reach(self._session.result, state) not in {self._searched, ("here",)}

    # What the user does.

    def _choose_first(self, start: int, stop: int) -> None:
        self._session.mark("Move the first marked step", (start, stop), merge=True)

    def _choose_last(self, start: int, stop: int) -> None:
        self._session.mark("Move the last marked step", (start, stop), merge=True)

    def _choose_signal(self, index: int) -> None:
        if self._state is not None:
            self._look_for("Choose the signal to search", signal=self._state.choices[index].key)

    def _choose_scope(self, scope: str) -> None:
        self._look_for("Choose where to search", everywhere=scope == _EVERYWHERE)

    def _look_for(self, what: str, **changes: Any) -> None:
        """Change what is searched; where the list follows, also at the cost of tracing it, which can be cancelled."""
        self._session.remark(what, similar=replace(self._looking, **changes))
        if self._state is not None and self._stale(self._state):
            self._live = False
            self._search_or_clear()

    @property
    def _looking(self) -> LookingFor:
        return self._session.remarks.similar

    def _change(self, what: str, **changes: Any) -> None:
        if self._state is not None and self._state.query.choice is not None:
            self._wish(what, replace(self._state.query.wish, **changes))

    def _wish(self, what: str, wish: Wish) -> None:
        state = self._state
        if state is not None and state.query.choice is not None:
            self._session.remark_on(what, similar=self._looking.with_wish(state.query.choice.key, wish))

    def _slide(self, notch: int) -> None:
        if self._state is not None and self._state.query.choice is not None:
            self._choose_threshold(self._state.query.choice.at(notch / NOTCHES))

    def _choose_threshold(self, threshold: float) -> None:
        self._change("Choose the threshold", threshold=threshold)

    def _choose_margin(self, margin: int) -> None:
        self._change("Choose the steps beside the stretch", margin=margin)

    def _choose_units(self, wish: Wish) -> None:
        self._wish("Choose units to look for", wish)

    def _choose_unit(self, unit: int) -> None:
        if self._state is not None and self._state.query.choice is not None:
            self._session.select_unit(self._state.query.choice.group, unit)

    def _go_to(self, row: int) -> None:
        found = self._listed.found[row]
        session = self._session
        if found.item == session.setup.item:
            self._show(found)
            return
        self._going = found
        session.change(f"Show sequence {found.item + 1}", item=found.item)

    def _show(self, found: Found) -> None:
        session, self._gone = self._session, (found.start, found.stop)
        stretch = (found.start, found.stop)
        if self._going is None:
            session.mark("Go to a similar stretch", stretch, merge=True, cursor=found.stop - 1)
        self._going = None
        # Of another sequence, the change that showed it is the one to undo.
        session.look(cursor=found.stop - 1, stretch=stretch, mark=None)

    # What the session tells.

    def _on_result(self, result: Result) -> None:
        # Unseen it asks for none of the new one, and the old one with all its traces would stay alive.
        self._known, self._asked = ((), ()), None
        self._made = ((), None)
        self._units.list.show_units(None, 0)
        if self._about and self._about != _about(result):
            self._listed, self._about, self._searched = Listed(), (), ()
            self._show_listed()
        if self._going is not None:
            found = self._going
            if result.setup.item == found.item and found.stop <= result.sequence.steps:
                self._show(found)
            self._going = None
        self._follow()

    def _on_view(self, after: View, before: View) -> None:
        watched = ("layer", "labels", "order", "units")
        if after.marked != before.marked or any(getattr(after, name) != getattr(before, name) for name in watched):
            self._follow()
        ended = before.mark is not None and after.mark is None
        if (after.marked != before.marked or ended) and after.marked != self._gone and self.isVisible():
            self._gone = None
            self._search_on()

    def _on_remarks(self, _: Remarks) -> None:
        before = self._state
        self._follow()
        after = self._state
        if after is None or before is None or not self.isVisible():
            return
        if (after.query, after.everywhere) != (before.query, before.everywhere):
            self._search_on()

    def _on_answered(self, question: Question, answer: object) -> None:
        if question is not self._asked or not isinstance(answer, Similar):
            return
        self._listed = replace(self._wanted, found=answer.found)
        self._about = _about(self._asked.result)
        self._searched = ("here",) if not self._asked.everywhere else _everywhere(self._asked)
        self._asked = None
        self._show_listed(answer)
        if answer.found and not self._live:
            self.reveal(self._list)
        if self._again:
            self._again = False
            self._search_on()

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
        result, view, looking = self._session.result, self._session.view, self._looking
        choices = self._choices()
        choice = next((one for one in choices if one.key == looking.signal), first_choice(choices))
        wish = Wish() if choice is None else looking.wishes.get(choice.key, Wish())
        query = self._query(choice, wish)
        unit = 0 if choice is None else view.units.get(choice.group, 0)
        return _State(
            choices,
            query,
            result.setup.item,
            result.sequence.steps,
            len(result.sequences),
            looking.everywhere,
            view.order,
            unit,
        )

    def _query(self, choice: SignalChoice | None, wish: Wish) -> Query:
        """Return what would be looked for; made once, as it takes its time where a stretch is long."""
        result, marked = self._session.result, self._session.view.marked
        about = (result, choice, wish, marked)
        known, query = self._made
        if query is None or known != about:
            query = make_query(result, choice, wish, marked)
            self._made = (about, query)
        return query

    def _apply(self, state: _State, before: _State | None) -> None:
        query = state.query
        if before is None or state.choices != before.choices:
            self._signal.clear()
            for choice in state.choices:
                self._signal.addItem(choice.title, choice.key)
        if query.choice is not None:
            self._signal.setCurrentIndex(state.choices.index(query.choice))
            self._show_threshold(query.choice, query.threshold)
        self._stretch.show_stretch(query.stretch, state.steps)
        self._marked.setText(_marked_words(state))
        self._margin.show_value(query.wish.margin, 0, _MOST_MARGIN)
        self._units.show_query(query, self._listed_units(state), state.unit)
        self._scope.show_choice(_EVERYWHERE if state.everywhere and state.sequences > 1 else _HERE)
        self._scope.button(_EVERYWHERE).setText(
            f"all {format_count(state.sequences)}" if state.sequences > 1 else "all"
        )
        self._scope.button(_EVERYWHERE).setEnabled(state.sequences > 1)
        nothing = query.stretch is None
        self._empty.setText(query.problem if nothing else "")
        self._empty.setVisible(nothing)
        for part in (self._scope, self._margin, self._slider, self._threshold):
            part.setEnabled(query.choice is not None)

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

    def _listed_units(self, state: _State) -> ListedUnits | None:
        query = state.query
        if query.choice is None or query.stretch is None:
            return None
        values = self._session.result.traces[query.choice.network][query.choice.name]
        return ListedUnits(query, values[slice(*query.stretch)], self._order(query.choice, state.order))

    def _order(self, choice: SignalChoice, order: UnitOrder) -> Units:
        """Return all units of a signal in the order of the plots."""
        shown = shown_layers(self._session.result, self._session.view)
        one = next(layer for layer in shown if layer.group == choice.group)
        return tuple(unit_order(one.trace, one.layer, order).tolist())

    def _show_listed(self, answer: Similar | None = None) -> None:
        listed = self._listed
        self._list.show_listed(listed)
        self._list.setVisible(bool(listed.found))
        self._summary.setVisible(answer is not None)
        self._left_out.setVisible(answer is not None and answer.searched < answer.of)
        if answer is None:
            return
        where = f"{format_count(answer.searched)} sequences" if answer.of > 1 else "this sequence"
        place = f"in {format_count(answer.steps)} steps of {where}"
        if listed.found:
            self._summary.setText(f"The best {len(listed.found)} {place}")
        else:
            others = answer.of == 1 < len(self._session.result.sequences)
            cure = "choose fewer units, or search all sequences" if others else "or choose fewer units"
            self._summary.setText(f"Nothing like it {place}. Mark fewer steps, {cure}.")
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


def _reach(result: Result, state: _State) -> tuple[object, ...]:
    """Return what of a search has to be traced first: nothing for the shown sequence."""
    choice = state.query.choice
    if choice is None or not state.everywhere or state.sequences < 2:
        return ("here",)
    return result.infos[choice.network].fingerprint, choice.name


def _everywhere(asked: FindSimilar) -> tuple[object, ...]:
    return asked.result.infos[asked.network].fingerprint, asked.signal


def _marked_words(state: _State) -> str:
    if state.query.stretch is None:
        return "nothing marked yet"
    start, stop = state.query.stretch
    steps = f"{format_count(stop - start)} step{'' if stop - start == 1 else 's'}"
    return f"{steps} of sequence {format_count(state.item + 1)}" if state.sequences > 1 else steps
