"""What happens to one unit at one step: the operations of a cell with memory, with this step's numbers.

A cell is explained operation by operation as far as it declares their signals; what it declares beside them is
listed as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lstm_studio.networks.signals import Labels, Role, Signal
from lstm_studio.ui.explore.layers import ShownLayer
from lstm_studio.ui.numbers import format_number

TANH = "tanh"


@dataclass(frozen=True, slots=True)
class _Operand:
    """A signal as it enters an operation: now or at the step before, squashed or not."""

    signal: str
    before: bool = False
    squashed: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    standard: str
    classroom: str
    role: Role
    result: str
    left: _Operand
    sign: str
    right: _Operand


# Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; the classroom's words for the four operations
# are those of the design's table of labels. The third is a plain sum.
_RULES = (
    _Rule(
        "Forget",
        "Forget",
        Role.FORGET,
        "retained",
        _Operand("forget_gate"),
        "×",
        _Operand("cell_state", before=True),
    ),
    _Rule("Input", "Learn", Role.LEARN, "admitted", _Operand("input_gate"), "×", _Operand("candidate")),
    _Rule("Update", "Remember", Role.LONG_TERM, "cell_state", _Operand("retained"), "+", _Operand("admitted")),
    _Rule(
        "Output",
        "Use",
        Role.USE,
        "hidden_state",
        _Operand("output_gate"),
        "×",
        _Operand("cell_state", squashed=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one unit at one step.

    Parameters
    ----------
    number
        1-based place in the order of the step.
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
    found: list[Operation] = []
    for number, rule in enumerate(_RULES, start=1):
        if not _fits(rule, shown, signals):
            continue
        found.append(
            Operation(
                number,
                rule.standard if labels is Labels.STANDARD else rule.classroom,
                rule.role,
                f"{signals[rule.result].symbol} = {_symbol(rule.left, shown, signals)} {rule.sign} "
                f"{_symbol(rule.right, shown, signals)}",
                f"{signals[rule.result].label(labels)} = {_words(rule.left, shown, signals, labels)} {rule.sign} "
                f"{_words(rule.right, shown, signals, labels)}",
                _value(rule.left, shown, step, unit),
                rule.sign,
                _value(rule.right, shown, step, unit),
                _read(shown, rule.result, step, unit),
            )
        )
    return tuple(found)


def readings_at(shown: ShownLayer, step: int, unit: int, labels: Labels) -> tuple[Reading, ...]:
    """Return the signals of a layer that no operation explains; parameters as for :func:`operations_at`."""
    signals = {signal.name: signal for signal in shown.layer.signals}
    explained: set[str] = set()
    for rule in _RULES:
        if _fits(rule, shown, signals):
            explained |= {rule.result, rule.left.signal, rule.right.signal}
    # What is before the squashing is of no interest where the operation shows what comes out of it.
    return tuple(
        Reading(signal.label(labels), signal.symbol, signal.role, signal.badge, _read(shown, signal.name, step, unit))
        for signal in shown.layer.signals
        if signal.name not in explained
        and signal.name.removesuffix(".preactivation") not in explained
        and _has(shown, signal.name, unit)
    )


def sentence(operations: tuple[Operation, ...], shown: ShownLayer, step: int, unit: int, labels: Labels) -> str:
    """Return the step in plain words, or nothing where the layer has no four operations."""
    if len(operations) < len(_RULES):
        return ""
    forget, learn, _, use = operations
    names = {signal.name: signal.label(labels).lower() for signal in shown.layer.signals}
    long_term, short_term = names["cell_state"], names["hidden_state"]
    if not all(map(math.isfinite, (forget.left, learn.result, use.left, use.result))):
        return f"Unit {unit} holds numbers that are not finite: nothing can be said in words."
    added = f"adds {format_number(learn.result)}" if learn.result >= 0 else f"subtracts {format_number(-learn.result)}"
    if shown.before(step) is None:
        begin = f"This is the first step: unit {unit} has no {long_term} yet and {added}."
    else:
        begin = f"Unit {unit} keeps {_share(forget.left)} of its {long_term} and {added}."
    end = f"It exposes {_share(use.left)} of tanh <i>c</i>, so its {short_term} is now {format_number(use.result)}."
    return f"{begin} {end}"


def _fits(rule: _Rule, shown: ShownLayer, signals: dict[str, Signal]) -> bool:
    """Whether every signal was declared and recorded, one value for each unit (a projected state is none)."""
    needed = (rule.result, rule.left.signal, rule.right.signal)
    return all(name in signals and _has(shown, name, shown.layer.units - 1) for name in needed)


def _has(shown: ShownLayer, name: str, unit: int) -> bool:
    full = f"{shown.layer.prefix}.{name}"
    return full in shown.trace and unit < shown.trace[full].shape[1]


def _read(shown: ShownLayer, name: str, step: int, unit: int) -> float:
    return float(shown.trace[f"{shown.layer.prefix}.{name}"][step, unit])


def _value(operand: _Operand, shown: ShownLayer, step: int, unit: int) -> float:
    at: int | None = shown.before(step) if operand.before else step
    value = 0.0 if at is None else _read(shown, operand.signal, at, unit)
    return math.tanh(value) if operand.squashed else value


def _symbol(operand: _Operand, shown: ShownLayer, signals: dict[str, Signal]) -> str:
    symbol = signals[operand.signal].symbol
    if operand.before:
        symbol = symbol.replace("<sub>t</sub>", f"<sub>t{'+' if shown.backward else '−'}1</sub>")
    return f"{TANH} {symbol}" if operand.squashed else symbol


def _words(operand: _Operand, shown: ShownLayer, signals: dict[str, Signal], labels: Labels) -> str:
    words = signals[operand.signal].label(labels).lower()
    if operand.before:
        words += " one step later" if shown.backward else " one step before"
    return f"{TANH} of {words}" if operand.squashed else words


def _share(share: float) -> str:
    """Return a share in words; near the ends with a decimal, so that 99.7 % is not rounded to all of it."""
    if share >= 0.9995:
        return "all"
    if share < 0.0005:
        return "almost nothing"
    near_an_end = share < 0.01 or share > 0.99
    return f"{100 * share:.{1 if near_an_end else 0}f} %"
