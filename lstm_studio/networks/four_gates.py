"""The four blocks of an LSTM's weights: what they make, through which function, and what is constant where one is held.

PyTorch's LSTM has them, and the cell that reads its memory in another way.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.bounds import Bounds, Rounding, exactly, stacked
from lstm_studio.networks.signals import (
    ADMITTED,
    CANDIDATE,
    FORGET_GATE,
    INPUT_GATE,
    OUTPUT_GATE,
    RETAINED,
    preactivation,
)
from lstm_studio.networks.slopes import sigmoid
from lstm_studio.networks.sums import Squash

IN_WEIGHT_ORDER = (INPUT_GATE, FORGET_GATE, CANDIDATE, OUTPUT_GATE)
BEFORE = tuple(preactivation(signal) for signal in IN_WEIGHT_ORDER)
"""What they are squashed from, in the same order."""
SQUASHES = {
    signal.name: squash
    for signal, squash in zip(BEFORE, (Squash.SIGMOID, Squash.SIGMOID, Squash.TANH, Squash.SIGMOID), strict=True)
}
_INF = float("inf")
STOPS = {
    ADMITTED.name: {BEFORE[0].name: _INF, BEFORE[2].name: _INF},
    RETAINED.name: {BEFORE[1].name: _INF, FORGET_GATE.name: 0.0},
    **{signal.name: {preactivation(signal).name: _INF} for signal in IN_WEIGHT_ORDER},
    **{before.name: {before.name: _INF} for before in BEFORE},
}
"""As :attr:`~lstm_studio.networks.cell.Cell.stops` has them."""


class Reachable(NamedTuple):
    """Between which numbers lies what the four gates decide on, each (T, H)."""

    retained: Bounds
    cell_state: Bounds
    output_gate: Bounds


def reachable_by_gates(before: Bounds, c0: NDArray[Any], rounding: Rounding) -> Reachable:
    """Return between which numbers memory and output gate of an LSTM lie.

    A memory that forgets nothing may grow with the steps; what it is rounded off by then stays in it when it is small
    again.

    Parameters
    ----------
    before
        Of the pre-activations, (T, 4H).
    c0
        (H,), the cell state before the first step.
    rounding
        How sums are rounded off.
    """
    units = len(c0)
    i, f, g, o = (before.part(slice(gate * units, (gate + 1) * units)) for gate in range(4))
    admitted = i.through(sigmoid).times(g.through(np.tanh))
    forget = f.through(sigmoid)
    new = rounding.added(admitted.largest)
    c, off, kept, cells = exactly(c0), np.zeros(units), [], []
    for step in range(len(new)):
        retained = forget.row(step).times(c)
        off = forget.high[step] * off + rounding.added(retained.largest)
        kept.append(retained.widened(rounding.counting(off)))
        off += new[step]
        c = retained.plus(admitted.row(step))
        cells.append(c.widened(rounding.counting(off)))
    return Reachable(stacked(kept), stacked(cells), o.through(sigmoid))
