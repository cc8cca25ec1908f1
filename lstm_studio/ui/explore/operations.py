"""What happens to one unit at one step: the operations of a cell with memory, with this step's numbers.

A cell is explained operation by operation as far as it declares what its signals are made of; what it declares beside
them is listed as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lstm_studio.networks.signals import Composition, Form, Labels, Operand, Phase, Role, Signal
from lstm_studio.ui.explore.layers import ShownLayer
from lstm_studio.ui.numbers import format_number


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


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal of one unit at one step, where no operation explains it."""

    title: str
    symbol: str
    role: Role
    badge: str
    value: float


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
    return tuple(
        Operation(
            made.phase,
            made.phase.label(labels),
            made.phase.role,
            f"{signal.symbol} = {_symbol(made.left, shown, signals)} {made.sign} {_symbol(made.right, shown, signals)}",
            f"{signal.label(labels)} = {_words(made.left, shown, signals, labels)} {made.sign} "
            f"{_words(made.right, shown, signals, labels)}",
            _value(made.left, shown, step, unit),
            made.sign,
            _value(made.right, shown, step, unit),
            _read(shown, signal.name, step, unit),
        )
        for signal, made in _explained(shown)
    )


def readings_at(shown: ShownLayer, step: int, unit: int, labels: Labels) -> tuple[Reading, ...]:
    """Return the signals of a layer that no operation explains; parameters as for :func:`operations_at`."""
    explained: set[str] = set()
    for signal, made in _explained(shown):
        explained |= {signal.name, made.left.signal, made.right.signal}
    # What is before the squashing is of no interest where the operation shows what comes out of it.
    return tuple(
        Reading(signal.label(labels), signal.symbol, signal.role, signal.badge, _read(shown, signal.name, step, unit))
        for signal in shown.layer.signals
        if signal.name not in explained
        and signal.name.removesuffix(".preactivation") not in explained
        and _has(shown, signal.name, unit)
    )


def sentence(operations: tuple[Operation, ...], shown: ShownLayer, step: int, unit: int, labels: Labels) -> str:
    """Return the step in plain words, or nothing where the layer's operations do not tell what it keeps and adds."""
    by_phase = {operation.number: operation for operation in operations}
    made_of = {made.phase: made for _, made in _explained(shown)}
    names = {signal.name: signal.label(labels).lower() for signal in shown.layer.signals}
    letters = {signal.name: signal.badge for signal in shown.layer.signals}
    learn, remember = by_phase.get(Phase.LEARN), by_phase.get(Phase.REMEMBER)
    if learn is None or remember is None:
        return ""
    if not all(math.isfinite(number) for each in operations for number in (each.left, each.right, each.result)):
        return f"Unit {unit} holds numbers that are not finite: nothing can be said in words."
    added = f"adds {format_number(learn.result)}" if learn.result >= 0 else f"subtracts {format_number(-learn.result)}"
    forget, use = by_phase.get(Phase.FORGET), by_phase.get(Phase.USE)
    kept = made_of[Phase.FORGET].right if forget is not None else made_of[Phase.REMEMBER].left
    memory = names[kept.signal]
    if shown.before(step) is None:
        begin = f"This is the first step: unit {unit} has no {memory} yet and {added}."
    else:
        begin = f"Unit {unit} keeps {'all' if forget is None else _share(forget.left)} of its {memory} and {added}."
    if use is None:
        return f"{begin} Its {memory} is now {format_number(remember.result)}."
    exposed = made_of[Phase.USE].right
    of = f"{exposed.form} <i>{letters[exposed.signal]}</i>".lstrip()
    short_term = next(names[signal.name] for signal, made in _explained(shown) if made.phase is Phase.USE)
    return f"{begin} It exposes {_share(use.left)} of {of}, so its {short_term} is now {format_number(use.result)}."


def _explained(shown: ShownLayer) -> tuple[tuple[Signal, Composition], ...]:
    """Return the signals whose parts were all recorded, one value for each unit (a projected state is none)."""
    found = [
        (signal, signal.composition)
        for signal in shown.layer.signals
        if signal.composition is not None
        and all(
            _has(shown, name, shown.layer.units - 1)
            for name in (signal.name, signal.composition.left.signal, signal.composition.right.signal)
        )
    ]
    return tuple(sorted(found, key=lambda pair: pair[1].phase))


def _has(shown: ShownLayer, name: str, unit: int) -> bool:
    full = f"{shown.layer.prefix}.{name}"
    return full in shown.trace and unit < shown.trace[full].shape[1]


def _read(shown: ShownLayer, name: str, step: int, unit: int) -> float:
    return float(shown.trace[f"{shown.layer.prefix}.{name}"][step, unit])


def _value(operand: Operand, shown: ShownLayer, step: int, unit: int) -> float:
    at: int | None = shown.before(step) if operand.before else step
    value = 0.0 if at is None else _read(shown, operand.signal, at, unit)
    match operand.form:
        case Form.PLAIN:
            return value
        case Form.TANH:
            return math.tanh(value)
        case Form.COMPLEMENT:
            return 1.0 - value


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


def _share(share: float) -> str:
    """Return a share in words; near the ends with a decimal, so that 99.7 % is not rounded to all of it."""
    if share >= 0.9995:
        return "all"
    if share < 0.0005:
        return "almost nothing"
    near_an_end = share < 0.01 or share > 0.99
    return f"{100 * share:.{1 if near_an_end else 0}f} %"
