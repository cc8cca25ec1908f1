"""Weights and a first memory with which an LSTM comes to what is held by itself: its fused kernel then does all steps.

A gate into which nothing enters but a bias is constant. A unit reaches the others by its hidden state only, so that
where its memory is held, it may come to it in any way: forget nothing, admit nothing, and begin with it. A hidden state
is held as the memory whose tanh it is, behind an open output gate. What such a unit's gates would have been, and the
memory behind a hidden state that is held, follow afterwards from the hidden states of all units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.cell import Held, Layer
from lstm_studio.networks.four_gates import BEFORE, IN_WEIGHT_ORDER, SQUASHES
from lstm_studio.networks.kernel_gates import are_same
from lstm_studio.networks.scan import linear_scan
from lstm_studio.networks.signals import ADMITTED, CELL_STATE, HIDDEN_STATE, RETAINED
from lstm_studio.networks.slopes import squashed
from lstm_studio.networks.sums import Squash

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]

_SATURATED = 1e4
"""From a sum so far from 0 every gate is at the end of its range, to the last bit of float64; its square is finite."""
_INF = float("inf")
_INPUT, _FORGET, _CANDIDATE, _OUTPUT = range(len(BEFORE))
_KEEPING = {_INPUT: -_INF, _FORGET: _INF, _CANDIDATE: 0.0}
"""The sums of the gates of a unit that keeps the memory that it has."""
_SHOWING = _KEEPING | {_OUTPUT: _INF}
"""Those of one that shows it, too."""


class HeldByWeights(NamedTuple):
    """What makes an LSTM come to what is held.

    Parameters
    ----------
    layer
        Of new tensors, with both biases.
    start
        (H,), the cell state before the first step.
    instead
        Rows of the weights whose gates are made constant only to hold what follows from them.
    """

    layer: Layer[Tensor]
    start: Tensor
    instead: list[int]


def held_by_weights(layer: Layer[Tensor], start: Tensor, held: Held) -> HeldByWeights | None:
    """Return weights and a first cell state that hold some values; None where nothing comes to one of them.

    Parameters
    ----------
    layer
        Without a projection.
    start
        (H,), the cell state before the first step.
    held
        Any signals.
    """
    units = len(start)
    with np.errstate(all="ignore"):
        gates = _sums_of_gates(held, units)
        states, memories = _sums_of_states(held, units)
    if any(np.isnan(value) for sums in (gates, states, memories) for value in sums.values()):
        return None
    sums = gates | states
    none = layer.input.new_zeros(len(layer.input))
    biases = [none if bias is None else bias for bias in (layer.input_bias, layer.recurrent_bias)]
    every = (layer.input, layer.recurrent, *biases, start)
    into, recurrent, bias, other, begin = (weight.detach().clone() for weight in every)
    rows = list(sums)
    for weight in (into, recurrent, other):
        weight[rows] = 0
    bias[rows] = none.new_tensor(list(sums.values())).clamp(-_SATURATED, _SATURATED)
    begin[list(memories)] = none.new_tensor(list(memories.values()))
    constant = replace(layer, input=into, recurrent=recurrent, input_bias=bias, recurrent_bias=other)
    return HeldByWeights(constant, begin, list(states))


def _sums_of_gates(held: Held, units: int) -> dict[int, float]:
    """Return row of the weights → what it must sum up to for its gate to be as it is held; not-a-number for nothing."""
    sums: dict[int, float] = {}
    for block, (gate, (before, squash)) in enumerate(zip(IN_WEIGHT_ORDER, SQUASHES.items(), strict=True)):
        # A gate is held after its pre-activation, which then says nothing.
        for name, unsquash in ((before, np.asarray), (gate.name, np.arctanh if squash is Squash.TANH else _logit)):
            where, values = held.get(name, ([], []))
            sums |= zip((block * units + unit for unit in where), unsquash(np.array(values)).tolist(), strict=True)
    return sums


def _sums_of_states(held: Held, units: int) -> tuple[dict[int, float], dict[int, float]]:
    """Return row → what it must sum up to, and unit → the memory to begin with; not-a-number for nothing.

    In the order in which they follow from each other: what comes before a value that is held has no say in it.
    """
    sums: dict[int, float] = {}
    memories: dict[int, float] = {}
    for unit, value in _each(held, ADMITTED.name):
        sums[_INPUT * units + unit] = float(_logit(np.abs(np.float64(value))))
        sums[_CANDIDATE * units + unit] = float(np.copysign(_INF, value))
    for unit, value in _each(held, RETAINED.name):
        sums[_FORGET * units + unit] = np.nan if value else -_INF
    for unit, value in _each(held, CELL_STATE.name):
        sums |= {gate * units + unit: total for gate, total in _KEEPING.items()}
        memories[unit] = value
    for unit, value in _each(held, HIDDEN_STATE.name):
        sums |= {gate * units + unit: total for gate, total in _SHOWING.items()}
        memories[unit] = float(np.clip(np.arctanh(value), -_SATURATED, _SATURATED))
    return sums, memories


def _logit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the logistic function makes values of; not-a-number where it makes them of nothing."""
    return np.asarray(np.log(values) - np.log1p(-values))


