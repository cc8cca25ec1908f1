"""A gate or candidate of one unit, term by term: which weights and values its squashed sum is made of, as printed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from lstm_studio.engine.terms import Term, Terms, UnitSum, terms_at
from lstm_studio.networks.signals import INPUT, Labels, Role, Signal
from lstm_studio.networks.sums import Squash
from lstm_studio.sequences.sequence import Sequence
from lstm_studio.ui.explore.layers import ShownLayer
from lstm_studio.ui.explore.operations import BEFORE, column_of, read
from lstm_studio.ui.numbers import equation, format_count, format_number
from lstm_studio.ui.widgets.symbols import written

NAMED = 4
"""Terms that are written out; the rest is summed."""

_LONGEST = 10
"""Letters of a feature's name that are written out; the tool tip has all."""
_MINUS = "−"


@dataclass(frozen=True, slots=True)
class Part:
    """One summand.

    Parameters
    ----------
    symbolic
        Rich text without a sign, ``"2.31·x_7 ‘Y’"``.
    negative
        Whether it has a minus there.
    number
        What it comes to, as printed.
    tip
        Weight × value, in rich text.
    """

    symbolic: str
    negative: bool
    number: str
    tip: str


@dataclass(frozen=True, slots=True)
class GateTerms:
    """A squashed sum as it is printed: symbols with weights, numbers, and what comes out.

    Parameters
    ----------
    title
        The gate's label.
    symbol
        Rich text.
    role
        Decides its colour.
    squash
        What is done to the sum.
    parts
        The largest terms, the rest and the bias; None until the weights are known.
    relation
        Between the printed numbers and the printed total, ``=`` or ``≈``.
    total
        The pre-activation.
    comes_to
        Between the squashed total and the result.
    result
        The traced value.
    """

    title: str
    symbol: str
    role: Role
    squash: Squash
    parts: tuple[Part, ...] | None
    relation: str
    total: str
    comes_to: str
    result: str

    @property
    def spoken(self) -> str:
        """All in one line, for screen readers."""
        numbers = "" if self.parts is None else f"{self.squash}({joined(self.parts)}) {self.relation} "
        return f"{self.title} = {numbers}{self.squash}({self.total}) {self.comes_to} {self.result}"


def joined(parts: tuple[Part, ...]) -> str:
    """Return the numbers of a sum as they are printed, ``"2.31 − 1.20 + 0.12"``."""
    return "".join(
        sign_before(part.number.startswith(_MINUS), first=index == 0) + part.number.removeprefix(_MINUS)
        for index, part in enumerate(parts)
    )


def sign_before(negative: bool, *, first: bool) -> str:
    """Return what stands before a summand."""
    if first:
        return _MINUS if negative else ""
    return f" {_MINUS} " if negative else " + "


def gate_terms(
    shown: ShownLayer,
    names: tuple[str, ...],
    sums: tuple[UnitSum, ...] | None,
    *,
    sequence: Sequence,
    step: int,
    unit: int,
    labels: Labels,
) -> tuple[GateTerms, ...]:
    """Return gates of one unit at one step, taken apart.

    Parameters
    ----------
    shown
        The layer and direction.
    names
        Canonical names of the gates and candidates wanted.
    sums
        The unit's weights; None until they are known.
    sequence
        Tells the names of the features.
    step, unit
        0-based.
    labels
        The vocabulary.
    """
    by_name = {} if sums is None else {each.name: each for each in sums}
    signals = {signal.name: signal for signal in shown.layer.signals}
    found = []
    for name in names:
        full = f"{shown.layer.prefix}.{name}{BEFORE}"
        column = column_of(shown, name, unit)
        if column is None or (sums is not None and full not in by_name):
            continue
        before, after = float(shown.trace[full][step, column]), read(shown, name, step, unit)
        squash = by_name[full].squash if sums is not None else _likely_squash(signals[name])
        squashed = equation(squash.of, (before,), after)
        total = squashed.operands[0]
        parts, relation = None, "="
        if sums is not None:
            wording = _Wording(shown, by_name[full], sequence, labels)
            terms = terms_at(by_name[full], shown.trace, step, NAMED)
            parts, relation = _parts(terms, wording, before, total)
        signal = signals[name]
        found.append(
            GateTerms(
                signal.label(labels),
                signal.symbol,
                signal.role,
                squash,
                parts,
                relation,
                total,
                squashed.relation,
                squashed.result,
            )
        )
    return tuple(found)


