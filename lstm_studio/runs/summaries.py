"""What a few numbers say of a sampled step: the spread of every signal, and the gradient by lag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import CELL_STATE, HIDDEN_STATE
from lstm_studio.runs.format import EVERY_KEY, MOST_LAGS

Array = NDArray[Any]


def spread(trace: Trace) -> dict[str, float]:
    """Return the mean and the spread of every signal, and of gates how many stand near either end of their range."""
    values = {}
    for layer in trace.layers:
        for signal in layer.signals:
            name = f"{layer.prefix}.{signal.name}"
            flat = np.ascontiguousarray(trace[name]).ravel()
            mean = np.add.reduce(flat) / flat.size
            apart = flat - mean
            values[f"{name}.mean"] = float(mean)
            values[f"{name}.deviation"] = math.sqrt(apart.dot(apart) / flat.size)
            if signal.levels == (0.0, 1.0):
                values[f"{name}.below_0.1"] = np.count_nonzero(flat < 0.1) / flat.size
                values[f"{name}.above_0.9"] = np.count_nonzero(flat > 0.9) / flat.size
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
