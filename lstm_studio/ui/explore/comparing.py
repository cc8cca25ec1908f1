"""Which traces are compared, and how they differ, in words; free of Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks.signals import INPUT, Labels, Signal
from lstm_studio.session.branch_words import Outcome, outcome_of, second_title, title_of
from lstm_studio.session.state import RECORDED, SECOND, CompareMode, Result, View, branch_key
from lstm_studio.ui.explore.layers import network_names
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.widgets.symbols import written

ROUNDING = {"float32": 1e-5, "float64": 1e-10}
"""Up to where two numbers of a precision count as the same, relative to the largest of them where that is above 1."""

RECORDED_TITLE = "Recorded"


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Something that can be compared: the recorded traces, a what-if, or what else was traced.

    Parameters
    ----------
    key
        As in :class:`~lstm_studio.session.state.Comparison`.
    title
        What it is called.
    result
        As if its traces were the recorded ones; perhaps with fewer networks.
    """

    key: str
    title: str
    result: Result


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Two sources and how they are shown.

    Parameters
    ----------
    base, other
        Called A and B in the window.
    mode
        How they share a row.
    """

    base: Source
    other: Source
    mode: CompareMode

    @property
    def steps(self) -> int:
        """Steps of the longer one."""
        return max(self.base.result.sequence.steps, self.other.result.sequence.steps)


def keys_of(result: Result) -> tuple[str, ...]:
    """Return what can be compared, the recorded traces first."""
    pairs = zip(result.setup.branches, result.branches, strict=False)
    branches = (branch_key(branch.name) for branch, traces in pairs if traces)
    return (RECORDED, *branches, *((SECOND,) if result.second is not None else ()))


def titles_of(result: Result, labels: Labels) -> dict[str, str]:
    """Return the titles of what can be compared, by key."""
    found = {RECORDED: RECORDED_TITLE}
    for branch, traces in zip(result.setup.branches, result.branches, strict=False):
        if traces:
            found[branch_key(branch.name)] = title_of(branch, result, labels)
    if result.setup.second is not None and result.second is not None:
        found[SECOND] = second_title(result.setup.second, result)
    return found


def is_compared(result: Result, view: View) -> bool:
    """Return whether the view compares two things that are there."""
    wanted = view.comparison
    return wanted is not None and wanted.base != wanted.other and {wanted.base, wanted.other} <= {*keys_of(result)}


def compared(result: Result, view: View) -> Compared | None:
    """Return what the view compares, or None where it compares nothing or one of the two is not there."""
    wanted = view.comparison
    if wanted is None or not is_compared(result, view):
        return None
    base, other = (_source_of(key, result, view.labels) for key in (wanted.base, wanted.other))
    return Compared(base, other, wanted.mode)


def recorded_words(result: Result, view: View) -> str:
    """Return which of two that are compared the recorded traces are, for what shows these alone; else nothing."""
    wanted = view.comparison
    if wanted is None or not is_compared(result, view):
        return ""
    sides = {wanted.base: "A", wanted.other: "B"}
    return f"recorded trace, {sides.get(RECORDED, 'neither A nor B')}"


def _source_of(key: str, result: Result, labels: Labels) -> Source:
    """Return one of the things that can be compared."""
    title = titles_of(result, labels)[key]
    if key == RECORDED:
        return Source(key, title, result)
    second = result.setup.second
    if key == SECOND and second is not None and result.second is not None:
        trace, info = result.second
        item = result.setup.item if second.item is None else second.item
        sequence = result.sequence if item == result.setup.item else result.sequences[item]
        return Source(key, title, replace(result, traces=(trace,), infos=(info,), sequence=sequence))
    pairs = zip(result.setup.branches, result.branches, strict=False)
    branch, traces = next(pair for pair in pairs if branch_key(pair[0].name) == key)
    sequence = result.sequence
    if branch.events:
        sequence = replace(sequence, values=traces[0]["input"], raw=None)
    return Source(key, title, replace(result, traces=traces, sequence=sequence))


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest difference between two traces.

    Parameters
    ----------
    value
        Other − base.
    signal
        What differs.
    network, unit, step
        Where; the unit of the signal's own layer.
    where
        Which of several layers and directions, ``"layer 2 ←"``; empty where there is one.
    """

    value: float
    signal: Signal
    network: int
    unit: int
    step: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """How two sources differ over the steps and signals that both have.

    Parameters
    ----------
    first
        The first step at which anything differs by more than rounding, or None.
    largest
        In what the networks compute, not in what they are given; None where nothing differs there.
    subtracted
        Whether there is anything computed that both have in the same size.
    """

    first: int | None
    largest: Largest | None
    subtracted: bool


