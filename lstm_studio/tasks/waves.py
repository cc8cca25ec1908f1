"""Waves: forecasting the next value, with an honest baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import StudioError
from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

Shape = Literal["two-sine", "sine", "square"]

_SLOW, _FAST = (20.0, 40.0), (6.0, 12.0)


@dataclass(frozen=True)
class Waves(Task):
    """Say at every step what the next value of a noisy wave is.

    Each sequence has its own period and phase. ``"sine"`` and ``"square"`` have amplitude 1 and a period of 20…40
    steps; ``"two-sine"`` is the sum of two sines of amplitude 1/2, one with a period of 20…40, the other of 6…12
    steps. Periods and phases are uniform; Gaussian noise is added to every value, so no forecast can have an
    expected squared error below ``noise**2``.

    Parameters
    ----------
    shape
        ``"two-sine"``, ``"sine"`` or ``"square"``.
    length
        T, at least 2.
    noise
        Standard deviation of the noise, at least 0.
    """

    shape: Shape = "two-sine"
    length: int = 100
    noise: float = 0.05

    name: ClassVar[str] = "waves"
    title: ClassVar[str] = "Waves"
    shows: ClassVar[str] = "The next value of a noisy wave, against the honest baseline of repeating the last value."
    readout: ClassVar[Readout] = "values"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = ("value",)
    answers: ClassVar[tuple[str, ...]] = ("next value",)
    chance_words: ClassVar[str] = "repeat the last value"
    solved_words: ClassVar[str] = "mean squared error below that of repeating the last value"

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            raise StudioError(f"task {self.name!r}: shape is {self.shape!r}.", f"Give one of {get_args(Shape)}.")
        at_least(self.name, "length", self.length, 2)
        at_least(self.name, "noise", self.noise, 0)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` waves; the next value is scored at every step."""
        slow, fast = rng.uniform(*_SLOW, size=count), rng.uniform(*_FAST, size=count)
        phases = rng.uniform(0.0, 2.0 * np.pi, size=(2, count))
        step = np.arange(self.length + 1)[:, None]
        wave = np.sin(2.0 * np.pi * step / slow + phases[0])
        if self.shape == "square":
            wave = np.where(wave >= 0.0, 1.0, -1.0)
        elif self.shape == "two-sine":
            wave = 0.5 * wave + 0.5 * np.sin(2.0 * np.pi * step / fast + phases[1])
        noisy = (wave + rng.normal(0.0, self.noise, size=wave.shape)).astype(np.float32)[..., None]
        return Batch(
            inputs=noisy[:-1],
            targets=noisy[1:],
            scored=np.ones((self.length, count), np.bool_),
            lengths=np.full(count, self.length, np.int64),
        )

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the last value at every step."""
        return batch.inputs.astype(np.float64)

    def solved(self, reached: Score, chance: Score) -> bool:
        """Return whether the network forecasts better than repeating the last value does."""
        return reached.loss < chance.loss

    def right(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> NDArray[np.bool_]:
        """Return on which sequences the forecast is better than repeating the last value, (B,) bool."""
        wanted = batch.targets.astype(np.float64)
        reached = np.square(outputs - wanted).sum(axis=(0, 2))
        repeated = np.square(self.baseline(batch) - wanted).sum(axis=(0, 2))
        return np.asarray(reached < repeated, np.bool_)
