"""Which weighted sums of signals the pre-activations of a layer are: the products of matrix and vector, taken apart.

Each kind of cell declares its own; who explains a gate term by term is built from that and knows no kind by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any

from numpy.typing import NDArray

from lstm_studio.networks.cell import Layer
from lstm_studio.networks.signals import INPUT


class Squash(StrEnum):
    """What is done to a sum afterwards."""

    SIGMOID = "σ"
    TANH = "tanh"
    RELU = "relu"

    def of(self, value: float) -> float:
        """Return the squashed value."""
        match self:
            case Squash.SIGMOID:
                # Of two forms the one whose exponential does not overflow.
                power = math.exp(-abs(value))
                return (1.0 if value >= 0 else power) / (1.0 + power)
            case Squash.TANH:
                return math.tanh(value)
            case Squash.RELU:
                return value if value > 0 or math.isnan(value) else 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """A signal that a layer reads, with its weights: gate ⊙ (W v + b).

    Parameters
    ----------
    signal
        ``"input"`` for what enters the layer, else a signal that the layer declares.
    weights
        (R, N): a row for each of the sums, a column for each number of the signal.
    bias
        (R,), or None without.
    lag
        How many steps before, in the order of processing; before the first step everything is zero.
    gate
        The signal that multiplies the product, or empty.
    """

    signal: str
    weights: NDArray[Any]
    bias: NDArray[Any] | None = None
    lag: int = 0
    gate: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class WeightedSum:
    """What a pre-activation is the sum of, and what is done to it."""

    squash: Squash
    sources: tuple[Source, ...]


def block_sums(
    layer: Layer[NDArray[Any]],
    squashes: Mapping[str, Squash],
    state: str,
    *,
    rows: Sequence[int] = (),
    gated: Mapping[str, str] | None = None,
) -> dict[str, WeightedSum]:
    """Return the sums of a layer whose weights hold one block of rows after the other, and that reads its own state.

    Parameters
    ----------
    layer
        Its weights.
    squashes
        Pre-activation → what is done to it, in the order of the blocks.
    state
        The signal that ``layer.recurrent`` reads, of the step before.
    rows
        Of each block; equal shares unless given.
    gated
        Pre-activation → the gate that multiplies its product with the state.
    """
    rows = rows or [len(layer.input) // len(squashes)] * len(squashes)
    found = {}
    for (name, squash), stop, count in zip(squashes.items(), accumulate(rows), rows, strict=True):
        own = slice(stop - count, stop)

        def part(bias: NDArray[Any] | None, own: slice = own) -> NDArray[Any] | None:
            return None if bias is None else bias[own]

        entering = Source(INPUT.name, layer.input[own], part(layer.input_bias))
        before = Source(state, layer.recurrent[own], part(layer.recurrent_bias), 1, (gated or {}).get(name, ""))
        found[name] = WeightedSum(squash, (entering, before))
    return found
