"""A step of one unit in plain words, in either vocabulary: as a whole, or one of its operations.

The words follow from what the cell declares its signals to be made of; no cell is known by name.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from lstm_studio.networks.cells import cells
from lstm_studio.networks.signals import INPUT, Composition, Form, Labels, Operand, Phase, Signal
from lstm_studio.networks.wiring import INPUT_NAME
from lstm_studio.session.phases import shown_phase
from lstm_studio.session.state import Result, View
from lstm_studio.ui.explore.layers import ShownLayer, inspected_layer, selected_unit
from lstm_studio.ui.explore.operations import explained, read, value_of
from lstm_studio.ui.numbers import format_number


def share_in_words(share: float) -> str:
    """Return how much of something a gate lets pass, ``"97 %"``; "all" and "nothing" only where that is exact.

    Parameters
    ----------
    share
        0…1.
    """
    if share <= 0:
        return "nothing"
    if share >= 1:
        return "all"
    if share < 0.01:
        return "almost nothing"
    if share > 0.99:
        return "nearly all"
    percent = f"{100 * share:.0f}"
    return "half" if percent == "50" else f"{percent} %"


def change_in_words(amount: float) -> str:
    """Return what an operation does to a memory, ``"adds 0.58"``; of less than a printed hundredth no number."""
    if amount == 0:
        return "admits nothing"
    if abs(amount) < 0.005:
        return "admits almost nothing"
    return f"adds {format_number(amount)}" if amount > 0 else f"subtracts {format_number(-amount)}"


def move_in_words(before: float, now: float) -> str:
    """Return how a memory moves, as far as the printed numbers show: ``"rises from 6.79 to 7.31"``."""
    first, second = format_number(before), format_number(now)
    if first == second:
        return f"stays at {second}"
    return f"{'rises' if now > before else 'falls'} from {first} to {second}"


def step_sentence(shown: ShownLayer, step: int, unit: int, labels: Labels) -> str:
    """Return a whole step in words; nothing of a cell that declares neither operations nor how it is wired.

    Parameters
    ----------
    shown
        The layer and direction.
    step, unit
        0-based.
    labels
        The vocabulary.
    """
    words = _Words(shown, step, unit, labels)
    if words.memory is None or Phase.LEARN not in words.made:
        return _made_anew(shown, step, unit, labels)
    if not words.finite:
        return _NOT_FINITE.format(unit=unit)
    memory, adds = words.name(words.memory.name), change_in_words(words.result(Phase.LEARN))
    if shown.before(step) is None:
        begin = f"This is the first step: unit {unit} has no {memory} yet and {adds}."
    else:
        begin = f"Unit {unit} keeps {words.kept()} of its {memory} and {adds}."
    if Phase.USE not in words.made:
        return f"{begin} Its {memory} is now {format_number(words.result(Phase.REMEMBER))}."
    signal, made = words.made[Phase.USE]
    return (
        f"{begin} It exposes {share_in_words(words.value(made.left))} of {words.exposed()}, so its "
        f"{words.name(signal.name)} is now {format_number(words.result(Phase.USE))}."
    )


def _made_anew(shown: ShownLayer, step: int, unit: int, labels: Labels) -> str:
    """Return a step of a cell that keeps nothing as it was: where its state goes, and what that is made from."""
    reads = _reads(shown.layer.kind, tuple(sorted(shown.layer.options.items())))
    signal = next((signal for signal in shown.layer.signals if reads is not None and signal.name == reads[0]), None)
    if reads is None or signal is None or f"{shown.layer.prefix}.{signal.name}" not in shown.trace:
        return ""
    _, itself, earlier_inputs = reads
    at, now = shown.before(step), read(shown, signal.name, step, unit)
    before = now if at is None else read(shown, signal.name, at, unit)
    if not (math.isfinite(now) and math.isfinite(before)):
        return _NOT_FINITE.format(unit=unit)
    name, entering = signal.label(labels).lower(), INPUT.label(labels).lower()
    moves = f"is {format_number(now)}" if at is None else move_in_words(before, now)
    whose = f"nit {unit}’s {name} {moves}."
    begin = f"This is the first step: u{whose}" if at is None else f"U{whose}"
    if not itself:
        alone = f"the {entering}s in its window" if earlier_inputs else f"this {entering}"
        return f"{begin} It is made from {alone} alone: of what came before, nothing is left."
    if at is None:
        return f"{begin} It is made from the {entering} alone, as nothing came before."
    return f"{begin} It is made anew from the {entering} and from the {name} of all units: nothing is kept as it was."


@lru_cache(maxsize=64)
def _reads(kind: str, options: tuple[tuple[str, Any], ...]) -> tuple[str, bool, bool] | None:
    """Return a kind's state, whether it is made from itself, and whether from earlier inputs; None where unknown."""
    cell = cells().get(kind)
    wiring = None if cell is None else cell.wiring(dict(options))
    if cell is None or wiring is None:
        return None
    late = {strip.tap.signal for strip in wiring.strips if strip.tap.lag}
    return cell.states[0], bool(late - {INPUT_NAME}), INPUT_NAME in late


