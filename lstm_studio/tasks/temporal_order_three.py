"""Temporal order with three events: three bits to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

_START, _END, _DISTRACTORS, _EVENTS = 0, 1, (2, 6), 6


@dataclass(frozen=True)
class TemporalOrderThree(Task):
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

    length: int = 100
    spread: int = 10

    name: ClassVar[str] = "temporal-order-three"
    title: ClassVar[str] = "Temporal order, three events"
    shows: ClassVar[str] = "Three events, X or Y, far apart: at the last step, which three, in which order?"
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.ONE_HOT
    features: ClassVar[tuple[str, ...]] = ("E", "B", "a", "b", "c", "d", "X", "Y")
    answers: ClassVar[tuple[str, ...]] = tuple("".join(three) for three in product("XY", repeat=3))
    chance_words: ClassVar[str] = "all eight classes equally likely: loss ln 8 = 2.079, accuracy 0.125"
    solved_words: ClassVar[str] = "all outputs within 0.3 of the target on 2,000 sequences in a row, mean error < 0.1"

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, 20)
        at_least(self.name, "spread", self.spread, 0)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The ranges of t1, t2 and t3, counted from 1, inclusive."""
        return tuple(
            (self.length * low // 100, self.length * high // 100) for low, high in ((10, 20), (33, 43), (66, 76))
        )

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the class is scored at each one's last step."""
        each = np.arange(count)
        lengths = rng.integers(self.length, self.length + self.spread, size=count, endpoint=True)
        places = [rng.integers(low, high, size=count, endpoint=True) for low, high in self.ranges]
        events = rng.integers(2, size=(3, count))
        longest = int(lengths.max())
        symbols = rng.integers(*_DISTRACTORS, size=(longest, count))
        symbols[0] = _START
        for place, event in zip(places, events, strict=True):
            symbols[place - 1, each] = _EVENTS + event
        symbols[lengths - 1, each] = _END
        inside = np.arange(longest)[:, None] < lengths
        inputs = np.eye(len(self.features), dtype=np.float32)[symbols] * inside[..., None].astype(np.float32)
        scored = np.zeros((longest, count), np.bool_)
        scored[lengths - 1, each] = True
        targets = np.zeros((longest, count, len(self.answers)), np.float32)
        targets[lengths - 1, each, 4 * events[0] + 2 * events[1] + events[2]] = 1.0
        return Batch(inputs, targets, scored, lengths)

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for every class."""
        return np.full(batch.targets.shape, 1.0 / len(self.answers))

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - the paper's criterion is absolute
        """Return whether the paper's criterion holds; it needs at least 2,000 sequences."""
        return reached.sequences >= 2000 and reached.within == 1.0 and reached.squared_error < 0.1
