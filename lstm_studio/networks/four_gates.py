"""The four blocks of an LSTM's weights: what they make, through which function, and what is constant where one is held.

PyTorch's LSTM has them, and the cell that reads its memory in another way.
"""

from __future__ import annotations

from lstm_studio.networks.signals import (
    ADMITTED,
    CANDIDATE,
    FORGET_GATE,
    INPUT_GATE,
    OUTPUT_GATE,
    RETAINED,
    preactivation,
)
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
