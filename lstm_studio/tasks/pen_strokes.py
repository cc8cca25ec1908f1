"""Pen strokes: cursive letters run together, point by point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

# Points of a letter one unit high, from the base line on its left to the base line on its right.
LETTERS: dict[str, tuple[tuple[float, float], ...]] = {
    "e": ((0, 0), (0.35, 0.25), (0.45, 0.5), (0.25, 0.6), (0.1, 0.3), (0.3, 0.0), (0.6, 0.05)),
    "l": ((0, 0), (0.4, 0.5), (0.45, 1.2), (0.25, 1.3), (0.2, 0.5), (0.35, 0.0), (0.6, 0.05)),
    "u": ((0, 0.1), (0.15, 0.6), (0.15, 0.1), (0.35, 0.0), (0.5, 0.6), (0.5, 0.1), (0.75, 0.05)),
    "n": ((0, 0), (0.1, 0.6), (0.1, 0.0), (0.3, 0.6), (0.45, 0.5), (0.45, 0.0), (0.7, 0.05)),
    "o": ((0, 0.1), (0.35, 0.6), (0.1, 0.5), (0.1, 0.1), (0.35, 0.0), (0.5, 0.4), (0.7, 0.5)),
    "j": ((0, 0.1), (0.2, 0.6), (0.2, -0.5), (0.0, -0.8), (-0.1, -0.5), (0.3, 0.0), (0.5, 0.05)),
}
_POINTS = 12
"""Of one letter."""
_UP = 0.15
"""Probability that the pen is lifted between two letters."""


@dataclass(frozen=True)
class PenStrokes(Task):
    """Say where the pen goes next, and whether a letter ends here.

    Letters are drawn from six, each a smooth curve through a few points, sampled at twelve points, with a size, a slant
    and a little noise of their own. They follow one another without a gap; between two of them the pen is lifted with
    probability 0.15. Each step has (dx, dy, pen up); asked for are the next dx and dy, and 1 where the present letter
    ends.

    Parameters
    ----------
    letters
        In each sequence, at least 2.
    noise
        Standard deviation of the noise on each coordinate of a step, at least 0.
    """

    letters: int = 6
    noise: float = 0.005

    name: ClassVar[str] = "pen-strokes"
    title: ClassVar[str] = "Pen strokes"
    shows: ClassVar[str] = "Unsegmented handwriting: where the pen goes next, and where a letter ends."
    readout: ClassVar[Readout] = "values"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = ("dx", "dy", "pen up")
    answers: ClassVar[tuple[str, ...]] = ("next dx", "next dy", "letter ends")
    chance_words: ClassVar[str] = "repeat the last dx and dy; the share of steps at which a letter ends"
    solved_words: ClassVar[str] = "mean squared error below a third of the chance line's"

    def __post_init__(self) -> None:
        at_least(self.name, "letters", self.letters, 2)
        at_least(self.name, "noise", self.noise, 0)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; every step but the last is scored."""
        shapes = np.stack([_curve(points) for points in LETTERS.values()])
        chosen = rng.integers(len(shapes), size=(count, self.letters))
        moves = np.diff(shapes, axis=1)[chosen]
        moves = moves * rng.uniform(0.8, 1.2, size=(count, 1, 1, 1))
        slant = rng.uniform(-0.3, 0.3, size=(count, 1, 1))
        moves[..., 0] += slant * moves[..., 1]
        moves = moves.reshape(count, -1, 2) + rng.normal(
            0.0, self.noise, size=(count, moves.shape[1] * moves.shape[2], 2)
        )
        steps = moves.shape[1]
        ends = np.zeros((count, self.letters, steps // self.letters))
        ends[:, :, -1] = 1.0
        ends = ends.reshape(count, steps)
        up = ends * (rng.random((count, steps)) < _UP)
        strokes = np.concatenate([moves, up[..., None]], axis=-1).transpose(1, 0, 2)
        wanted = np.concatenate([moves[:, 1:], ends[:, :-1, None]], axis=-1).transpose(1, 0, 2)
        return Batch(
            inputs=strokes[:-1].astype(np.float32),
            targets=wanted.astype(np.float32),
            scored=np.ones((steps - 1, count), np.bool_),
            lengths=np.full(count, steps - 1, np.int64),
        )

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the last move, and how often letters end."""
        found = np.asarray(batch.inputs, np.float64).copy()
        found[..., 2] = batch.targets[..., 2].mean()
        return found

    def solved(self, reached: Score, chance: Score) -> bool:
        """Return whether the error is below a third of that of the chance line."""
        return reached.squared_error < chance.squared_error / 3


def _curve(points: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Return ``_POINTS + 1`` points on the Catmull–Rom spline through the given ones."""
    given = np.array([points[0], *points, points[-1]], np.float64)
    at = np.linspace(0, len(points) - 1, _POINTS + 1)
    piece = np.minimum(at.astype(int), len(points) - 2)
    t = (at - piece)[:, None]
    p0, p1, p2, p3 = (given[piece + offset] for offset in range(4))
    smooth = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return np.asarray(0.5 * smooth)
