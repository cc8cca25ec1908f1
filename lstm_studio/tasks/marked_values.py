"""Sequences of values of which two are marked, and something is to be computed from the two at the end."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

_MARKED_EARLY = 10


@dataclass(frozen=True)
class MarkedValues(Task):
    """Two marked values, as in experiments 4 and 5 of Hochreiter & Schmidhuber (1997).

    Each step has a value and a marker. The length is uniform in [T, T + T/10]. One of the first ten steps is marked
    with 1, then another one of the first T/2 − 1 that is not yet; the markers of the first and the last step are −1,
    all others 0. Where the first step is chosen, its marker stays −1 and its value becomes the one that changes nothing
    (``neutral``): the paper sets that value so and does not say which marker the step has.
    """

    length: int = 100

    readout: ClassVar[Readout] = "values"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = ("value", "marker")
    tolerance: ClassVar[float] = 0.04
    low: ClassVar[float]
    """Smallest value."""
    neutral: ClassVar[float]
    """What a value becomes that is not to count."""

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, 2 * (_MARKED_EARLY + 1))

    @abstractmethod
    def target(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is asked for, (B,), from the two marked values, (B,) each."""

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the answer is scored at each one's last step."""
        each = np.arange(count)
        lengths = rng.integers(self.length, self.length + self.length // 10, size=count, endpoint=True)
        longest = int(lengths.max())
        early = rng.integers(_MARKED_EARLY, size=count)
        # One of the others: from the place of the first on, all places are one further.
        late = rng.integers(self.length // 2 - 2, size=count)
        late += late >= early
        values = rng.uniform(self.low, 1.0, size=(longest, count))
        for place in (early, late):
            values[0, place == 0] = self.neutral
        markers = np.zeros((longest, count))
        markers[early, each] = markers[late, each] = 1.0
        markers[0] = markers[lengths - 1, each] = -1.0
        inside = np.arange(longest)[:, None] < lengths
        inputs = np.stack([values, markers], axis=-1) * inside[..., None]
        scored = np.zeros((longest, count), np.bool_)
        scored[lengths - 1, each] = True
        targets = np.zeros((longest, count, 1), np.float32)
        targets[lengths - 1, each, 0] = self.target(values[early, each], values[late, each])
        return Batch(inputs.astype(np.float32), targets, scored, lengths)


@dataclass(frozen=True)
class Adding(MarkedValues):
    """Experiment 4: the values are uniform in [−1, 1] and the target is 0.5 + (X1 + X2)/4.

    The paper's "average training error" is taken as the squared error; with every absolute error below 0.04 it is below
    0.0016 anyway.

    Parameters
    ----------
    length
        T, at least 22.
    """

    name: ClassVar[str] = "adding"
    title: ClassVar[str] = "Adding"
    shows: ClassVar[str] = "Two values among many, held exactly until the end."
    answers: ClassVar[tuple[str, ...]] = ("0.5 + sum / 4",)
    chance_words: ClassVar[str] = "always 0.5: squared error 1/24 = 0.0417"
    solved_words: ClassVar[str] = (
        "absolute error below 0.04 on each of 2,000 sequences in a row, and a mean squared error below 0.01"
    )
    low: ClassVar[float] = -1.0
    neutral: ClassVar[float] = 0.0

    def target(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scaled sum."""
        return 0.5 + (first + second) / 4

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return 0.5, the mean of the targets."""
        return np.full(batch.targets.shape, 0.5)

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - the paper's criterion is absolute
        """Return whether the paper's criterion holds; it needs at least 2,000 sequences."""
        return reached.sequences >= 2000 and reached.within == 1.0 and reached.squared_error < 0.01


@dataclass(frozen=True)
class Multiplication(MarkedValues):
    """Experiment 5: the values are uniform in [0, 1] and the target is their product.

    Parameters
    ----------
    length
        T, at least 22.
    """

    name: ClassVar[str] = "multiplication"
    title: ClassVar[str] = "Multiplication"
    shows: ClassVar[str] = "Not only sums: the product of two values, held until the end."
    answers: ClassVar[tuple[str, ...]] = ("product",)
    chance_words: ClassVar[str] = "always 1/4: squared error 1/9 − 1/16 = 0.0486"
    solved_words: ClassVar[str] = "at most 13 of 2,000 sequences with an absolute error of 0.04 or more"
    low: ClassVar[float] = 0.0
    neutral: ClassVar[float] = 1.0

    def target(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the product."""
        return first * second

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return 1/4, the mean of the targets but for the rare first step."""
        return np.full(batch.targets.shape, 0.25)

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - the paper's criterion is absolute
        """Return whether the stricter of the paper's two criteria holds; it needs at least 2,000 sequences."""
        return reached.sequences >= 2000 and (1.0 - reached.within) * reached.sequences <= 13.5