def is_held(constant: HeldByWeights, cell_states: Array, hidden: Array, held: Held) -> bool:
    """Return whether the states of a call, (T, H), are those that it was to come to, but for rounding."""
    kept = sorted({unit for name in (CELL_STATE.name, HIDDEN_STATE.name) for unit, _ in _each(held, name)})
    shown, values = held.get(HIDDEN_STATE.name, ([], []))
    start = constant.start.numpy()[kept]
    return are_same(cell_states[:, kept], start) and are_same(hidden[:, shown], np.array(values, hidden.dtype))


def by_themselves(
    layer: Layer[Tensor],
    signals: Mapping[str, Array],
    entering: Array,
    before: tuple[Array, Array],
    *,
    instead: list[int],
    held: Held,
) -> dict[str, Array]:
    """Return those gates and cell states that others were put in place of, as they follow from the hidden states.

    Parameters
    ----------
    layer
        The weights as they are.
    signals
        What the call came to, (T, H): gates and cell state, and the hidden state with what is held of it.
    entering
        (T, F).
    before
        Hidden and cell state before the first step, (H,).
    instead
        As in :class:`HeldByWeights`.
    held
        What is held.
    """
    first, start = before
    units, rows = len(start), np.array(instead)
    sums = _sums(layer, rows, entering, first, signals[HIDDEN_STATE.name])
    found = {}
    for block, (gate, (argument, squash)) in enumerate(zip(IN_WEIGHT_ORDER, SQUASHES.items(), strict=True)):
        own = rows // units == block
        if not own.any():
            continue
        columns, arguments = rows[own] % units, sums[:, own]
        _put(arguments, columns, held, argument)
        exact = found[gate.name] = signals[gate.name].copy()
        exact[:, columns] = np.tanh(arguments) if squash is Squash.TANH else squashed(arguments)
        _put(exact, range(units), held, gate.name)
    shown, kept = (held.get(state, ([], []))[0] for state in (HIDDEN_STATE.name, CELL_STATE.name))
    if shown or kept:
        memories = found[CELL_STATE.name] = signals[CELL_STATE.name].copy()
        if shown:
            i, f, g = (found[IN_WEIGHT_ORDER[gate].name][:, shown] for gate in (_INPUT, _FORGET, _CANDIDATE))
            admitted, retained = i * g, np.zeros_like(f)
            _put(admitted, shown, held, ADMITTED.name)
            _put(retained, shown, held, RETAINED.name)
            f[:, np.isin(shown, held.get(RETAINED.name, ([], []))[0])] = 0
            memories[:, shown] = linear_scan(f, admitted + retained, start[shown])
        _put(memories, range(units), held, CELL_STATE.name)
    return found


def _sums(layer: Layer[Tensor], rows: NDArray[np.int_], entering: Array, first: Array, hidden: Array) -> Array:
    """Return what some rows of the weights sum up to at each step, (T, ·)."""
    weights = layer.map(lambda weight: weight.numpy()[rows])
    sums: Array = entering @ weights.input.T
    sums[0] += weights.recurrent @ first
    sums[1:] += hidden[:-1] @ weights.recurrent.T
    if weights.bias is not None:
        sums += weights.bias
    return sums


def _each(held: Held, name: str) -> Iterator[tuple[int, float]]:
    """Yield the units of which a signal is held, and at what."""
    return zip(*held.get(name, ([], [])), strict=True)


def _put(columns: Array, units: Sequence[int], held: Held, name: str) -> None:
    """Write what a signal is held at into those columns, (T, ·), whose units are given."""
    places = {unit: place for place, unit in enumerate(units)}
    for unit, value in _each(held, name):
        if unit in places:
            columns[:, places[unit]] = value
