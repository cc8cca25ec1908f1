"""Stop conditions in words: the signals to choose from in either vocabulary, and what a condition says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks.signals import INPUT, Labels, Signal
from lstm_studio.session.conditions import Condition, Met, Quantifier, Relation, StopWhen, holds, is_known, layer_of
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.layers import network_names
from lstm_studio.ui.numbers import format_count, format_number, format_tick, read_number
from lstm_studio.ui.widgets.symbols import written
from lstm_studio.ui.widgets.text import plain

_FEATURES = 64
"""Features that can be chosen one by one; of a spectrogram with more, only all together."""

_MET_LISTED = 4
"""Units that are named with their numbers where several meet a condition."""
_MOST_DIGITS = 8

RELATIONS = {
    Relation.LESS: "below",
    Relation.AT_MOST: "at most",
    Relation.GREATER: "above",
    Relation.AT_LEAST: "at least",
    Relation.LARGER: "further from zero than",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A signal to choose.

    Parameters
    ----------
    network, signal, unit
        As in a :class:`~lstm_studio.session.conditions.Condition`.
    text
        For the list.
    single
        Whether it is one number a step, so that there is nothing to quantify.
    """

    network: int
    signal: str
    unit: int | None
    text: str
    single: bool


def choices(result: Result, labels: Labels) -> tuple[Choice, ...]:
    """Return every signal of the traces: those of the cells, what is before the squashing, gradients, the input."""
    found: list[Choice] = []
    for network, trace in enumerate(result.traces):
        names = [name for name in trace.names if trace[name].ndim <= 2 and name not in {INPUT.name, "output"}]
        declared = [f"{layer.prefix}.{signal.name}" for layer in trace.layers for signal in layer.signals]
        order = [name for name in declared if name in trace]
        order += [name for name in names if name not in order]
        order.sort(key=_rank)
        for name in order:
            text = _signal_words(result, network, name, labels)
            found.append(Choice(network, name, None, text[0].upper() + text[1:], trace[name].ndim == 1))
    input_word = INPUT.label(labels)
    if result.traces:
        found.append(Choice(0, INPUT.name, None, input_word, single=False))
        names_of = result.sequence.names[:_FEATURES] if len(result.sequence.names) <= _FEATURES else ()
        found.extend(
            Choice(0, INPUT.name, index, f"{input_word} {_quoted(name)}", single=True)
            for index, name in enumerate(names_of)
        )
    return tuple(found)


def short_text(result: Result, condition: Condition) -> str:
    """Return a condition in symbols, ``"any f < 0.1"``, the same in both vocabularies."""
    symbol = _symbol(result, condition)
    relation, number = str(condition.relation), format_tick(condition.threshold)
    if condition.relation is Relation.LARGER:
        symbol, relation = f"|{symbol}|", ">"
    many = _is_many(result, condition)
    quantifier = f"{condition.quantifier} " if many and condition.quantifier is not Quantifier.ONE else ""
    which = ""
    if many and condition.quantifier is Quantifier.ONE:
        which = " (selected unit)" if condition.unit is None else f" (unit {condition.unit})"
    return f"{quantifier}{symbol} {relation} {number}{which}"


def long_text(result: Result, condition: Condition, labels: Labels) -> str:
    """Return a condition in words, ``"the forget gate of any unit is below 0.1"``; says where it cannot hold."""
    what = _signal_words(result, condition.network, condition.signal, labels)
    if condition.signal == INPUT.name and condition.unit is not None and condition.unit < len(result.sequence.names):
        what = f"{what} {_quoted(result.sequence.names[condition.unit])}"
    elif _is_many(result, condition):
        noun = "feature" if condition.signal == INPUT.name else "unit"
        quantified = {
            Quantifier.ANY: f"the {what} of any {noun}",
            Quantifier.ALL: f"the {what} of every {noun}",
            Quantifier.MEAN: f"the mean {what} of all {noun}s",
            Quantifier.ONE: f"the {what} of the selected {noun}"
            if condition.unit is None
            else f"the {what} of {noun} {condition.unit}",
        }
        what = quantified[condition.quantifier]
    said = f"{what} is {RELATIONS[condition.relation]} {format_tick(condition.threshold)}"
    return said if is_known(result, condition) else f"{said} (not in what is shown)"


def joined_text(result: Result, stop: StopWhen) -> str:
    """Return all conditions in symbols."""
    return (" and " if stop.every else " or ").join(short_text(result, each) for each in stop.conditions)


def joined_words(result: Result, stop: StopWhen, labels: Labels) -> str:
    """Return all conditions in words."""
    words = (", and " if stop.every else ", or ").join(long_text(result, each, labels) for each in stop.conditions)
    return f"Stop when {words}."


def met_text(result: Result, met: tuple[Met, ...]) -> str:
    """Return what meets the conditions at a step in a few symbols, ``"unit 8: 0.03, 2 more"``."""
    return " · ".join(_met_text(result, each, named=len(met) > 1) for each in met)


def met_words(result: Result, met: tuple[Met, ...], labels: Labels) -> str:
    """Return the same in words, ``"Here the forget gate of unit 8 is 0.03, of unit 2 0.05, and of 2 more."``."""
    return " ".join(_met_words(result, each, labels) for each in met)


def is_single(result: Result, condition: Condition) -> bool:
    """Return whether a condition speaks of one number a step, whichever units it means."""
    return condition.signal != INPUT.name and not _is_many(result, condition)


