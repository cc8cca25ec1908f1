"""The two-sequence problem: a noisy signal at the start, then noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

_INFORMATIVE = 3
_VARIANCE = 0.2
_SURE = 0.8


@dataclass(frozen=True)
class TwoSequence(Task):
    """Experiment 3c of Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (8), 1997.

    The first three values are 1 for one class and −1 for the other, each with Gaussian noise of variance 0.2; all
    others are that noise alone. The length is uniform in [T, T + T/10]. The class is asked for at the end.

    The paper's targets are 0.2 and 0.8 with Gaussian noise of variance 0.1, which makes the task one of learning
    conditional expectations. Here the two classes get the probabilities 0.2 and 0.8, the expectation itself: a network
    that is quite sure is wrong.

    Parameters
    ----------
    length
        T, at least 4.
    """

    length: int = 100

    name: ClassVar[str] = "two-sequence"
    title: ClassVar[str] = "Two sequences and noise"
    shows: ClassVar[str] = "A noisy signal at the start has to outlive a hundred steps of noise."
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = ("value",)
    answers: ClassVar[tuple[str, ...]] = ("negative", "positive")
    chance_words: ClassVar[str] = "both classes equally likely: loss ln 2 = 0.693, accuracy 0.5"
    solved_words: ClassVar[str] = "at least 99.5 % of the sequences classified right"

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, _INFORMATIVE + 1)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the class is scored at each one's last step."""
        each = np.arange(count)
        lengths = rng.integers(self.length, self.length + self.length // 10, size=count, endpoint=True)
        longest = int(lengths.max())
        positive = rng.integers(2, size=count)
        values = rng.normal(0.0, np.sqrt(_VARIANCE), size=(longest, count))
        values[:_INFORMATIVE] += 2.0 * positive - 1.0
        inside = np.arange(longest)[:, None] < lengths
        scored = np.zeros((longest, count), np.bool_)
        scored[lengths - 1, each] = True
        targets = np.zeros((longest, count, 2), np.float32)
        targets[lengths - 1, each, positive] = _SURE
        targets[lengths - 1, each, 1 - positive] = 1.0 - _SURE
        return Batch((values * inside)[..., None].astype(np.float32), targets, scored, lengths)

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for both classes."""
        return np.full(batch.targets.shape, 0.5)

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - right is right
        """Return whether nearly all are right: three noisy values leave a few undecided."""
        return reached.accuracy is not None and reached.accuracy >= 0.995
