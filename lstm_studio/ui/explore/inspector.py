"""At step t: this step's numbers for the selected unit, with the equations filled in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from lstm_studio.networks.signals import INPUT, Labels, Phase, Role
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.session.phases import shown_phase
from lstm_studio.session.session import Session
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.session.units import sight_of
from lstm_studio.ui.explore.comparing import recorded_words
from lstm_studio.ui.explore.gate_terms import GateTerms, gate_terms
from lstm_studio.ui.explore.gradients import MemoryGradient, memory_gradients, objective_words
from lstm_studio.ui.explore.known_weights import KnownWeights
from lstm_studio.ui.explore.layers import (
    ShownLayer,
    inspected_layer,
    network_names,
    selected_unit,
    shown_layers,
)
from lstm_studio.ui.explore.meters import Measure, MeterRow, Meters
from lstm_studio.ui.explore.objective_menu import ObjectiveMenu
from lstm_studio.ui.explore.operation_card import CardContent, OperationCard
from lstm_studio.ui.explore.operations import Operation, Reading, operations_at, readings_at
from lstm_studio.ui.explore.readout import Readout, ReadoutRow, readout_at
from lstm_studio.ui.explore.sentences import shown_sentence
from lstm_studio.ui.numbers import format_count, format_number, format_scientific
from lstm_studio.ui.theme import GRID, HALF_GRID, Theme, scaled
from lstm_studio.ui.widgets.badge import network_badge
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.fold import Fold
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.widgets.stepper import Stepper
from lstm_studio.ui.widgets.symbols import SymbolBox, written
from lstm_studio.ui.widgets.text import ElidedLabel, Room, label
from lstm_studio.ui.widgets.themed import Themed

_IGNORE_FACTOR = "The Ignore factor is what is multiplied in, not what is left out."
_NOTHING = "Open a network with recurrent layers to see what each step does to its units."
_NO_READOUT = "These networks have no read-out: nothing maps their last state to an answer."
_VALUES_SHOWN = 6
_ROOMY = 560
"""Pixels of height at 100 % from which the gradients are unfolded at first."""
HURRIED = 300
"""Milliseconds from step to step below which nobody reads the terms of a gate."""
_MANY_STEPS = 1_000
"""Steps from which the header needs the room of its plain words."""


@dataclass(frozen=True, slots=True)
class _Norm:
    """A gradient norm at the step, and its place between the smallest and the largest of all steps and networks."""

    name: str
    role: Role
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class _State:
    labels: Labels
    step: int
    steps: int
    symbol: str | None
    values: str
    group: str
    unit: int
    units: int
    sight: tuple[int, ...]
    layer: str
    operations: tuple[Operation, ...]
    readings: tuple[Reading, ...]
    live: Phase | None
    terms: tuple[tuple[str, tuple[GateTerms, ...]], ...]
    sentence: str
    objective: str
    norms: tuple[_Norm, ...]
    ratio: tuple[str, float] | None
    readout: Readout | None
    networks: tuple[str, ...]
    network_roles: tuple[Role, ...]


class Inspector(Panel[_State]):
    """The numbers of one step: event, operations, gradient norms and read-out."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("At step", parent)
        self._session, self._theme = session, theme
        self._ranges: tuple[object, tuple[float, float]] = (None, (0.0, 0.0))
        self._sight_about: tuple[object, ...] = ()
        self._in_sight: tuple[int, ...] = ()
        self._weights = KnownWeights(session, self)
        self._since_step, self._calm = QElapsedTimer(), QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(2 * HURRIED)
        self._number, self._of = label(kind="step-number"), label(kind="secondary")
        self._symbol, self._input = SymbolBox(theme), label(kind="secondary")
        self._values = ElidedLabel(kind="secondary")
        self._values_room = Room(self._values)
        self._unit_word, self._unit = label("unit", "secondary"), Stepper(theme, "unit")
        self._unit.field.setFixedWidth(48)
        self._layer = label(kind="caption")
        self._operations = OperationCard(theme)
        self._quote, self._sentence = QFrame(), label()
        self._objective = label(kind="caption")
        self._objectives = ObjectiveMenu(session, theme, self._selected_unit)
        self._norms, self._ratio = Meters(theme), Meters(theme)
        self._gradients_fold = Fold(theme, "Gradient norm at this step", _column(self._norms, self._ratio))
        self._roomy: bool | None = None
        self._readout_title, self._target = label(kind="title"), label(kind="title")
        self._readouts: dict[int, Meters] = {}
        self._readout_place = QVBoxLayout()
        self._readout_note = label(kind="caption")
        self._empty = EmptyState(theme, _NOTHING)
        self._lay_out()
        self._unit.chosen.connect(self._choose_unit)
        self._operations.unfolded_changed.connect(self.refresh)
        self._weights.changed.connect(self.refresh)
        self._calm.timeout.connect(self.refresh)
        self._gradients_fold.unfolded.connect(self.reveal)
        session.result_replaced.connect(self._on_result)
        session.view_changed.connect(self._on_view)
        session.remarks_changed.connect(self._on_remarks)
        self.refresh()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(HALF_GRID + 2)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for widget in (Room(self._number), self._of, self._symbol, self._input):
            head.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        head.addWidget(self._unit_word)
        head.addWidget(self._unit)
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.RichText)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._quote.setProperty("kind", "quote")
        quote = QVBoxLayout(self._quote)
        quote.setContentsMargins(GRID + 2, HALF_GRID + 2, GRID + 2, HALF_GRID + 2)
        quote.addWidget(self._sentence)
        self._readout_note.setWordWrap(True)
        self._objective.setTextFormat(Qt.TextFormat.RichText)
        self.column.addWidget(self._empty)
        self.column.addLayout(head)
        self.column.addWidget(self._values_room)
        self.column.addWidget(self._layer)
        self.column.addWidget(self._operations)
        self.column.addWidget(self._quote)
        self._gradients_fold.put_beside(self._objective)
        self._gradients_fold.put_beside(self._objectives)
        self.column.addWidget(self._gradients_fold)
        self.column.addSpacing(HALF_GRID)
        self.column.addLayout(_pair(self._readout_title, self._target))
        self.column.addLayout(self._readout_place)
        self.column.addWidget(self._readout_note)
        self.column.addStretch(1)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        parts: tuple[Themed, ...] = (self._symbol, self._unit, self._operations, self._norms, self._ratio, self._empty)
        for part in (*parts, self._gradients_fold, self._objectives, *self._readouts.values()):
            part.apply_theme(theme)
        if self._state is not None:
            self._apply(self._state, None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the gradients where the panel gets low, so that the read-out is seen; unfold them where it is high."""
        super().resizeEvent(event)
        roomy = self.height() >= scaled(_ROOMY)
        if roomy is not self._roomy:
            self._roomy = roomy
            self._gradients_fold.open(roomy)

    def _on_result(self, result: Result) -> None:  # noqa: ARG002 - the session holds it
        self.refresh()
        # Kept are read-outs that the steps of one result take turns with; those of other networks would pile up.
        for columns in [count for count, meters in self._readouts.items() if meters.isHidden()]:
            meters = self._readouts.pop(columns)
            self._readout_place.removeWidget(meters)
            meters.deleteLater()

    def _on_view(self, after: View, before: View) -> None:
        if (after.cursor, after.phase) != (before.cursor, before.phase):
            self._note_step()
        seen = ("cursor", "units", "layer", "backward", "labels", "four_phases", "phase", "order", "unit_filter")
        if after.comparison != before.comparison or any(getattr(after, name) != getattr(before, name) for name in seen):
            self.refresh()

    def _on_remarks(self, remarks: Remarks) -> None:  # noqa: ARG002 - the session holds them
        self.refresh()

    def _sight(self, shown: ShownLayer) -> tuple[int, ...]:
        """Return the units in sight, through which the arrows beside the unit's number go."""
        session = self._session
        view, pinned = session.view, session.remarks.pinned
        about = (session.result, view.order, view.unit_filter, pinned, shown.group)
        if about != self._sight_about:
            sight = sight_of(session.result, view, session.remarks, shown.group)
            self._sight_about, self._in_sight = about, () if sight is None else tuple(sight.tolist())
        return self._in_sight

    def _note_step(self) -> None:
        """While steps come faster than anybody reads, terms stay folded: they would push all below up and down."""
        if self._since_step.isValid() and self._since_step.elapsed() < HURRIED:
            self._calm.start()
        self._since_step.start()

    def _selected_unit(self) -> int:
        return 0 if self._state is None else self._state.unit

    def _choose_unit(self, unit: int) -> None:
        if self._state is not None:
            self._session.select_unit(self._state.group, unit)

    # From the session to what is shown.

    def _resolve(self) -> _State:
        result, view = self._session.result, self._session.view
        step = min(view.cursor, result.sequence.steps - 1)
        shown = inspected_layer(result, view)
        sequence = result.sequence
        names = network_names(result.infos)
        gradients = self._gradients(result, view, shown)
        unit = 0 if shown is None else selected_unit(shown, view)
        operations = () if shown is None else operations_at(shown, step, unit, view.labels)
        readings = () if shown is None else readings_at(shown, step, unit, view.labels)
        live = shown_phase(result, view)
        return _State(
            labels=view.labels,
            step=step,
            steps=sequence.steps,
            symbol=None if sequence.symbols is None else sequence.symbols[step],
            values="" if sequence.symbols is not None else _values_at(result, step),
            group="" if shown is None else shown.group,
            unit=unit,
            units=0 if shown is None else shown.layer.units,
            sight=() if shown is None else self._sight(shown),
            layer="" if shown is None else _layer_words(shown, result, view),
            operations=operations,
            readings=readings,
            live=live,
            terms=() if shown is None else self._terms_at(shown, (*operations, *readings), live, step, unit),
            sentence=shown_sentence(result, view),
            objective=objective_words(result) if gradients else "",
            norms=self._norms_at(result, gradients, step),
            ratio=_ratio(gradients, step),
            readout=readout_at(result, step),
            networks=names,
            network_roles=tuple(_network_role(result, index) for index in range(len(names))),
        )

    def _terms_at(
        self, shown: ShownLayer, lines: tuple[Operation | Reading, ...], live: Phase | None, step: int, unit: int
    ) -> tuple[tuple[str, tuple[GateTerms, ...]], ...]:
        """Return the gates of the live operation, or of the lines that the user has unfolded, taken apart."""
        wanted = [
            line
            for line in lines
            if line.gates
            and (
                line.signal in self._operations.unfolded
                if live is None
                else isinstance(line, Operation) and line.number == live and not self._calm.isActive()
            )
        ]
        if not wanted:
            return ()
        sums = self._weights.of_unit(shown, unit)
        sequence, labels = self._session.result.sequence, self._session.view.labels
        return tuple(
            (line.signal, gate_terms(shown, line.gates, sums, sequence=sequence, step=step, unit=unit, labels=labels))
            for line in wanted
        )

    @staticmethod
    def _gradients(result: Result, view: View, shown: ShownLayer | None) -> tuple[MemoryGradient, ...]:
        if shown is None:
            return ()
        every = shown_layers(result, view)
        # Of two directions the inspected one, and of the companion the same.
        same = tuple(one for one in every if one.backward is shown.backward)
        rest = tuple(one for one in every if one.network not in {other.network for other in same})
        return memory_gradients(result, (*same, *rest))

    def _norms_at(self, result: Result, gradients: tuple[MemoryGradient, ...], step: int) -> tuple[_Norm, ...]:
        known = (result, *(id(gradient.values) for gradient in gradients))
        if self._ranges[0] != known:
            self._ranges = (known, _decades(gradients))
        low, high = self._ranges[1]
        found = []
        for gradient in gradients:
            value = float(gradient.values[step])
            share = 0.0
            if value > 0:
                share = 1.0 if math.isinf(value) else (math.log10(value) - low) / (high - low)
            found.append(_Norm(f"{gradient.name} ∂<i>L</i>/∂<i>{gradient.letter}</i>", gradient.role, value, share))
        return tuple(found)

    # From what is shown to the widgets.

    def _apply(self, state: _State, before: _State | None) -> None:
        self._apply_head(state)
        inspected = state.units > 0
        self._empty.setVisible(not inspected)
        self._operations.setVisible(inspected)
        hint = _IGNORE_FACTOR if state.labels is Labels.CLASSROOM else ""
        content = CardContent(state.operations, state.readings, hint, state.live, dict(state.terms))
        if content != self._operations.content:
            self._operations.show_step(content)
        self._sentence.setText(state.sentence)
        self._quote.setVisible(bool(state.sentence))
        if before is None or (state.norms, state.ratio, state.objective) != (
            before.norms,
            before.ratio,
            before.objective,
        ):
            self._apply_gradients(state)
        if before is None or (state.readout, state.step, state.networks, state.network_roles) != (
            before.readout,
            before.step,
            before.networks,
            before.network_roles,
        ):
            self._apply_readout(state)

    def _apply_head(self, state: _State) -> None:
        self._number.setText(format_count(state.step + 1))
        # The first steps take the room of the last: what stands beside would move with every new digit.
        widest = self._number.fontMetrics().horizontalAdvance(format_count(state.steps))
        if widest != self._number.minimumWidth():
            self._number.setMinimumWidth(widest)
        self._number.setAccessibleName(f"Step {format_count(state.step + 1)}")
        self._of.setText(f"of {format_count(state.steps)}")
        self._symbol.setVisible(state.symbol is not None)
        if state.symbol is not None:
            self._symbol.show_symbol(state.symbol)
        roomy = state.steps < _MANY_STEPS
        self._input.setText(INPUT.label(state.labels).lower())
        self._input.setVisible(state.symbol is not None and roomy)
        self._values.setText(state.values)
        self._values_room.setVisible(state.symbol is None)
        self._unit_word.setVisible(state.units > 0 and roomy)
        self._unit.setVisible(state.units > 0)
        self._unit.show_value(state.unit, 0, max(0, state.units - 1), state.sight)
        self._layer.setText(state.layer)
        self._layer.setVisible(bool(state.layer))

    def _apply_gradients(self, state: _State) -> None:
        rows = tuple(
            MeterRow(norm.name, (Measure(format_norm(norm.value), norm.share, norm.role),), swatch=True)
            for norm in state.norms
        )
        self._norms.show_rows(rows, "8.8e−888")
        self._objective.setText(state.objective)
        self._gradients_fold.setVisible(bool(rows))
        self._ratio.setVisible(state.ratio is not None)
        ratios = () if state.ratio is None else (state.ratio,)
        rows = tuple(MeterRow(words, (Measure(_times(value), None, Role.GRADIENT),)) for words, value in ratios)
        self._ratio.show_rows(rows, "8.8e−888")

    def _apply_readout(self, state: _State) -> None:
        readout = state.readout
        truths = readout is not None and any(row.truth is not None for row in readout.rows)
        columns = len(state.networks) + truths
        self._target.setVisible(readout is not None)
        self._readout_note.setVisible(readout is None or readout.left_out > 0)
        for count, meters in self._readouts.items():
            meters.setVisible(readout is not None and count == columns)
        if readout is None:
            self._readout_title.setText("Read-out")
            self._readout_note.setText(_NO_READOUT)
            return
        self._readout_title.setText(f"Read-out at step {format_count(state.step + 1)}")
        self._target.setText(f"target {readout.target}" if readout.target else "")
        self._readout_note.setText(f"{format_count(readout.left_out)} less likely ones are not shown.")
        if columns not in self._readouts:
            self._readouts[columns] = Meters(self._theme, columns)
            self._readout_place.addWidget(self._readouts[columns])
            # At once: what is hidden after a result is dropped.
            self._readouts[columns].show()
        rows = tuple(_readout_row(row, state, readout.probabilities, truths) for row in readout.rows)
        heads = [Measure(name, None, role) for name, role in zip(state.networks, state.network_roles, strict=True)]
        if truths:
            heads.append(Measure("true", None, Role.INPUT))
        widest = max("8.88" if readout.probabilities else "−88.88", *state.networks, key=len)
        self._readouts[columns].show_rows((MeterRow("", tuple(heads), heading=True), *rows), widest)


def _column(*widgets: QWidget) -> QWidget:
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID)
    for widget in widgets:
        column.addWidget(widget)
    return content


