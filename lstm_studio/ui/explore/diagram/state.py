"""From a result and a view to what the diagrams show: one for each network.

No cell and no signal is known by name here: what is drawn is what the kind of the traced layer describes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.cells import cells
from lstm_studio.networks.signals import INPUT, Form, Labels, Phase, Role, Signal
from lstm_studio.networks.wiring import INPUT_NAME, Tap, Wiring
from lstm_studio.session.state import Match, Result, View
from lstm_studio.ui.explore.comparing import recorded_words
from lstm_studio.ui.explore.gradients import direction_mark
from lstm_studio.ui.explore.layers import ShownLayer, network_names, selected_unit, shown_layers
from lstm_studio.ui.plots.rows import StackState, UnitRow, spanning_levels, symmetric_levels
from lstm_studio.ui.widgets.badge import network_badge

_BACKWARD = ".reverse"
_NO_LEVELS = (-1.0, 1.0)


@dataclass(frozen=True, eq=False, slots=True)
class Recorded:
    """The values of one signal.

    Parameters
    ----------
    signal
        What it is.
    values
        (T, U), read-only.
    levels
        Range of the colours: where the stack has a row of these values, the row's.
    names
        U names where the units have them, as the features of an input.
    """

    signal: Signal
    values: NDArray[Any]
    levels: tuple[float, float]
    names: tuple[str, ...] = ()

    @property
    def signed(self) -> bool:
        """Whether the levels are symmetric about zero."""
        return self.levels[0] == -self.levels[1]


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """What a diagram shows of one layer, whatever the step.

    Parameters
    ----------
    shown
        The layer and direction.
    wiring
        How it is drawn; None where its kind does not say.
    name
        Short name of the network, ``"RNN"``.
    title
        In the header, ``"LSTM cell"``.
    badge
        Letter and role of the network.
    relation
        What a companion has in common with the network under the microscope; else empty.
    directions
        How many directions the layer has.
    recorded
        Name of a signal → its values, as far as the trace has them.
    symbols
        Of each step, where one-hot symbols enter this layer.
    can_hold
        Whether a signal of this layer can be held at another value.
    labels
        The vocabulary.
    """

    shown: ShownLayer
    wiring: Wiring | None
    name: str
    title: str
    badge: tuple[str, Role]
    relation: str
    directions: int
    recorded: Mapping[str, Recorded]
    symbols: tuple[str, ...] | None
    can_hold: bool
    labels: Labels

    @property
    def steps(self) -> int:
        """T."""
        return self.shown.trace.steps

    @property
    def units(self) -> int:
        """H."""
        return self.shown.layer.units

    def step_of(self, tap: Tap, step: int) -> int | None:
        """Return the step whose values a tap has at a step, or None before the first one."""
        at = step + tap.lag if self.shown.backward else step - tap.lag
        return at if 0 <= at < self.steps else None

    def has(self, *taps: Tap) -> bool:
        """Return whether all of some values were recorded, and there are any."""
        return bool(taps) and all(tap.signal in self.recorded for tap in taps)

    def column(self, tap: Tap, step: int) -> NDArray[Any]:
        """Return (U,) the values of a tap at a step, of a signal that was recorded: zeros before the first step."""
        values = self.recorded[tap.signal].values
        at = self.step_of(tap, step)
        column = np.zeros(values.shape[1], values.dtype) if at is None else values[at]
        match tap.form:
            case Form.PLAIN:
                return column
            case Form.TANH:
                return np.tanh(column)
            case Form.COMPLEMENT:
                return np.asarray(1 - column)

    def value(self, tap: Tap, step: int, unit: int) -> float | None:
        """Return the value of a unit, or None where it was not recorded or has no such unit."""
        found = self.recorded.get(tap.signal)
        if found is None or not 0 <= unit < found.values.shape[1]:
            return None
        at = self.step_of(tap, step)
        return tap.form.of(0.0 if at is None else float(found.values[at, unit]))

    def symbol(self, tap: Tap) -> str:
        """Return the rich text of a tap's symbol, its step spelt out: ``h`` with the subscript t−1."""
        signal = self.signal(tap)
        if not tap.lag:
            return signal.symbol
        return signal.symbol.replace("<sub>t</sub>", f"<sub>{self.step_words(-tap.lag)}</sub>")

    def step_words(self, ahead: int) -> str:
        """Return a step relative to this one in the order in which the layer reads: ``t−1``, or ``t+1``."""
        later = -ahead if self.shown.backward else ahead
        return f"t{'+' if later > 0 else '−'}{abs(later)}"

    def label(self, tap: Tap) -> str:
        """Return what a tap is in the vocabulary, in lower case: ``"tanh of cell state, one step before"``."""
        words = self.signal(tap).label(self.labels)
        words = words[:1].lower() + words[1:]
        match tap.form:
            case Form.TANH:
                words = f"tanh of {words}"
            case Form.COMPLEMENT:
                words = f"1 − {words}"
            case Form.PLAIN:
                pass
        if tap.lag:
            many = "one step" if tap.lag == 1 else f"{tap.lag} steps"
            words += f", {many} {'later' if self.shown.backward else 'before'}"
        return words

    def signal(self, tap: Tap) -> Signal:
        """Return what a tap is a value of."""
        if tap.signal in self.recorded:
            return self.recorded[tap.signal].signal
        declared = (signal for signal in (INPUT, *self.shown.layer.signals) if signal.name == tap.signal)
        return next(declared, INPUT)


