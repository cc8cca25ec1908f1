"""What a pre-activation of one unit is the sum of: weight × value, term by term.

The weights of one unit are all it takes: with them the terms at any step follow from the trace alone, in NumPy.
Importing this module does not import torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.signals import INPUT
from lstm_studio.networks.sums import Source, Squash

if TYPE_CHECKING:
    from torch import nn

    from lstm_studio.networks.network import Network


@dataclass(frozen=True, eq=False, slots=True)
class UnitSource:
    """What one unit reads of one signal: gate × (w · v + b).

    Parameters
    ----------
    signal
        ``"input"`` for what enters the layer, else a signal that it declares.
    arrays
        The arrays of the trace that hold it, side by side: two where both directions of the layer below enter.
    weights
        (N,) float64.
    bias
        0 without.
    lag
        How many steps before, in the order of processing.
    gate
        The array of the trace that multiplies it, and the column there; None without.
    """

    signal: str
    arrays: tuple[str, ...]
    weights: NDArray[np.float64]
    bias: float
    lag: int
    gate: tuple[str, int] | None


@dataclass(frozen=True, eq=False, slots=True)
class UnitSum:
    """One pre-activation of one unit.

    Parameters
    ----------
    name
        Canonical name in the trace, ``"lstm.0.forget_gate.preactivation"``.
    column
        Of that array: the unit, or its block where units share a gate.
    squash
        What is done to the sum.
    sources
        What it reads.
    reverse
        Whether its layer reads the sequence from the end.
    """

    name: str
    column: int
    squash: Squash
    sources: tuple[UnitSource, ...]
    reverse: bool


@dataclass(frozen=True, slots=True)
class Term:
    """One weight times one value.

    Parameters
    ----------
    signal, index
        Which number of which signal, as in :class:`UnitSource`.
    lag
        How many steps before, in the order of processing.
    weight, value
        What is multiplied.
    factor
        The gate that multiplies the product; 1 without.
    gate
        The array of the trace that holds it; empty without.
    """

    signal: str
    index: int
    lag: int
    weight: float
    value: float
    factor: float = 1.0
    gate: str = ""

    @property
    def product(self) -> float:
        """What the term adds to the sum."""
        return self.factor * self.weight * self.value


@dataclass(frozen=True, slots=True)
class Terms:
    """A pre-activation at one step, taken apart.

    Parameters
    ----------
    largest
        The terms that add or subtract the most, the largest first; none that is zero.
    rest
        What all other terms come to.
    others
        How many of those are not zero.
    bias
        All that is added whatever is read, after its gate.
    total
        The sum of everything, in float64; within rounding the pre-activation in the trace.
    """

    largest: tuple[Term, ...]
    rest: float
    others: int
    bias: float
    total: float


def unit_sums(trace: Trace, prefix: str, unit: int, network: Network | nn.Module | None = None) -> tuple[UnitSum, ...]:
    """Return the sums that a unit's gates, candidate and whatever else is squashed are made of.

    Parameters
    ----------
    trace
        What the network did.
    prefix
        Of the layer and direction, ``"lstm.0"``.
    unit
        0-based.
    network
        The network; None for the one that the trace remembers.

    Returns
    -------
    tuple
        In the order in which the cell declares them; empty where it does not say how it sums.

    Raises
    ------
    TraceError
        If there is no network, it is not the one of the trace, it has no such layer or unit, or what enters the layer
        was not recorded.
    """
    from lstm_studio.engine.recurrences import recurrences

    every = recurrences(trace, network)
    found = next((each for each in every if each.layer.prefix == prefix), None)
    if found is None:
        known = ", ".join(each.layer.prefix for each in every)
        raise TraceError(f"There is no layer {prefix} in the trace.", f"Its layers: {known}.")
    if not 0 <= unit < found.layer.units:
        raise TraceError(f"There is no unit {unit} in {found.layer.units}.", "Units are counted from 0.")
    entering = _entering([each.layer.prefix for each in every], prefix, found.cell.states[0])

    def column(name: str) -> int:
        # Where the units of a block share a gate, it has a column for each block.
        return unit * int(trace[f"{prefix}.{name}"].shape[1]) // found.layer.units

    def of_unit(source: Source, row: int) -> UnitSource:
        return UnitSource(
            source.signal,
            entering if source.signal == INPUT.name else (f"{prefix}.{source.signal}",),
            source.weights[row].astype(np.float64),
            0.0 if source.bias is None else float(source.bias[row]),
            source.lag,
            (f"{prefix}.{source.gate}", column(source.gate)) if source.gate else None,
        )

    sums = found.cell.sums(found.weights)
    declared = (signal.name for signal in found.layer.signals)
    return tuple(
        UnitSum(
            f"{prefix}.{name}",
            column(name),
            sums[name].squash,
            tuple(of_unit(source, column(name)) for source in sums[name].sources),
            found.reverse,
        )
        for name in declared
        if name in sums
    )


def _entering(prefixes: list[str], prefix: str, state: str) -> tuple[str, ...]:
    """Return the arrays that a layer receives: the input, or the states of all directions of the layer below."""
    stack, _, number = prefix.removesuffix(".reverse").rpartition(".")
    if int(number) == 0:
        if stack != prefixes[0].rpartition(".")[0]:
            raise TraceError(f"What enters {prefix} is not in the trace.", f"Ask for layers of {prefixes[0]}.")
        return (INPUT.name,)
    below = f"{stack}.{int(number) - 1}"
    return tuple(f"{each}.{state}" for each in prefixes if re.fullmatch(rf"{re.escape(below)}(\.reverse)?", each))


def terms_at(unit_sum: UnitSum, trace: Trace, step: int, largest: int = 4) -> Terms:
    """Return the terms of a pre-activation at a step.

    Parameters
    ----------
    unit_sum
        As :func:`unit_sums` returns it, for this trace or for another of the same network, a what-if for example.
    trace
        Where the values are. Before its first step all states count as zero, as they do in every trace of a sequence
        that is run from its beginning.
    step
        0-based.
    largest
        How many terms to name.
    """
    weights, values, factors = [], [], []
    places: list[tuple[UnitSource, int]] = []
    bias = 0.0
    for source in unit_sum.sources:
        at = step + source.lag if unit_sum.reverse else step - source.lag
        factor = 1.0 if source.gate is None else float(trace[source.gate[0]][step, source.gate[1]])
        bias += factor * source.bias
        now = np.zeros(len(source.weights)) if not 0 <= at < trace.steps else _row(trace, source.arrays, at)
        weights.append(source.weights)
        values.append(now)
        factors.append(np.full(len(now), factor))
        places.append((source, len(now)))
    joined = tuple(np.concatenate(parts) for parts in (weights, values, factors))
    products = joined[2] * joined[0] * joined[1]
    # A NaN is the largest of all: it is what the sum is.
    sizes = np.where(np.isnan(products), np.inf, np.abs(products))
    order = np.argsort(-sizes, kind="stable")[: max(0, largest)]
    named = order[sizes[order] > 0]
    rest = np.ones(len(products), bool)
    rest[named] = False
    return Terms(
        tuple(_term(int(place), places, joined) for place in named),
        float(products[rest].sum()),
        int(np.count_nonzero(products[rest])),
        bias,
        float(products.sum()) + bias,
    )


def _row(trace: Trace, arrays: tuple[str, ...], step: int) -> NDArray[np.float64]:
    return np.concatenate([trace[name][step] for name in arrays]).astype(np.float64)


def _term(place: int, places: list[tuple[UnitSource, int]], joined: tuple[NDArray[Any], ...]) -> Term:
    weight, value, factor = (float(part[place]) for part in joined)
    index = place
    for source, length in places:
        if index < length:
            gate = "" if source.gate is None else source.gate[0]
            return Term(source.signal, index, source.lag, weight, value, factor, gate)
        index -= length
    raise IndexError(place)