def _pair(left: QWidget, *right: QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.addWidget(left)
    line.addStretch(1)
    for widget in right:
        line.addWidget(widget)
    return line


def _readout_row(row: ReadoutRow, state: _State, probabilities: bool, truths: bool) -> MeterRow:
    measures = []
    for number, role in zip(row.numbers, state.network_roles, strict=True):
        if number is None:
            measures.append(Measure("–", 0.0 if probabilities else None, role))
        elif probabilities:
            measures.append(Measure(f"{number:.2f}", number, role))
        else:
            measures.append(Measure(format_number(number), None, role))
    if truths:
        measures.append(Measure("–" if row.truth is None else format_number(row.truth), None, Role.INPUT))
    return MeterRow(written(row.name), tuple(measures), marked=row.target)


def _values_at(result: Result, step: int) -> str:
    """Return what enters the networks at a step; where that is scaled it is said, for few numbers with the raw one."""
    sequence = result.sequence
    values, names = sequence.values[step], sequence.names
    shown = zip(names[:_VALUES_SHOWN], values[:_VALUES_SHOWN], strict=True)
    words = "  ".join(f"{name}: {format_number(float(value))}" for name, value in shown)
    if len(values) > _VALUES_SHOWN:
        words += " …"
    if sequence.raw is None or sequence.raw is sequence.values or result.sequences.scaling is Scaling.NONE:
        return words
    if len(values) > 1:
        return f"Scaled  {words}"
    return f"{words} scaled, {format_number(float(sequence.raw[step, 0]))} raw"


def _layer_words(shown: ShownLayer, result: Result, view: View) -> str:
    """Say which trace, layer and direction the numbers belong to, where there is a choice."""
    whose = recorded_words(result, view)
    words = [whose] if whose else []
    if shown.depth > 1:
        words.append(f"layer {shown.number + 1} of {shown.depth}")
    if sum(one.network == shown.network for one in shown_layers(result, view)) > 1:
        words.append("reading backward" if shown.backward else "reading forward")
    text = ", ".join(words)
    return f"{text[:1].upper()}{text[1:]}"


def _network_role(result: Result, network: int) -> Role:
    signals = (signal for layer in result.traces[network].layers for signal in layer.signals)
    return network_badge(any(signal.role is Role.LONG_TERM for signal in signals))[1]


def _decades(gradients: tuple[MemoryGradient, ...]) -> tuple[float, float]:
    """Return the exponents of ten between which all finite norms lie, with a decade to spare below."""
    low, high = math.inf, -math.inf
    for gradient in gradients:
        known = gradient.values[np.isfinite(gradient.values) & (gradient.values > 0)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    if high < 0:
        return -1.0, 0.0
    return math.floor(math.log10(low)) - 1.0, math.ceil(math.log10(high)) + 0.0


def _ratio(gradients: tuple[MemoryGradient, ...], step: int) -> tuple[str, float] | None:
    """Return the first network's first norm over the companion's first, in words and as a number."""
    first = next((gradient for gradient in gradients if gradient.network == 0), None)
    second = next((gradient for gradient in gradients if gradient.network == 1), None)
    if first is None or second is None:
        return None
    above, below = float(first.values[step]), float(second.values[step])
    undefined = math.nan if above == 0 else math.inf
    value = above / below if below else undefined
    words = f"{first.name} ∂<i>{first.letter}</i> / {second.name} ∂<i>{second.letter}</i>"
    return words, value


def _times(ratio: float) -> str:
    if math.isnan(ratio):
        return "undefined"
    return f"× {format_norm(ratio)}"


def format_norm(value: float) -> str:
    """Write a magnitude: with two decimals near one, else with an exponent."""
    return format_number(value) if 0.1 <= value < 1000 else format_scientific(value)
