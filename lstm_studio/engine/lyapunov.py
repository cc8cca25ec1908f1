"""Lyapunov exponents of a network driven by a sequence: its whole memory in a few numbers.

The mean rate, per step, at which small changes of the state grow along the trajectory: where the largest exponent is
below zero, gradients vanish; where it is above, they explode (Engelken, Wolf & Abbott 2023).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lstm_studio.arguments import whole_number
from lstm_studio.engine.devices import one_blas_thread
from lstm_studio.engine.recurrences import Recurrence, recurrences, refuse_changes
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.network import Network

_TRANSIENT = 10
"""One step of so many is left to the directions to turn to where they belong, before their growth is counted."""


def lyapunov_exponents(
    trace: Trace, network: Network | nn.Module | None = None, *, count: int = 8
) -> dict[str, NDArray[np.float64]]:
    """Return the largest Lyapunov exponents of each layer and direction, driven by what it receives in the trace.

    ``count`` random directions in the space of all states together (hidden and cell state) go through the Jacobians of
    the steps and are made orthogonal again after each, by a QR decomposition; the exponents are the mean logarithms of
    the factors (Benettin et al. 1980). They go backwards, through the transposed Jacobians, whose exponents are the
    same. The last tenth of the steps, where they start, is not counted.

    Parameters
    ----------
    trace
        What the network did; the longer, the closer to the limit of many steps.
    network
        The network; None for the one that the trace remembers.
    count
        How many exponents; at least 1. All there are, where there are fewer.

    Returns
    -------
    dict
        Prefix of the layer → (k,) float64 in natural logarithms per step, falling; below −30, to rounding −inf, for
        directions that are lost at once; NaN where the Jacobians are not finite. All exponents of a layer add up to the
        mean of log |det J|.

    Raises
    ------
    TraceError
        If there is no network, it is not the one of the trace, or ``count`` is below 1.
    """
    count = whole_number("count", count, TraceError, least=1)
    refuse_changes(trace)
    return {found.layer.prefix: _exponents(found, count) for found in recurrences(trace, network)}


def _exponents(recurrence: Recurrence, count: int) -> NDArray[np.float64]:
    pull_back = recurrence.cell.pull_back(recurrence.weights, recurrence.signals)
    none = tuple(np.zeros((1, recurrence.signals[state].shape[1])) for state in recurrence.cell.states)
    # A recurrence may read more than the states that have a name.
    sizes = [part.shape[1] for part in pull_back(recurrence.steps - 1, none).before]
    cuts = np.cumsum(sizes)[:-1]
    whole = sum(sizes)
    start = np.random.default_rng(0).standard_normal((whole, min(count, whole)))
    directions: NDArray[Any] = np.linalg.qr(start)[0]  # (N, k)
    growth = np.zeros(directions.shape[1])
    transient = recurrence.steps // _TRANSIENT
    with np.errstate(all="ignore"), one_blas_thread():
        for done, step in enumerate(reversed(range(recurrence.steps))):
            rows = tuple(np.split(directions.T, cuts, axis=1))
            stretched = np.concatenate(pull_back(step, rows).before, axis=1)
            if not np.isfinite(stretched).all():
                return np.full(len(growth), np.nan)
            directions, triangle = np.linalg.qr(stretched.T)
            if done >= transient:
                growth += np.log(np.abs(np.diag(triangle)))
    exponents: NDArray[np.float64] = np.sort(growth / (recurrence.steps - transient))[::-1]
    return exponents