def difference_of(compared: Compared) -> Difference:
    """Return where two sources first differ, and where most, over all signals but pre-activations."""
    first: int | None = None
    largest: Largest | None = None
    subtracted = False
    base, other = compared.base.result, compared.other.result
    steps = min(base.sequence.steps, other.sequence.steps)
    for network, (one, two) in enumerate(zip(base.traces, other.traces, strict=False)):
        if one is two:
            subtracted = True
            continue
        for where, signal, whole, other_whole in _pairs(one, two):
            if whole.shape[1] != other_whole.shape[1]:
                continue
            subtracted = subtracted or signal is not INPUT
            if whole is other_whole:
                continue
            before, after = whole[:steps], other_whole[:steps]
            apart, limit = _apart(before, after), ROUNDING.get(one.provenance.dtype, 1e-5) * max(1.0, _largest(before))
            by_step = apart.max(axis=1)
            differs = np.flatnonzero(by_step > limit)
            if not len(differs):
                continue
            first = int(differs[0]) if first is None else min(first, int(differs[0]))
            if signal is INPUT:
                continue
            step = int(by_step.argmax())
            unit = int(apart[step].argmax())
            value = float(after[step, unit]) - float(before[step, unit])
            if largest is None or not abs(value) <= abs(largest.value):
                largest = Largest(value, signal, network, unit, step, where)
    return Difference(first, largest, subtracted)


def _apart(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
    """Return (T, U) how far two are apart; a value that is not a number is infinitely far from one that is."""
    with np.errstate(all="ignore"):
        apart: NDArray[Any] = np.subtract(after, before)
        np.abs(apart, out=apart)
    if apart.size and not np.isfinite(apart.max()):
        apart[np.isnan(apart)] = 0
        apart[np.isnan(before) != np.isnan(after)] = np.inf
    return apart


def _largest(values: NDArray[Any]) -> float:
    """Return the largest magnitude of what is a number; not-a-number where nothing is."""
    if not values.size:
        return 0.0
    return max(float(np.fmax.reduce(values, axis=None)), -float(np.fmin.reduce(values, axis=None)))


def _pairs(one: Trace, two: Trace) -> Iterator[tuple[str, Signal, NDArray[Any], NDArray[Any]]]:
    """Yield where, and the signals that both traces have, by layers of the same depth and direction."""
    yield "", INPUT, one["input"], two["input"]
    there, here = _layers(two), _layers(one)
    deep, both_ways = any(depth for _, depth in here), len({backward for backward, _ in here}) > 1
    for place, layer in here.items():
        where = f"layer {place[1] + 1}" if deep else ""
        if both_ways:
            where = f"{where} {'←' if place[0] else '→'}".lstrip()
        for signal in layer.signals:
            names = f"{layer.prefix}.{signal.name}", f"{there[place].prefix}.{signal.name}" if place in there else ""
            if "." not in signal.name and names[0] in one and names[1] in two:
                yield where, signal, one[names[0]], two[names[1]]


def _layers(trace: Trace) -> dict[tuple[bool, int], TraceLayer]:
    """Return the layers by direction and depth."""
    found: dict[tuple[bool, int], TraceLayer] = {}
    for backward in (False, True):
        same = [layer for layer in trace.layers if layer.prefix.endswith(".reverse") is backward]
        found |= {(backward, depth): layer for depth, layer in enumerate(same)}
    return found


def difference_in_words(compared: Compared, labels: Labels) -> str:
    """Return in a line where the two first differ, where most, and what they come to."""
    found = difference_of(compared)
    base, other = compared.base, compared.other
    parts = []
    if not found.subtracted:
        parts.append("Nothing to subtract: the networks have no signal of the same size.")
    elif found.first is None:
        parts.append("No difference beyond rounding.")
    elif found.first == 0:
        parts.append("Different from the first step on.")
    else:
        parts.append(f"The same up to step {format_count(found.first)}.")
    if found.largest is not None:
        largest = found.largest
        names = network_names(base.result.infos)
        whose = f"{names[largest.network]} " if len(names) > 1 else ""
        parts.append(
            f"Largest difference: {format_number(largest.value)}, {whose}{largest.signal.label(labels).lower()}"
            f" of unit {largest.unit}{f', {largest.where},' if largest.where else ''}"
            f" at step {format_count(largest.step + 1)}."
        )
    networks = len(base.result.traces), len(other.result.traces)
    if networks[0] != networks[1]:
        more = base if networks[0] > networks[1] else other
        alone = " and ".join(network_names(more.result.infos)[min(networks) :])
        parts.append(f"Only {'A' if more is base else 'B'} has a companion ({alone}).")
    lengths = base.result.sequence.steps, other.result.sequence.steps
    if lengths[0] != lengths[1]:
        parts.append(f"A has {format_count(lengths[0])} steps, B {format_count(lengths[1])}.")
    outcomes = [outcome_text(outcome) for outcome in _outcomes(compared)]
    if all(outcomes):
        parts.append(f"At the end: A {outcomes[0]}, B {outcomes[1]}.")
    if RECORDED not in {base.key, other.key}:
        parts.append("Cells and numbers at the step are the recorded ones.")
    return " ".join(parts)


def _outcomes(compared: Compared) -> tuple[Outcome | None, Outcome | None]:
    """Return what both come to, of the first network in which they differ."""
    base, other = compared.base.result, compared.other.result
    pairs = list(zip(base.traces, other.traces, strict=False))
    network = next((index for index, (one, two) in enumerate(pairs) if one is not two), 0)
    one, two = pairs[network]
    return outcome_of(one, base), outcome_of(two, other)


def outcome_text(outcome: Outcome | None) -> str:
    """Write an outcome, ``"XY 1.00"``; nothing for None."""
    return "" if outcome is None else f"{written(outcome.name)} {format_number(outcome.value)}"