def phase_sentence(shown: ShownLayer, phase: Phase, step: int, unit: int, labels: Labels) -> str:
    """Return one operation of a step in words; parameters as for :func:`step_sentence`."""
    words = _Words(shown, step, unit, labels)
    if phase not in words.made:
        return f"It mixes all units, so there is nothing to say of unit {unit} alone." if words.made else ""
    if not words.finite:
        return _NOT_FINITE.format(unit=unit)
    signal, made = words.made[phase]
    result = words.result(phase)
    gate, share = words.name(made.left.signal), share_in_words(words.value(made.left))
    match phase:
        case Phase.FORGET:
            memory, before = words.name(made.right.signal), format_number(words.value(made.right))
            if shown.before(step) is None:
                return f"This is the first step: unit {unit} has no {memory} yet, so there is nothing to keep."
            return f"The {gate} keeps {share} of unit {unit}’s {memory}: {format_number(result)} of {before}."
        case Phase.LEARN:
            offered = f"The {words.name(made.right.signal)} is {format_number(words.value(made.right))}"
            admits = "leaves room for" if made.left.form is Form.COMPLEMENT else "admits"
            return f"{offered}; the {gate} {admits} {share} of it: unit {unit} {change_in_words(result)}."
        case Phase.REMEMBER:
            at, memory = shown.before(step), words.name(signal.name)
            now = f"begins at {format_number(result)}"
            if at is not None:
                now = move_in_words(read(shown, signal.name, at, unit), result)
            return f"What is kept and what is added make the new {memory}: it {now}."
        case Phase.USE:
            exposed = words.exposed()
            return (
                f"The {gate} exposes {share} of {exposed}: unit {unit}’s {words.name(signal.name)} is "
                f"{format_number(result)}."
            )


def shown_sentence(result: Result, view: View) -> str:
    """Return the step under the cursor in words, or the phase of it that is shown; nothing where no layer is."""
    shown = inspected_layer(result, view)
    if shown is None:
        return ""
    step, unit = min(view.cursor, result.sequence.steps - 1), selected_unit(shown, view)
    phase = shown_phase(result, view)
    if phase is None:
        return step_sentence(shown, step, unit, view.labels)
    return phase_sentence(shown, phase, step, unit, view.labels)


_NOT_FINITE = "Unit {unit} holds numbers that are not finite: nothing can be said in words."


class _Words:
    """What the sentences are made of, for one unit at one step."""

    def __init__(self, shown: ShownLayer, step: int, unit: int, labels: Labels) -> None:
        self._shown, self._step, self._unit = shown, step, unit
        self._signals = {signal.name: signal for signal in shown.layer.signals}
        self._labels = labels
        self.made: dict[Phase, tuple[Signal, Composition]] = {
            made.phase: (signal, made) for signal, made in explained(shown)
        }

    @property
    def memory(self) -> Signal | None:
        """What is kept from step to step."""
        return self.made[Phase.REMEMBER][0] if Phase.REMEMBER in self.made else None

    @property
    def finite(self) -> bool:
        """Whether all numbers are."""
        return all(
            math.isfinite(number)
            for phase, (_, made) in self.made.items()
            for number in (self.value(made.left), self.value(made.right), self.result(phase))
        )

    def name(self, signal: str) -> str:
        """Return the label of a signal inside a sentence."""
        return self._signals[signal].label(self._labels).lower()

    def value(self, operand: Operand) -> float:
        """Return what enters an operation."""
        return value_of(operand, self._shown, self._step, self._unit)

    def result(self, phase: Phase) -> float:
        """Return what comes out of one, as traced."""
        return read(self._shown, self.made[phase][0].name, self._step, self._unit)

    def kept(self) -> str:
        """Return how much of the memory is kept: all where nothing forgets."""
        return share_in_words(self.value(self.made[Phase.FORGET][1].left)) if Phase.FORGET in self.made else "all"

    def exposed(self) -> str:
        """Return what the output reads, ``"tanh <i>c</i>"``; with its name where the letter would stand alone."""
        operand = self.made[Phase.USE][1].right
        letter = f"<i>{self._signals[operand.signal].badge}</i>"
        return f"the {self.name(operand.signal)} {letter}" if operand.form is Form.PLAIN else f"{operand.form} {letter}"