@dataclass(frozen=True, eq=False, slots=True)
class DiagramState:
    """What one diagram shows.

    Parameters
    ----------
    plan
        The same object as long as only step, unit, order and phase change.
    step
        0-based.
    unit
        The selected one.
    order
        The units in sight, from the top; None for all by index.
    phase
        The operation that is live, or None where all are.
    whose
        Where traces are compared, which of them this is; else empty.
    """

    plan: Plan
    step: int
    unit: int
    order: NDArray[np.intp] | None = None
    phase: Phase | None = None
    whose: str = ""


@dataclass(slots=True)
class DiagramResolver:
    """Resolves what the diagrams show, and keeps the plans as they are while only the cursor or a unit moves."""

    _key: tuple[object, ...] = ()
    _result: Result | None = None
    """Whose arrays the plans are of: while it is kept, no other array gets the number of one of them."""
    _plans: tuple[Plan, ...] = field(default=())

    def resolve(self, result: Result, view: View, stack: StackState) -> tuple[DiagramState, ...]:
        """Return a state for each network, in their order.

        Parameters
        ----------
        result, view
            What is shown and how; of two directions the one that the view follows.
        stack
            What the stack shows: ranges of colours and order of units are its.
        """
        # What is compared has other colours in the plots; the diagrams show what was recorded, in its own.
        rows = (row.alone or row for row in stack.rows if isinstance(row, UnitRow))
        levels = {id(row.values): row.levels for row in rows}
        traces = tuple(map(id, result.traces))
        words = (result.infos, result.setup.companion, result.setup.match, view.labels)
        key = (traces, id(result.sequence), words, view.layer, view.backward, levels)
        # A what-if brings another result of the same traces: nothing in the diagrams changes.
        if key != self._key:
            self._key, self._result, self._plans = key, result, _plans(result, view, levels)
        whose = recorded_words(result, view)
        return tuple(
            DiagramState(
                plan,
                min(view.cursor, plan.steps - 1),
                selected_unit(plan.shown, view),
                stack.order.get(plan.shown.group),
                _live_phase(plan, view),
                whose,
            )
            for plan in self._plans
        )


def _live_phase(plan: Plan, view: View) -> Phase | None:
    """Return the view's phase, where the cell has such an operation."""
    if not view.four_phases or plan.wiring is None:
        return None
    return view.phase if any(zone.phase is view.phase for zone in plan.wiring.zones) else None


def _plans(result: Result, view: View, levels: Mapping[int, tuple[float, float]]) -> tuple[Plan, ...]:
    shown = shown_layers(result, view)
    plans = []
    for network in range(len(result.traces)):
        directions = [one for one in shown if one.network == network]
        if not directions:
            continue
        one = next((one for one in directions if one.backward is view.backward), directions[0])
        plans.append(_plan(result, view.labels, one, len(directions), levels))
    return tuple(plans)


