"""What is stepped through: the sequences, the one that is shown, its variables, how it was read, and new events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from lstm_studio.networks.signals import INPUT, Labels, Role
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.sequences.sequence import Scaling, Sequence, SequenceSet
from lstm_studio.session.emphasis import emphasised_symbols
from lstm_studio.session.session import Session
from lstm_studio.session.state import Event, Result, Setup, Verdicts, View
from lstm_studio.ui.explore.column_roles import ColumnRoles
from lstm_studio.ui.explore.feature_table import FeatureTable
from lstm_studio.ui.explore.new_event import NewEvent
from lstm_studio.ui.explore.readout import class_of
from lstm_studio.ui.explore.sequence_table import SequenceTable
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme
from lstm_studio.ui.widgets.badge import network_badge
from lstm_studio.ui.widgets.debounce import Debounce
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.number_field import inset
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.stepper import Stepper
from lstm_studio.ui.widgets.symbols import SymbolChips
from lstm_studio.ui.widgets.text import ElidedLabel, label

SHORTEST_PIECE = 10
LONGEST_PIECE = 100_000
_SCALINGS = {Scaling.NONE: "none", Scaling.STANDARD: "standard", Scaling.MIN_MAX: "min–max"}
_SCALING_TIPS = {
    Scaling.NONE: "The networks receive the raw values",
    Scaling.STANDARD: "Subtract the mean, divide by the standard deviation, over the whole set",
    Scaling.MIN_MAX: "The smallest value of the set becomes 0, the largest 1",
}
_ONE_HOT_NEEDS_NONE = "A one-hot code is 0 or 1 already: there is nothing to scale."


@dataclass(frozen=True, slots=True)
class _State:
    setup: Setup
    result: Result
    verdicts: Verdicts | None
    labels: Labels
    cursor: int


class SequencePanel(Panel[_State]):
    """The list of sequences, and below it the one that is shown."""

    reopen_requested = Signal(str, ReadOptions)
    """Read a file (its path) again with other options."""
    comparison_requested = Signal(int)
    """Index of a sequence that is wanted beside the shown one."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Sequence", parent)
        self._session = session
        self._title = ElidedLabel(kind="title")
        self._source = ElidedLabel(kind="caption", mode=Qt.TextElideMode.ElideMiddle)
        self._chooser, self._count = Stepper(theme, "sequence", "Sequence "), label(kind="secondary")
        self._table = SequenceTable(theme)
        self._variables = label("Variables", "title")
        self._chips, self._features = SymbolChips(theme, ""), FeatureTable()
        self._facts = QGridLayout()
        self._fact_labels: list[tuple[QLabel, ElidedLabel]] = []
        self._scaling, self._piece = QComboBox(), QSpinBox()
        self._pieces_word, self._pieces = label("Pieces of", "secondary"), QWidget()
        self._piece_settled = Debounce(self)
        self._roles = ColumnRoles()
        self._columns = Fold(theme, "Columns", self._roles)
        self._new = NewEvent(theme)
        self._lay_out()
        self._connect()
        self.apply_theme(theme)
        self.refresh()

    def _lay_out(self) -> None:
        head = QGridLayout()
        head.setVerticalSpacing(1)
        head.addWidget(self._title, 0, 0)
        head.addWidget(self._source, 1, 0)
        choosing = QHBoxLayout()
        choosing.setSpacing(GRID)
        choosing.addWidget(self._chooser, 1)
        choosing.addWidget(self._count)
        self._scaling.setAccessibleName("Scaling")
        for scaling, words in _SCALINGS.items():
            self._scaling.addItem(words, scaling)
            self._scaling.setItemData(self._scaling.count() - 1, _SCALING_TIPS[scaling], Qt.ItemDataRole.ToolTipRole)
        self._piece.setRange(SHORTEST_PIECE, LONGEST_PIECE)
        self._piece.setGroupSeparatorShown(True)
        inset(self._piece)
        self._piece.setSingleStep(100)
        self._piece.setAccessibleName("Piece length in steps")
        self._piece.setToolTip("Longer sequences are cut into pieces of this many steps")
        self._facts.setHorizontalSpacing(GRID)
        self._facts.setVerticalSpacing(3)
        self._facts.setColumnStretch(1, 1)
        named = label("Scaling", "secondary")
        named.setBuddy(self._scaling)
        self._facts.addWidget(named, 0, 0)
        self._facts.addWidget(self._scaling, 0, 1)
        piece = QHBoxLayout(self._pieces)
        piece.setContentsMargins(0, 0, 0, 0)
        piece.setSpacing(GRID)
        piece.addWidget(self._piece)
        piece.addWidget(label("steps", "secondary"), 1)
        self._facts.addWidget(self._pieces_word, 1, 0)
        self._facts.addWidget(self._pieces, 1, 1)
        self.column.addLayout(head)
        self.column.addLayout(choosing)
        self.column.addWidget(self._table, 1)
        self.column.addWidget(self._variables)
        self.column.addWidget(self._chips)
        self.column.addWidget(self._features)
        self.column.addWidget(self._new)
        self.column.addSpacing(HALF_GRID)
        self.column.addLayout(self._facts)
        self.column.addWidget(self._columns)
        self.column.addStretch(0)

    def _connect(self) -> None:
        self._chooser.chosen.connect(self._choose_number)
        self._table.chosen.connect(self._choose_item)
        self._table.comparison_requested.connect(self.comparison_requested)
        self._chips.chosen.connect(self._add_symbol)
        self._new.added.connect(self._add_event)
        self._new.removed.connect(self._remove_event)
        self._scaling.activated.connect(self._choose_scaling)
        self._piece.valueChanged.connect(self._piece_settled.trigger)
        self._piece.editingFinished.connect(self._piece_settled.flush)
        self._piece_settled.settled.connect(self._choose_piece)
        self._roles.requested.connect(self._reopen)
        self._columns.unfolded.connect(self.reveal)
        self._session.setup_changed.connect(self._on_setup)
        self._session.result_replaced.connect(self._on_result)
        self._session.verdicts_replaced.connect(self._on_verdicts)
        self._session.view_changed.connect(self._on_view)

    @property
    def table(self) -> SequenceTable:
        """The list of sequences."""
        return self._table

    @property
    def chips(self) -> SymbolChips:
        """The symbols."""
        return self._chips

    @property
    def new_event(self) -> NewEvent:
        """Where events are typed and drawn."""
        return self._new

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        for part in (self._chooser, self._table, self._chips, self._columns, self._new):
            part.apply_theme(theme)

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return the facts that are shown."""
        return tuple((name.text(), value.text()) for name, value in self._fact_labels if not name.isHidden())

    # From the session to what is shown.

    def _on_setup(self, setup: Setup) -> None:  # noqa: ARG002 - the session holds it
        self.refresh()

    def _on_result(self, result: Result) -> None:  # noqa: ARG002 - the session holds it
        self.refresh()

    def _on_verdicts(self, verdicts: Verdicts) -> None:  # noqa: ARG002 - the session holds them
        self.refresh()

    def _on_view(self, after: View, before: View) -> None:
        if (after.cursor, after.labels) != (before.cursor, before.labels):
            self.refresh()

    def _resolve(self) -> _State:
        session = self._session
        return _State(session.setup, session.result, session.verdicts, session.view.labels, session.view.cursor)

    def _apply(self, state: _State, before: _State | None) -> None:
        sequences = state.result.sequences
        if before is None or sequences is not before.result.sequences:
            self._title.setText(sequences.title)
            self._source.setText(sequences.source)
            self._count.setText(f"of {format_count(len(sequences))}")
            self._roles.show_columns(sequences.columns)
            self._columns.setVisible(bool(sequences.columns))
            several = len(sequences) > 1
            for widget in (self._chooser, self._count, self._table):
                widget.setVisible(several)
        self._apply_table(state, before)
        self._apply_choices(state)
        if before is None or state.result is not before.result or state.labels != before.labels:
            self._new.show_result(state.result, state.labels)
        if before is None or not _is_same_sequence(state, before):
            self._apply_variables(state)
            self._apply_facts(facts_of(sequences, sequences[state.result.setup.item]))
        elif state.cursor != before.cursor:
            self._apply_cursor(state)

    def _apply_table(self, state: _State, before: _State | None) -> None:
        sequences, badges, item = state.result.sequences, _badges(state.result), state.result.setup.item
        if (
            before is None
            or sequences is not before.result.sequences
            or state.verdicts is not before.verdicts
            or badges != _badges(before.result)
        ):
            self._table.show_sequences(sequences, state.verdicts, badges, item)
        elif item != before.result.setup.item:
            self._table.show_item(item)

    def _apply_choices(self, state: _State) -> None:
        self._chooser.show_value(state.setup.item + 1, 1, len(state.result.sequences))
        one_hot = state.result.sequence.symbols is not None
        scaling = list(_SCALINGS).index(state.setup.scaling)
        self._scaling.setCurrentIndex(scaling)
        self._scaling.setEnabled(not one_hot)
        self._scaling.setToolTip(_ONE_HOT_NEEDS_NONE if one_hot else _SCALING_TIPS[state.setup.scaling])
        cut = state.setup.piece_length is not None
        self._pieces_word.setVisible(cut)
        self._pieces.setVisible(cut)
        if state.setup.piece_length is not None and not self._piece_settled.waiting:
            self._piece.blockSignals(True)
            self._piece.setValue(state.setup.piece_length)
            self._piece.blockSignals(False)

    def _apply_variables(self, state: _State) -> None:
        sequence, sequences = state.result.sequence, state.result.sequences
        one_hot = sequence.symbols is not None
        self._chips.setVisible(one_hot)
        self._features.setVisible(not one_hot)
        if one_hot:
            word = INPUT.label(state.labels).lower()
            emphasis = frozenset(emphasised_symbols(sequences))
            self._chips.show_symbols(sequences.names, emphasis, f"Add {{}} as a new {word} at the end")
        else:
            self._features.show_sequence(sequence, sequences.scaling is not Scaling.NONE, self._step(state))
        self._apply_cursor(state)

    def _apply_cursor(self, state: _State) -> None:
        sequence, step = state.result.sequence, self._step(state)
        if sequence.symbols is not None:
            self._chips.show_current(sequence.names.index(sequence.symbols[step]))
        else:
            self._features.show_step(step)

    @staticmethod
    def _step(state: _State) -> int:
        return min(state.cursor, state.result.sequence.steps - 1)

    def _apply_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        while len(self._fact_labels) < len(facts):
            pair = (label(kind="secondary"), ElidedLabel())
            row = 2 + len(self._fact_labels)
            for column, widget in enumerate(pair):
                self._facts.addWidget(widget, row, column)
            self._fact_labels.append(pair)
        shown = chain(facts, repeat(("", "")))
        for (name, value), (fact, words) in zip(self._fact_labels, shown, strict=False):
            name.setText(fact)
            value.setText(words)
            name.setVisible(bool(fact))
            value.setVisible(bool(fact))

    # From the user to the session.

    def _choose_number(self, number: int) -> None:
        self._choose_item(number - 1)

    def _choose_item(self, item: int) -> None:
        self._session.change("Choose a sequence", item=item)

    def _choose_scaling(self, index: int) -> None:
        self._session.change("Change the scaling", scaling=Scaling(self._scaling.itemData(index)))

    def _choose_piece(self) -> None:
        self._session.change("Change the piece length", piece_length=self._piece.value(), item=0)

    def _add_symbol(self, index: int) -> None:
        self._add_event(self._new.one_hot(index))

    def _add_event(self, event: Event) -> None:
        self._session.add_event(event)

    def _remove_event(self) -> None:
        self._session.remove_event()

    def _reopen(self, options: ReadOptions) -> None:
        self.reopen_requested.emit(self._session.setup.data.source, options)


def _is_same_sequence(state: _State, before: _State) -> bool:
    """Return whether nothing is new about the sequence that is shown, as where only a what-if was added."""
    now, then = state.result, before.result
    return (
        now.sequence is then.sequence
        and now.sequences is then.sequences
        and now.setup.item == then.setup.item
        and state.labels == before.labels
    )


def facts_of(sequences: SequenceSet, sequence: Sequence) -> tuple[tuple[str, str], ...]:
    """Return what is said about a sequence: encoding, target, then how the file was read.

    What the title line or the chooser says already is left out.
    """
    if sequence.symbols is not None:
        encoding = f"one-hot, {format_count(sequence.features)}"
    else:
        encoding = f"{format_count(sequence.features)} number{'' if sequence.features == 1 else 's'}"
    own = [("Encoding", encoding), ("Target", _target_words(sequences, sequence))]
    taken = {name.lower() for name, _ in own} | {"scaling", "sequences"}
    said = [
        (name[:1].upper() + name[1:], value)
        for name, value in sequences.facts
        if name.lower() not in taken and f"{name} {value}" not in sequences.source
    ]
    return (*own, *said)


def _target_words(sequences: SequenceSet, sequence: Sequence) -> str:
    index = class_of(sequence)
    if index is not None:
        name = sequences.classes[index] if index < len(sequences.classes) else str(index)
        return f"{name}, class at step {format_count(sequence.steps)}"
    if sequence.target is None:
        return "none"
    what = "class" if sequences.classes else "value"
    return f"{what} at every step" if sequence.target.ndim == 2 else f"{what} at the last step"


def _badges(result: Result) -> tuple[tuple[str, Role], ...]:
    return tuple(
        network_badge(any(signal.role is Role.LONG_TERM for layer in trace.layers for signal in layer.signals))
        for trace in result.traces
    )
