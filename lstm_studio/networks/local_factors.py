"""By what the gradient at each place inside one step of an LSTM is multiplied, for all steps at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.four_gates import BEFORE
from lstm_studio.networks.signals import ADMITTED, CELL_STATE, FORGET_GATE, INPUT_GATE, OUTPUT_GATE, RETAINED

_AFTER = (INPUT_GATE, FORGET_GATE, OUTPUT_GATE, ADMITTED, RETAINED, CELL_STATE)
FACTORED = tuple(signal.name for signal in (*_AFTER, *BEFORE))
"""The signals that the factors follow from."""
_LOST = 1e-30
"""Slopes that come below in less than float64 are lost: those of saturated units must not turn to zero."""


def local_factors(signals: Mapping[str, NDArray[Any]], steps: slice, out: NDArray[Any]) -> bool:
    """Write the local factors of some steps, in the precision of ``out``; return whether that holds them.

    Parameters
    ----------
    signals
        All of :data:`FACTORED`, (T, H).
    steps
        Which of the T.
    out
        (steps, 6, H): f; the factors of dL/dc in dL/da of i, f and g; that of dL/dm in dL/da of o, with m the exposed
        memory; and that of dL/dm in dL/dc.
    """
    a_i, a_f, a_g, a_o = (signals[signal.name][steps] for signal in BEFORE)
    i, f, o, c = (signals[signal.name][steps] for signal in (INPUT_GATE, FORGET_GATE, OUTPUT_GATE, CELL_STATE))
    # σ(−a) = 1 / (1 + e^a), and the slopes as in ``slopes``, with one exponential for all.
    decay = np.empty((5, *c.shape), out.dtype)
    decay[0], decay[1], decay[2] = a_i, a_f, a_o
    for place, argument in ((3, a_g), (4, c)):
        np.multiply(np.abs(argument), -2.0, decay[place])
    with np.errstate(over="ignore"):
        np.exp(decay, decay)
    complement = decay + 1
    np.reciprocal(complement, complement)
    slope = decay[3:]
    slope *= complement[3:]
    slope *= complement[3:]
    slope *= 4
    if out.dtype != np.float64 and not min(complement[:3].min(), slope.min()) > _LOST:
        return False
    out[:, 0] = f
    # g ⊙ i′ is l ⊙ (1 − i) and c_{t−1} ⊙ f′ is k ⊙ (1 − f), with the admitted l and the retained k.
    np.multiply(signals[ADMITTED.name][steps], complement[0], out[:, 1])
    np.multiply(signals[RETAINED.name][steps], complement[1], out[:, 2])
    np.multiply(i, slope[0], out[:, 3])
    exposed = np.tanh(c)
    exposed *= o
    np.multiply(exposed, complement[2], out[:, 4])
    np.multiply(o, slope[1], out[:, 5])
    return True
