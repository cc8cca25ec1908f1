"""Parity and the plain latch: tasks that look hard or long, and prove little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least


@dataclass(frozen=True)
class _Bit(Task):
    """What both have in common: one bit is asked for at the end of sequences of one length."""

    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = ("value",)
    chance_words: ClassVar[str] = "both answers equally likely: loss ln 2 = 0.693, accuracy 0.5"
    solved_words: ClassVar[str] = "every sequence right"

    def _asked(self, values: NDArray[np.float64], answer: NDArray[np.int64]) -> Batch:
        steps, count = values.shape
        scored = np.zeros((steps, count), np.bool_)
        scored[-1] = True
        targets = np.zeros((steps, count, 2), np.float32)
        targets[-1, np.arange(count), answer] = 1.0
        lengths = np.full(count, steps, np.int64)
        return Batch(values[..., None].astype(np.float32), targets, scored, lengths)

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for both answers."""
        return np.full(batch.targets.shape, 0.5)

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - right is right
        """Return whether every sequence is right."""
        return reached.accuracy == 1.0


@dataclass(frozen=True)
class Parity(_Bit):
    """Say whether the number of ones is odd. Bits are drawn with equal probability.

    Parameters
    ----------
    length
        Bits, at least 2.
    """

    length: int = 20

    name: ClassVar[str] = "parity"
    title: ClassVar[str] = "Parity"
    shows: ClassVar[str] = "Is the number of ones odd? One bit of memory, turned over by every one."
    caution: ClassVar[str] = (
        "Bad evidence for long memory: random guessing of weights solves it faster than learning does "
        "(Hochreiter & Schmidhuber 1996)."
    )
    answers: ClassVar[tuple[str, ...]] = ("even", "odd")

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, 2)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` strings of bits, as −1 and 1; the parity is scored at the last step."""
        bits = rng.integers(2, size=(self.length, count))
        return self._asked(np.where(bits == 1, 1.0, -1.0), bits.sum(axis=0) % 2)


@dataclass(frozen=True)
class Latch(_Bit):
    """The sign of the first value, after a wait in which nothing else happens (Bengio, Simard & Frasconi 1994).

    Parameters
    ----------
    length
        Steps, at least 2.
    noise
        Standard deviation of the Gaussian noise on the steps after the first, at least 0.
    """

    length: int = 50
    noise: float = 0.1

    name: ClassVar[str] = "latch"
    title: ClassVar[str] = "Plain latch"
    shows: ClassVar[str] = "The sign of the first value, after a wait in which nothing else happens."
    caution: ClassVar[str] = "Bad evidence for long memory: a push-button does it, and so do guessed weights."
    answers: ClassVar[tuple[str, ...]] = ("negative", "positive")

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, 2)
        at_least(self.name, "noise", self.noise, 0)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the sign is scored at the last step."""
        positive = rng.integers(2, size=count)
        values = rng.normal(0.0, self.noise, size=(self.length, count))
        values[0] = 2.0 * positive - 1.0
        return self._asked(values, positive)
