"""The squashing functions and their derivatives in float64 from their arguments, exact far into saturation.

``1 − tanh²`` and ``σ·(1 − σ)`` computed from the squashed value turn to zero as soon as that value rounds to ±1; a
gradient that is merely tiny would be shown as gone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sigmoid_slope(argument: NDArray[Any]) -> NDArray[np.float64]:
    """Return σ′(a) = e^−|a| / (1 + e^−|a|)² in float64, same shape, in 0…1/4."""
    decay = np.exp(-np.abs(argument.astype(np.float64)))
    slope: NDArray[np.float64] = decay / np.square(1.0 + decay)
    return slope


def tanh_slope(argument: NDArray[Any]) -> NDArray[np.float64]:
    """Return tanh′(a) = 4·e^−2|a| / (1 + e^−2|a|)² in float64, same shape, in 0…1."""
    return 4.0 * sigmoid_slope(2.0 * argument.astype(np.float64))


def sigmoid(argument: NDArray[Any]) -> NDArray[np.float64]:
    """Return σ(a) = 1 / (1 + e^−a) in float64, same shape, in 0…1."""
    with np.errstate(over="ignore"):
        # Where e^−a overflows, below −709, σ is below the smallest float64: 0 is right.
        decay = np.exp(-argument.astype(np.float64))
    decay += 1.0
    return np.reciprocal(decay, out=decay)


def squashed(argument: NDArray[Any]) -> NDArray[Any]:
    """Return σ(a) in the precision of a, same shape, in 0…1; e^−a may overflow on the way, which does no harm."""
    decay: NDArray[Any] = np.exp(-argument)
    decay += 1
    np.reciprocal(decay, decay)
    return decay


def log10_sigmoid(argument: NDArray[Any]) -> NDArray[np.float64]:
    """Return log10 σ(a) in float64, same shape, exact where σ(a) rounds to 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(-np.logaddexp(0.0, -argument.astype(np.float64)) / np.log(10.0))