def _met_text(result: Result, met: Met, *, named: bool) -> str:
    symbol, number = _symbol(result, met.condition), _met_number(met.condition, met.values[0])
    if not _is_many(result, met.condition):
        return f"{symbol} = {number}"
    if not met.units:
        return f"mean {symbol} = {number}"
    more = f", {format_count(len(met.units) - 1)} more" if len(met.units) > 1 else ""
    return f"{f'{symbol} ' if named else ''}{_who(result, met.condition, met.units[0])}: {number}{more}"


def _met_words(result: Result, met: Met, labels: Labels) -> str:
    condition = met.condition
    what, numbers = _signal_words(result, condition.network, condition.signal, labels), met.values[:_MET_LISTED]
    first, *others = (_met_number(condition, value) for value in numbers)
    if not _is_many(result, condition):
        feature = f" {_quoted(result.sequence.names[met.units[0]])}" if met.units else ""
        return f"Here the {what}{feature} is {first}."
    if not met.units:
        return f"Here the mean {what} is {first}."
    words = [f"of {_who(result, condition, met.units[0])} is {first}"]
    words += [
        f"of {_who(result, condition, unit)} {number}" for unit, number in zip(met.units[1:], others, strict=False)
    ]
    rest = len(met.units) - len(words)
    if rest:
        words.append(f"and {format_count(rest)} more meet{'s' if rest == 1 else ''} it")
    return f"Here the {what} {', '.join(words)}."


def _met_number(condition: Condition, value: float) -> str:
    """Return a number with the fewest digits, two at least, with which what is printed meets the condition, too."""
    for digits in range(2, _MOST_DIGITS):
        text = format_number(value, digits)
        if holds(condition, read_number(text)):
            return text
    return format_number(value, _MOST_DIGITS)


def _who(result: Result, condition: Condition, unit: int) -> str:
    names = result.sequence.names
    if condition.signal == INPUT.name:
        return f"feature {_quoted(names[unit])}" if unit < len(names) else f"feature {unit}"
    return f"unit {unit}"


def _rank(name: str) -> int:
    """Return the place of a name's kind in the list: signals, norms of gradients, other gradients, the rest."""
    if name.endswith(".preactivation"):
        return 5 if "grad." in name else 3
    kind, _ = _split(name)
    return {"": 0, "norm.grad.": 1, "jac.": 2, "grad.": 4}[kind]


def _signal_words(result: Result, network: int, name: str, labels: Labels) -> str:
    """Return what a signal is called, with its layer and network where there are several."""
    if name == INPUT.name:
        return INPUT.label(labels).lower()
    if network >= len(result.traces):
        return name
    trace = result.traces[network]
    kind, bare = _split(name)
    layer, signal = _declared(trace, bare)
    if bare == INPUT.name:
        words = INPUT.label(labels).lower()
    elif signal is not None:
        words = signal.label(labels).lower()
    else:
        words = "weights" if bare.endswith(".weights") else bare
    words = {
        "": words,
        "norm.grad.": f"gradient norm of the {words}",
        "grad.": f"gradient of the {words}",
        "jac.": f"log₁₀ Jacobian norm of the {words}",
    }[kind]
    where = []
    if len(result.traces) > 1:
        where.append(network_names(result.infos)[network])
    if layer is not None and len(trace.layers) > 1:
        where.append(layer.prefix.removeprefix(f"{layer.kind}."))
    return f"{words} ({', '.join(where)})" if where else words


def _symbol(result: Result, condition: Condition) -> str:
    """Return the symbol of a signal, with the network where it is not the first."""
    if condition.signal == INPUT.name:
        names = result.sequence.names
        if condition.unit is not None and condition.unit < len(names):
            return f"x {_quoted(names[condition.unit])}"
        return "x"
    if condition.network >= len(result.traces):
        return condition.signal
    trace = result.traces[condition.network]
    kind, bare = _split(condition.signal)
    _, signal = _declared(trace, bare)
    letter = bare.rpartition(".")[2]
    if signal is not None:
        letter = plain(re.sub(r"<sub>t</sub>", "", signal.symbol))
    elif bare == INPUT.name:
        letter = "x"
    elif letter == "weights":
        letter = "W"
    symbol = {
        "": letter,
        "norm.grad.": f"‖∂L/∂{letter}‖",
        "grad.": f"∂L/∂{letter}",
        "jac.": f"log₁₀ ‖J({letter})‖",
    }[kind]
    return symbol if condition.network == 0 else f"{symbol} {network_names(result.infos)[condition.network]}"


def _split(name: str) -> tuple[str, str]:
    """Return what is taken of a signal and its bare name."""
    for kind in ("norm.grad.", "grad.", "jac."):
        if name.startswith(kind):
            return kind, name.removeprefix(kind)
    return "", name


def _declared(trace: Trace, bare: str) -> tuple[TraceLayer | None, Signal | None]:
    layer = layer_of(trace, bare)
    if layer is None:
        return None, None
    name = bare.removeprefix(f"{layer.prefix}.")
    return layer, next((signal for signal in layer.signals if signal.name == name), None)


def _is_many(result: Result, condition: Condition) -> bool:
    """Return whether a condition speaks of a signal with several numbers a step, not of one feature."""
    if condition.signal == INPUT.name:
        return condition.unit is None
    if condition.network >= len(result.traces) or condition.signal not in result.traces[condition.network]:
        return True
    return result.traces[condition.network][condition.signal].ndim > 1


def _quoted(name: str) -> str:
    return f"‘{written(name)}’"
