"""What a few numbers say of a sampled step: the spread of every signal, dead units, and the gradient by lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import CELL_STATE, HIDDEN_STATE
from lstm_studio.runs.blocks import Block
from lstm_studio.runs.format import EVERY_KEY, MOST_LAGS

Array = NDArray[Any]

_PERCENT = (5, 25, 50, 75, 95)
_SHARES = np.array(_PERCENT) / 100
_ROUNDING = 1e-6
"""A product that comes out a little above a whole number is meant to be that number."""
_ONE = 0x3C00
"""The bits of 1 in float16."""
_DEAD = 1e-3


def spread(blocks: Sequence[Block]) -> dict[str, float]:
    """Return what a few numbers say of the values of every signal, over all steps and units.

    Returns
    -------
    dict
        ``….mean`` and ``….deviation`` of every signal; of gates also the shares ``….below_0.1`` and ``….above_0.9``,
        and the quantiles ``….quantile_5``, 25, 50, 75 and 95, rounded as float16 rounds.
    """
    values: dict[str, float] = {}
    for block in blocks:
        flat = block.whole.reshape(len(block.names), -1)
        count = flat.shape[1]
        means = np.add.reduce(flat, axis=1) / count
        apart = flat - means[:, None]
        deviations = np.sqrt(np.vecdot(apart, apart) / count)
        for place, (name, signal) in enumerate(zip(block.names, block.signals, strict=True)):
            values[f"{name}.mean"] = float(means[place])
            values[f"{name}.deviation"] = float(deviations[place])
            if signal.levels == (0.0, 1.0):
                values[f"{name}.below_0.1"] = np.count_nonzero(flat[place] < 0.1) / count
                values[f"{name}.above_0.9"] = np.count_nonzero(flat[place] > 0.9) / count
                found = _quantiles(block.halves[place].reshape(-1))
                values |= {f"{name}.quantile_{percent}": value for percent, value in zip(_PERCENT, found, strict=True)}
    return values


def _quantiles(halves: Array) -> list[float]:
    """Return the quantiles of a gate: of each the smallest value that so many percent of all do not exceed.

    From 0 to 1 the bits of float16 grow with the number that they stand for. To count how often each is there takes a
    tenth of the time of sorting.
    """
    counts = np.bincount(halves.view(np.uint16), minlength=_ONE + 1)
    if len(counts) > _ONE + 1:
        # Something is not a number, or outside.
        return [float(value) for value in np.quantile(halves, _SHARES, method="inverted_cdf")]
    places = np.cumsum(counts).searchsorted(_SHARES * len(halves) - _ROUNDING)
    found: list[float] = places.astype(np.uint16).view(np.float16).tolist()
    return found


def constant(traces: Sequence[Trace]) -> dict[str, float]:
    """Return the share of the units of every layer that are dead: whatever comes, they do not change.

    A unit is dead where its hidden state, over all steps of all sampled items, stays within a thousandth of the largest
    one of the layer, in size.

    Parameters
    ----------
    traces
        Of one module at one training step, one for each item of the batch that was sampled.

    Returns
    -------
    dict
        ``….hidden_state.constant``; empty where there is one step only, which cannot change.
    """
    values: dict[str, float] = {}
    for layer in traces[0].layers:
        name = f"{layer.prefix}.{HIDDEN_STATE.name}"
        there = [trace[name] for trace in traces if name in trace]
        if sum(map(len, there)) > 1:
            low, high = (np.array([end(states, axis=0) for states in there]) for end in (np.min, np.max))
            low, high = low.min(axis=0), high.max(axis=0)
            largest = max(float(high.max()), -float(low.min()))
            values[f"{name}.constant"] = float(np.mean(high - low <= _DEAD * largest))
    return values


def by_lag(traces: Sequence[Trace]) -> dict[str, dict[str, Any]]:
    """Return the norm of the gradient of states by how many steps before the last they were.

    Parameters
    ----------
    traces
        Of one module at one training step, one for each item of the batch that was sampled. A layer that reads backward
        counts from the first step, which is its last.

    Returns
    -------
    dict
        Layer → ``"hidden_state"`` and ``"cell_state"`` → √(mean over the items of ‖dL/dh_{T−k}‖²) for k = 0, 1, …;
        where there are more than 512, evenly thinned, and ``"every"`` says how. Empty without gradients.
    """
    found: dict[str, dict[str, Any]] = {}
    for layer in traces[0].layers:
        for state in (HIDDEN_STATE.name, CELL_STATE.name):
            name = f"norm.grad.{layer.prefix}.{state}"
            backward = layer.prefix.endswith(".reverse")
            rows = [trace[name] if backward else trace[name][::-1] for trace in traces if name in trace]
            if not rows:
                continue
            whole = _root_mean_square(rows)
            every = -(-len(whole) // MOST_LAGS)
            about = found.setdefault(layer.prefix, {})
            about[state] = whole[::every].tolist()
            if every > 1:
                about[EVERY_KEY] = every
    return found


def _root_mean_square(rows: list[Array]) -> Array:
    """Return the root of the mean square, at each place over the rows that reach so far, (the longest,) float64."""
    if len(rows) == 1:
        return rows[0]
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    there = np.arange(table.shape[1]) < np.array([[len(row)] for row in rows])
    largest = np.where(there, table, 0.0).max(axis=0)
    # Squares of vanishing gradients would be zero: each lag is brought to about 1 first.
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    squares = np.where(there, table / scale, 0.0) ** 2
    mean: Array = scale * np.sqrt(squares.sum(axis=0) / there.sum(axis=0))
    return mean
