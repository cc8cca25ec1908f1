"""Temporal order with three events: three bits to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from lstm_studio.tasks.temporal_order import TemporalOrder


@dataclass(frozen=True)
class TemporalOrderThree(TemporalOrder):
    """Experiment 6b of Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (8), 1997.

    As :class:`~lstm_studio.tasks.temporal_order.TemporalOrder`, with X or Y at three steps: t1 ∈ [10, 20],
    t2 ∈ [33, 43], t3 ∈ [66, 76], lengths 100 to 110, and eight classes. Another ``length`` scales the ranges with it,
    rounded down.

    Parameters
    ----------
    length
        Shortest length in steps, at least 20.
    spread
        How much longer a sequence may be, at least 0.
    """

    percents: ClassVar[tuple[tuple[int, int], ...]] = ((10, 20), (33, 43), (66, 76))
    name: ClassVar[str] = "temporal-order-three"
    title: ClassVar[str] = "Temporal order, three events"
    shows: ClassVar[str] = "Three events, X or Y, far apart: at the last step, which three, in which order?"
    answers: ClassVar[tuple[str, ...]] = tuple("".join(three) for three in product("XY", repeat=3))
    chance_words: ClassVar[str] = "all eight classes equally likely: loss ln 8 = 2.079, accuracy 0.125"
