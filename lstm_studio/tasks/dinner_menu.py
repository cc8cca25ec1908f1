"""The dinner menu: the smallest possible memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

DINNERS = ("pizza", "salad", "sushi", "waffles")
FAST = "fast"
_WEEK = 7


@dataclass(frozen=True)
class DinnerMenu(Task):
    """Say every evening which dinner comes next.

    Yesterday's dinner decides today's, in the round pizza, salad, sushi, waffles, pizza, …; the first dinner is drawn
    with probability 1/4 each. One day of every week, drawn anew each week, is a fasting day without a dinner; it is
    never the very first day. After the fast the round goes on from the dinner before it. What is asked is always the
    next dinner that will be eaten, so the answer never depends on when the next fast is: on most days today's dinner
    tells it, and on a fasting day only memory does. The fasts of two weeks can meet, so the memory has to last two
    days at most.

    There are 4·6·7^(weeks − 1) different sequences, 8,232 for four weeks: held-out sequences can have been seen in
    training.

    Parameters
    ----------
    weeks
        At least 1; T is 7 times as many days.
    """

    weeks: int = 4

    name: ClassVar[str] = "dinner-menu"
    title: ClassVar[str] = "Dinner menu"
    shows: ClassVar[str] = "Yesterday's dinner decides today's; across a fasting day only a memory of it helps."
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.ONE_HOT
    features: ClassVar[tuple[str, ...]] = (*DINNERS, FAST)
    answers: ClassVar[tuple[str, ...]] = DINNERS
    chance_words: ClassVar[str] = "no memory: right after every dinner, a guess among four on a fasting day"
    solved_words: ClassVar[str] = "the next dinner is right on every day of every sequence"

    def __post_init__(self) -> None:
        at_least(self.name, "weeks", self.weeks, 1)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` menus; the next dinner is scored every day."""
        days = self.weeks * _WEEK
        fast_days = rng.integers(_WEEK, size=(self.weeks, count))
        fast_days[0] = rng.integers(1, _WEEK, size=count)
        fasting = (np.arange(_WEEK)[:, None] == fast_days[:, None, :]).reshape(days, count)
        eaten = np.cumsum(~fasting, axis=0)
        last = (rng.integers(len(DINNERS), size=count) + eaten - 1) % len(DINNERS)
        symbols = np.where(fasting, len(DINNERS), last)
        return Batch(
            inputs=np.eye(len(self.features), dtype=np.float32)[symbols],
            targets=np.eye(len(DINNERS), dtype=np.float32)[(last + 1) % len(DINNERS)],
            scored=np.ones((days, count), np.bool_),
            lengths=np.full(count, days, np.int64),
        )

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the next in the round after a dinner and equal probabilities on a fasting day."""
        fasting = batch.inputs[..., len(DINNERS) :] > 0.0
        successor = np.roll(batch.inputs[..., : len(DINNERS)], 1, axis=-1).astype(np.float64)
        return np.where(fasting, 1.0 / len(DINNERS), successor)

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - every day must be right
        """Return whether every answer is right."""
        return reached.accuracy == 1.0
