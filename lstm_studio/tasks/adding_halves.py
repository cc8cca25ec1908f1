"""The adding problem as later papers have it: one mark in each half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least


@dataclass(frozen=True)
class AddingHalves(Task):
    """The form of Arjovsky, Shah & Bengio, "Unitary evolution recurrent neural networks", ICML 2016.

    All sequences have the same length. Each step has a value, uniform in [0, 1], and a marker: 1 at one uniformly drawn
    step of each half, else 0. The target at the last step is the sum of the two marked values. The paper has no
    "solved"; here it is a tenth of the chance line's squared error.

    Parameters
    ----------
    length
        T, at least 4.
    """

    length: int = 100

    name: ClassVar[str] = "adding-halves"
    title: ClassVar[str] = "Adding, one mark in each half"
    shows: ClassVar[str] = "The form of the adding problem that later papers compare on."
    readout: ClassVar[Readout] = "values"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = ("value", "marker")
    answers: ClassVar[tuple[str, ...]] = ("sum",)
    chance_words: ClassVar[str] = "always 1: squared error 1/6 = 0.167"
    solved_words: ClassVar[str] = "mean squared error below a tenth of chance, 0.0167"

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, 4)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the sum is scored at the last step."""
        each, half = np.arange(count), self.length // 2
        values = rng.uniform(size=(self.length, count))
        markers = np.zeros((self.length, count))
        places = rng.integers(half, size=count), rng.integers(half, self.length, size=count)
        total = np.zeros(count)
        for place in places:
            markers[place, each] = 1.0
            total += values[place, each]
        scored = np.zeros((self.length, count), np.bool_)
        scored[-1] = True
        targets = np.zeros((self.length, count, 1), np.float32)
        targets[-1, :, 0] = total
        inputs = np.stack([values, markers], axis=-1).astype(np.float32)
        return Batch(inputs, targets, scored, np.full(count, self.length, np.int64))

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return 1, the mean of the targets."""
        return np.ones(batch.targets.shape)

    def solved(self, reached: Score, chance: Score) -> bool:
        """Return whether the error is below a tenth of that of the chance line."""
        return reached.squared_error < 0.1 * chance.squared_error
