"""What happens to one unit at one step: the operations of a cell with memory, with this step's numbers.

A cell is explained operation by operation as far as it declares what its signals are made of; what it declares beside
them is listed as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from lstm_studio.networks.signals import Composition, Form, Labels, Operand, Role, Signal
from lstm_studio.ui.explore.layers import ShownLayer

_GATE = (0.0, 1.0)
BEFORE = ".preactivation"
"""Ends the name of a signal before its squashing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one unit at one step.

    Parameters
    ----------
    number
        The phase of the step, 1 to 4.
    title
        Its name in the vocabulary, ``"Forget"``.
    role
        Decides its colour.
    equation
        Rich text, ``"k_t = f_t × c_t−1"``.
    words
        The same in words, for tool tips and screen readers.
    left, right, result
        The numbers; ``result`` is the traced one, not recomputed.
    sign
        ``"×"`` or ``"+"``.
    signal
        Canonical name of what is made.
    gates
        The gates and candidates of which it is made and whose weighted sums can be taken apart, each at the first
        operation that uses it.
    """

    number: int
    title: str
    role: Role
    equation: str
    words: str
    left: float
    sign: str
    right: float
    result: float
    signal: str = ""
    gates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal of one unit at one step, where no operation explains it; ``gates`` as for an operation."""

    title: str
    symbol: str
    role: Role
    badge: str
    value: float
    signal: str = ""
    gates: tuple[str, ...] = ()


def operations_at(shown: ShownLayer, step: int, unit: int, labels: Labels) -> tuple[Operation, ...]:
    """Return the operations that the layer's signals allow to explain, in their order.

    Parameters
    ----------
    shown
        The layer and direction.
    step, unit
        0-based.
    labels
        The vocabulary.
    """
    signals = {signal.name: signal for signal in shown.layer.signals}
    found, used = [], set[str]()
    for signal, made in explained(shown):
        names = [operand.signal for operand in (made.left, made.right) if not operand.before]
        gates = tuple(name for name in names if name not in used and _is_squashed(shown, name))
        used.update(gates)
        left, right = made.left, made.right
        found.append(
            Operation(
                made.phase,
                made.phase.label(labels),
                made.phase.role,
                f"{signal.symbol} = {_symbol(left, shown, signals)} {made.sign} {_symbol(right, shown, signals)}",
                f"{signal.label(labels)} = {_words(left, shown, signals, labels)} {made.sign} "
                f"{_words(right, shown, signals, labels)}",
                value_of(left, shown, step, unit),
                made.sign,
                value_of(right, shown, step, unit),
                read(shown, signal.name, step, unit),
                signal.name,
                gates,
            )
        )
    return tuple(found)


def readings_at(shown: ShownLayer, step: int, unit: int, labels: Labels) -> tuple[Reading, ...]:
    """Return the signals of a layer that no operation explains; parameters as for :func:`operations_at`."""
    said: set[str] = set()
    for signal, made in explained(shown):
        said |= {signal.name, made.left.signal, made.right.signal}
    # What is before the squashing is of no interest where the operation shows what comes out of it.
    return tuple(
        Reading(
            signal.label(labels),
            signal.symbol,
            signal.role,
            signal.badge,
            read(shown, signal.name, step, unit),
            signal.name,
            (signal.name,) if _is_squashed(shown, signal.name) else (),
        )
        for signal in shown.layer.signals
        if signal.name not in said
        and signal.name.removesuffix(BEFORE) not in said
        and column_of(shown, signal.name, unit) is not None
    )


def _is_squashed(shown: ShownLayer, name: str) -> bool:
    """Return whether a signal is a squashed sum that was recorded before its squashing too."""
    return f"{shown.layer.prefix}.{name}{BEFORE}" in shown.trace


def explained(shown: ShownLayer) -> tuple[tuple[Signal, Composition], ...]:
    """Return the signals whose parts were all recorded, one value for each unit (a projected state is none)."""
    found = [
        (signal, signal.composition)
        for signal in shown.layer.signals
        if signal.composition is not None
        and all(
            column_of(shown, name, 0) is not None
            for name in (signal.name, signal.composition.left.signal, signal.composition.right.signal)
        )
    ]
    return tuple(sorted(found, key=lambda pair: pair[1].phase))


def column_of(shown: ShownLayer, name: str, unit: int) -> int | None:
    """Return where a signal's value for a unit is recorded, or None where there is none for each unit.

    Where the units of a block share a gate, it has a column for each block; a projected state has none for a unit.
    """
    full = f"{shown.layer.prefix}.{name}"
    if full not in shown.trace:
        return None
    columns, units = shown.trace[full].shape[1], shown.layer.units
    if columns == units:
        return unit
    levels = next((signal.levels for signal in shown.layer.signals if signal.name == name), None)
    return unit * columns // units if levels == _GATE and units % columns == 0 else None


def read(shown: ShownLayer, name: str, step: int, unit: int) -> float:
    """Return the value of a signal that :func:`column_of` finds."""
    column = column_of(shown, name, unit)
    if column is None:
        raise KeyError(f"{name} has no value for unit {unit}")
    return float(shown.trace[f"{shown.layer.prefix}.{name}"][step, column])


def value_of(operand: Operand, shown: ShownLayer, step: int, unit: int) -> float:
    """Return what enters an operation: zero for the step before the first."""
    at: int | None = shown.before(step) if operand.before else step
    return operand.form.of(0.0 if at is None else read(shown, operand.signal, at, unit))


def _symbol(operand: Operand, shown: ShownLayer, signals: dict[str, Signal]) -> str:
    symbol = signals[operand.signal].symbol
    if operand.before:
        symbol = symbol.replace("<sub>t</sub>", f"<sub>t{'+' if shown.backward else '−'}1</sub>")
    changed = f"{operand.form} {symbol}".lstrip()
    return f"({changed})" if operand.form is Form.COMPLEMENT else changed


def _words(operand: Operand, shown: ShownLayer, signals: dict[str, Signal], labels: Labels) -> str:
    words = signals[operand.signal].label(labels).lower()
    if operand.before:
        words += " one step later" if shown.backward else " one step before"
    match operand.form:
        case Form.PLAIN:
            return words
        case Form.TANH:
            return f"tanh of {words}"
        case Form.COMPLEMENT:
            return f"(1 − {words})"