def _likely_squash(signal: Signal) -> Squash:
    """Return what fits a signal's range, as long as nobody has asked its cell."""
    match signal.levels:
        case (0.0, 1.0):
            return Squash.SIGMOID
        case (-1.0, 1.0):
            return Squash.TANH
        case _:
            return Squash.RELU


def _parts(terms: Terms, wording: _Wording, before: float, total: str) -> tuple[tuple[Part, ...], str]:
    """Return the summands, with the fewest digits with which they give the printed total."""
    amounts = [term.product for term in terms.largest]
    amounts += [terms.rest] if terms.others else []
    amounts += [terms.bias] if terms.bias or not amounts else []
    decimals = next((digits for digits in (2, 3, 4) if format_number(before, digits) == total), 4)
    summed = equation(_sum, amounts, before, decimals=decimals)
    numbers = list(summed.operands)
    parts = [
        Part(wording.symbolic(term), term.weight < 0, number, wording.tip(term))
        for term, number in zip(terms.largest, numbers, strict=False)
    ]
    rest = numbers[len(parts) :]
    if terms.others:
        more = f"{format_count(terms.others)} more"
        parts.append(Part(f"… {more}", False, rest.pop(0), f"{more} come to {format_number(terms.rest)}"))
    if rest:
        parts.append(Part("<i>b</i>", False, rest[0], f"bias {format_number(terms.bias, 3)}"))
    return tuple(parts), summed.relation


def _sum(*numbers: float) -> float:
    return math.fsum(numbers) if all(map(math.isfinite, numbers)) else sum(numbers)


class _Wording:
    """How the terms of one sum are called."""

    def __init__(self, shown: ShownLayer, unit_sum: UnitSum, sequence: Sequence, labels: Labels) -> None:
        self._shown, self._sequence, self._labels = shown, sequence, labels
        self._signals = {signal.name: signal for signal in shown.layer.signals}
        self._arrays = {source.signal: source.arrays for source in unit_sum.sources}

    def symbolic(self, term: Term) -> str:
        """Return weight and symbol, ``"2.31·x_7 ‘Y’"``, and the gate between them where there is one."""
        weight = format_number(abs(term.weight))
        gate = f"{self._gate(term).symbol.replace('<sub>t</sub>', '')}·" if term.gate else ""
        return f"{weight}·{gate}{self._symbol(term)}"

    def tip(self, term: Term) -> str:
        """Return what the term is and how it comes to its number."""
        factors = (term.factor, term.weight, term.value) if term.gate else (term.weight, term.value)
        printed = equation(_product, factors, term.product)
        numbers = " × ".join(f"({text})" if text.startswith(_MINUS) else text for text in printed.operands)
        of = [self._gate(term).label(self._labels).lower()] if term.gate else []
        words = " × ".join([*of, "weight", "value"])
        return f"{self._symbol(term)}, {self._words(term)}<br>{words}: {numbers} {printed.relation} {printed.result}"

    def _gate(self, term: Term) -> Signal:
        return self._signals[term.gate.removeprefix(f"{self._shown.layer.prefix}.")]

    def _signal(self, term: Term) -> Signal:
        return INPUT if term.signal == INPUT.name else self._signals[term.signal]

    def _symbol(self, term: Term) -> str:
        symbol = self._signal(term).symbol.replace("<sub>t</sub>", f"<sub>{term.index}</sub>")
        if not self._is_feature(term):
            return symbol
        name = written(self._sequence.names[term.index])
        # Where a file names no features they are called like this anyway.
        if name == f"{INPUT.badge}{term.index}":
            return symbol
        return f"{symbol} ‘{escape(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + '…')}’"

    def _words(self, term: Term) -> str:
        when = ""
        if term.lag:
            many = "one step" if term.lag == 1 else f"{term.lag} steps"
            when = f", {many} {'later' if self._shown.backward else 'before'}"
        if self._is_feature(term):
            return f"feature {escape(written(self._sequence.names[term.index]))}{when}"
        if term.signal == INPUT.name:
            units = int(self._shown.trace[self._arrays[term.signal][0]].shape[1])
            backward = " reading backward" if term.index >= units else ""
            return f"unit {term.index % units} of the layer below{backward}{when}"
        return f"{self._signal(term).label(self._labels).lower()} of unit {term.index}{when}"

    def _is_feature(self, term: Term) -> bool:
        return self._arrays[term.signal] == (INPUT.name,)


def _product(*numbers: float) -> float:
    return math.prod(numbers)
