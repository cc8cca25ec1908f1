"""Temporal order: two events far apart, and at the end the question which came first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

_START, _END, _DISTRACTORS, _EVENTS = 0, 1, (2, 6), 6


@dataclass(frozen=True)
class TemporalOrder(Task):
    """Experiment 6a of Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (8), 1997.

    A sequence starts with E and ends with B. At step t1 and at step t2 stands X or Y, each with probability 1/2; at
    all other steps one of a, b, c, d, each with probability 1/4. After the last step: XX, XY, YX or YY?

    With the defaults t1 ∈ [10, 20], t2 ∈ [50, 60] and the length is in [100, 110], all uniform and inclusive, as in
    the paper. The paper does not say where it counts from; here E stands at step 1. Another ``length`` scales t1 and
    t2 with it: t1 ∈ [length/10, length/5], t2 ∈ [length/2, 3·length/5], rounded down. The class-room version is
    ``TemporalOrder(length=50, spread=0)``.

    The paper has four sigmoid outputs and a squared error; here the outputs are the softmax of the read-out. Its
    "average error" is taken as the squared error summed over the four outputs and averaged over the sequences.

    Parameters
    ----------
    length
        Shortest length in steps, at least 20.
    spread
        How much longer a sequence may be, at least 0.
    """

    length: int = 100
    spread: int = 10

    percents: ClassVar[tuple[tuple[int, int], ...]] = ((10, 20), (50, 60))
    """Where each event may stand, in percent of the shortest length."""
    name: ClassVar[str] = "temporal-order"
    title: ClassVar[str] = "Temporal order"
    shows: ClassVar[str] = "Two events, X or Y, and a long wait: at the last step, which two, in which order?"
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.ONE_HOT
    features: ClassVar[tuple[str, ...]] = ("E", "B", "a", "b", "c", "d", "X", "Y")
    answers: ClassVar[tuple[str, ...]] = ("XX", "XY", "YX", "YY")
    chance_words: ClassVar[str] = "all four classes equally likely: loss ln 4 = 1.386, accuracy 0.25"
    solved_words: ClassVar[str] = "all outputs within 0.3 of the target on 2,000 sequences in a row, mean error < 0.1"

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, 20)
        at_least(self.name, "spread", self.spread, 0)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Where each event may stand: first and last step, counted from 1, inclusive."""
        return tuple((self.length * low // 100, self.length * high // 100) for low, high in self.percents)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the class is scored at each one's last step."""
        lengths = rng.integers(self.length, self.length + self.spread, size=count, endpoint=True)
        places = [rng.integers(low, high, size=count, endpoint=True) for low, high in self.ranges]
        events = rng.integers(2, size=(len(places), count))
        longest, each = int(lengths.max()), np.arange(count)
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
        # The events, read as the digits of a binary number.
        answers = (1 << np.arange(len(places))[::-1]) @ events
        targets[lengths - 1, each, answers] = 1.0
        return Batch(inputs, targets, scored, lengths)

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for every class: what a network that remembers neither event can say."""
        return np.full(batch.targets.shape, 1.0 / len(self.answers))

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - the paper's criterion is absolute
        """Return whether the paper's criterion holds; it needs at least 2,000 sequences."""
        return reached.sequences >= 2000 and reached.within == 1.0 and reached.squared_error < 0.1
