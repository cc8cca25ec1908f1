"""Stop when: conditions on any signal of the traces, and the steps at which they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import Role

if TYPE_CHECKING:
    from lstm_studio.engine.trace import Trace, TraceLayer
    from lstm_studio.session.state import Result, View


class Quantifier(StrEnum):
    """Of which units, or features, a condition speaks."""

    ANY = "any"
    ALL = "all"
    MEAN = "mean"
    ONE = "one"
    """The unit that is selected in the layer, or the one that the condition names."""


class Relation(StrEnum):
    """How the value compares with the threshold."""

    LESS = "<"
    AT_MOST = "≤"
    GREATER = ">"
    AT_LEAST = "≥"
    LARGER = "|·| >"
    """The magnitude is greater."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that is true or false at each step.

    Parameters
    ----------
    signal
        Canonical name in the trace, ``"lstm.0.forget_gate"``, ``"norm.grad.lstm.0.cell_state"`` or ``"input"``.
    quantifier
        Which of its numbers are meant; of a signal with one number a step it makes no difference.
    relation
        How they compare.
    threshold
        With what.
    network
        In whose trace, 0 for the network under the microscope.
    unit
        With ``Quantifier.ONE``: which unit or feature; None for the selected unit.
    """

    signal: str
    quantifier: Quantifier = Quantifier.ANY
    relation: Relation = Relation.LESS
    threshold: float = 0.1
    network: int = 0
    unit: int | None = None


@dataclass(frozen=True, slots=True)
class StopWhen:
    """Where playing stops.

    Parameters
    ----------
    conditions
        Each by itself.
    every
        Whether all of them have to hold at once; else one is enough.
    on
        Whether playing heeds them.
    """

    conditions: tuple[Condition, ...] = ()
    every: bool = False
    on: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """What meets a condition at a step.

    Parameters
    ----------
    condition
        Which one.
    units
        The units, or features, whose numbers do, the one farthest beyond the threshold first; empty where the condition
        speaks of a single number or of the mean.
    values
        Their numbers; else the one number.
    """

    condition: Condition
    units: tuple[int, ...]
    values: tuple[float, ...]


_COMPARE: dict[Relation, Callable[[NDArray[Any], np.float64], NDArray[np.bool_]]] = {
    Relation.LESS: np.less,
    Relation.AT_MOST: np.less_equal,
    Relation.GREATER: np.greater,
    Relation.AT_LEAST: np.greater_equal,
    Relation.LARGER: lambda values, threshold: np.greater(np.abs(values), threshold),
}


def hits(result: Result, view: View, stop: StopWhen) -> NDArray[np.int64]:
    """Return the steps at which the conditions hold, in their order.

    A condition on a signal that the traces do not have holds nowhere; so does a comparison with what is not a number.
    Without any condition there is no such step.

    Parameters
    ----------
    result
        Whose traces.
    view
        Whose selected units.
    stop
        The conditions and how they are joined.
    """
    masks = [_mask(result, view, condition) for condition in stop.conditions]
    if not masks:
        return np.zeros(0, np.int64)
    joined = np.logical_and.reduce(masks) if stop.every else np.logical_or.reduce(masks)
    return np.flatnonzero(joined).astype(np.int64)


def met_at(result: Result, view: View, stop: StopWhen, step: int) -> tuple[Met, ...]:
    """Return what meets the conditions at a step; nothing where :func:`hits` does not have it.

    Parameters
    ----------
    result, view, stop
        As in :func:`hits`.
    step
        0-based.
    """
    found = tuple(met for each in stop.conditions if (met := _met(result, view, each, step)) is not None)
    return found if not stop.every or len(found) == len(stop.conditions) else ()


def holds(condition: Condition, number: float) -> bool:
    """Return whether a number compares with the threshold as a condition says."""
    return bool(_COMPARE[condition.relation](np.asarray(number), np.float64(condition.threshold)))


def is_known(result: Result, condition: Condition) -> bool:
    """Return whether the result has what a condition speaks of."""
    values = _values(result, condition)
    one = condition.quantifier is Quantifier.ONE and condition.unit is not None
    return values is not None and (not one or values.ndim == 1 or (condition.unit or 0) < values.shape[1])


def needs_selection(condition: Condition) -> bool:
    """Return whether another selected unit can change where a condition holds."""
    return condition.quantifier is Quantifier.ONE and condition.unit is None


def layer_of(trace: Trace, signal: str) -> TraceLayer | None:
    """Return the layer that a signal belongs to, with or without ``grad.`` before it; None for the input."""
    bare = signal.removeprefix("norm.").removeprefix("grad.").removeprefix("jac.")
    # Of "lstm.0" and "lstm.0.reverse" the longer one.
    fitting = [layer for layer in trace.layers if bare.startswith(f"{layer.prefix}.")]
    return max(fitting, key=lambda layer: len(layer.prefix), default=None)


def suggested(result: Result) -> Condition | None:
    """Return a condition to begin with: a gate that closes, the one that forgets if there is one, or a full state."""
    layers = result.traces[0].layers if result.traces else ()
    layer = next((layer for layer in reversed(layers) if not layer.prefix.endswith(".reverse")), None)
    if layer is None:
        return None
    gates = [signal for signal in layer.signals if signal.levels == (0.0, 1.0)]
    forgetting = [signal for signal in gates if signal.role is Role.FORGET]
    for signal in (*forgetting, *gates):
        return Condition(f"{layer.prefix}.{signal.name}")
    for signal in layer.signals:
        return Condition(f"{layer.prefix}.{signal.name}", relation=Relation.LARGER, threshold=0.99)
    return None


def _values(result: Result, condition: Condition) -> NDArray[Any] | None:
    """Return what a condition speaks of, (T,) or (T, ·)."""
    if not 0 <= condition.network < len(result.traces):
        return None
    return result.traces[condition.network].arrays.get(condition.signal)


def _mask(result: Result, view: View, condition: Condition) -> NDArray[np.bool_]:
    """Return at which steps a condition holds, (T,)."""
    values = _values(result, condition)
    if values is None:
        return np.zeros(result.sequence.steps, bool)
    compare = _COMPARE[condition.relation]
    # As a float64 of NumPy: a Python float would be rounded to the precision of the trace, 1e−50 to zero.
    threshold = np.float64(condition.threshold)
    if values.ndim == 1:
        return compare(values, threshold)
    match condition.quantifier:
        case Quantifier.ANY:
            return np.asarray(compare(values, threshold).any(axis=1))
        case Quantifier.ALL:
            return np.asarray(compare(values, threshold).all(axis=1))
        case Quantifier.MEAN:
            return compare(values.mean(axis=1, dtype=np.float64), threshold)
        case Quantifier.ONE:
            unit = condition.unit
            if unit is None:
                unit = _selected(result, view, condition, values.shape[1])
            if not 0 <= unit < values.shape[1]:
                return np.zeros(len(values), bool)
            return compare(values[:, unit], threshold)


def _met(result: Result, view: View, condition: Condition, step: int) -> Met | None:
    """Return what meets one condition at a step, or None."""
    values = _values(result, condition)
    if values is None or not 0 <= step < len(values):
        return None
    row, compare, threshold = values[step], _COMPARE[condition.relation], np.float64(condition.threshold)
    if values.ndim == 1 or condition.quantifier is Quantifier.MEAN:
        number = row if values.ndim == 1 else row.mean(dtype=np.float64)
        return Met(condition, (), (float(number),)) if compare(number, threshold) else None
    if condition.quantifier is Quantifier.ONE:
        unit = _selected(result, view, condition, len(row)) if condition.unit is None else condition.unit
        fits = 0 <= unit < len(row) and bool(compare(row[unit], threshold))
        return Met(condition, (unit,), (float(row[unit]),)) if fits else None
    units = np.flatnonzero(compare(row, threshold))
    if len(units) < (len(row) if condition.quantifier is Quantifier.ALL else 1):
        return None
    numbers = row[units].astype(np.float64)
    beyond = np.abs(numbers) if condition.relation is Relation.LARGER else numbers
    if condition.relation not in {Relation.LESS, Relation.AT_MOST}:
        beyond = -beyond
    order = np.argsort(beyond, kind="stable")
    return Met(condition, tuple(units[order].tolist()), tuple(numbers[order].tolist()))


def _selected(result: Result, view: View, condition: Condition, columns: int) -> int:
    """Return the column of the unit that is selected in the signal's layer; of the input, the first."""
    layer = layer_of(result.traces[condition.network], condition.signal)
    if layer is None:
        return 0
    # Where the units of a block share a gate, it has a column for each block.
    unit = min(view.units.get(f"{condition.network}:{layer.prefix}", 0), layer.units - 1)
    return unit * columns // layer.units