def _plan(
    result: Result,
    labels: Labels,
    one: ShownLayer,
    directions: int,
    levels: Mapping[int, tuple[float, float]],
) -> Plan:
    cell = cells().get(one.layer.kind)
    wiring = None if cell is None else _wiring(one.layer.kind, tuple(sorted(one.layer.options.items())))
    in_strips = (
        set()
        if wiring is None
        else {strip.tap.signal for strip in wiring.strips if f"{one.layer.prefix}.{strip.like}" not in one.trace}
    )
    recorded = {
        signal.name: Recorded(
            signal,
            values,
            # Nobody sees the others in colours, and the extent of long traces takes its time.
            levels.get(id(values)) or (_levels(signal, values) if signal.name in in_strips else _NO_LEVELS),
        )
        for signal in one.layer.signals
        if (values := one.trace.arrays.get(f"{one.layer.prefix}.{signal.name}")) is not None
    }
    if wiring is not None:
        # What is made of a memory has the memory's colours.
        for strip in wiring.strips:
            found = recorded.get(strip.tap.signal)
            if found is not None and strip.like in recorded and id(found.values) not in levels:
                recorded[strip.tap.signal] = Recorded(found.signal, found.values, recorded[strip.like].levels)
    entering = _entering(result, one, levels)
    if entering is not None:
        recorded[INPUT_NAME] = entering
    # The two networks of a training are recorded as the layers of one: each is called what it is.
    mixed = len({layer.kind for layer in one.trace.layers}) > 1
    title = one.layer.title if mixed else one.info.title
    if wiring is None or _remembers(wiring):
        title += " cell"
    elif one.depth == 1:
        title += " layer"
    if one.depth > 1:
        title += f" · layer {one.number + 1} of {one.depth}"
    if directions > 1 and one.network:
        title += f" {direction_mark(one)}"
    signals = (signal for layer in ((one.layer,) if mixed else one.trace.layers) for signal in layer.signals)
    return Plan(
        one,
        wiring,
        network_names(result.infos)[one.network],
        title,
        network_badge(any(signal.role is Role.LONG_TERM for signal in signals)),
        _relation(result) if one.network else "",
        directions,
        MappingProxyType(recorded),
        result.sequence.symbols if entering is not None and entering.names else None,
        cell is not None and cell.can_step and directions == 1,
        labels,
    )


@lru_cache(maxsize=64)
def _wiring(kind: str, options: tuple[tuple[str, Any], ...]) -> Wiring | None:
    """Return the wiring of a kind, the same object for the same options."""
    return cells()[kind].wiring(dict(options))


def _remembers(wiring: Wiring) -> bool:
    return any(strip.tap.lag and strip.tap.signal != INPUT_NAME for strip in wiring.strips)


def _levels(signal: Signal, values: NDArray[Any]) -> tuple[float, float]:
    return signal.levels or symmetric_levels(_largest(values))


def _largest(values: NDArray[Any]) -> float:
    finite = np.isfinite(values)
    return float(np.abs(values).max(where=finite, initial=0.0))


def _entering(result: Result, one: ShownLayer, levels: Mapping[int, tuple[float, float]]) -> Recorded | None:
    """Return what enters a layer, or None where that was not recorded.

    That is the input for the first layer of the first module, and the states of the layer below for those above it.
    """
    trace = one.trace
    path, _, number = one.layer.prefix.removesuffix(_BACKWARD).rpartition(".")
    if number != "0":
        stem = f"{path}.{int(number) - 1}"
        below = [layer for layer in trace.layers if layer.prefix.removesuffix(_BACKWARD) == stem]
        state = cells()[one.layer.kind].states[0] if one.layer.kind in cells() else ""
        signal = next((signal for layer in below for signal in layer.signals if signal.name == state), None)
        states = [trace.arrays.get(f"{layer.prefix}.{state}") for layer in below]
        found = [values for values in states if values is not None]
        if signal is None or len(found) < len(below):
            return None
        values = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
        return Recorded(INPUT, values, _levels(signal, values))
    if path != trace.layers[0].prefix.removesuffix(_BACKWARD).rpartition(".")[0]:
        # A further module of the model reads something else than what was recorded as the input.
        return None
    values, sequence = trace["input"], result.sequence
    if sequence.symbols is not None:
        return Recorded(INPUT, values, (0.0, 1.0), sequence.names)
    return Recorded(INPUT, values, levels.get(id(sequence.values)) or _span(values), sequence.names)


def _span(values: NDArray[Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return spanning_levels(float(finite.min()), float(finite.max())) if finite.size else _NO_LEVELS


def _relation(result: Result) -> str:
    setup = result.setup
    if setup.companion is None or setup.companion.checkpoint is not None:
        return "companion"
    return "companion, same seed" if setup.match is Match.UNITS else "companion, as many weights"
