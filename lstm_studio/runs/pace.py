"""Which steps of a training are sampled, and how a budget makes them fewer."""

from __future__ import annotations

import math
import statistics
from collections import deque

_FEWEST = 3
"""Sampled steps before a budget decides: the first ones load what is needed, and take longer than all that follow."""
_RECENT = 9


class Pace:
    """Says of each step whether it is sampled.

    Parameters
    ----------
    every
        Take a step of so many; the first one too.
    before
        Steps that were done earlier, of a run that goes on.
    budget
        Largest share of the training's time that may be spent on sampling, 0.01 for one percent; None for any.

    Attributes
    ----------
    every
        As it is now.
    """

    def __init__(self, every: int, before: int, budget: float | None) -> None:
        self.every = every
        self._budget = budget
        self._step = before
        self._next = -(-before // every) * every
        self._costs: deque[float] = deque(maxlen=_RECENT)
        self._steps: deque[float] = deque(maxlen=8 * _RECENT)
        self._sampled = 0

    def is_sampled(self) -> bool:
        """Return whether the step that comes is to be sampled."""
        return self._step >= self._next

    def took(self, step: float, own: float) -> bool:
        """Go on to the next step, and return whether there are to be fewer samples from now on.

        Parameters
        ----------
        step
            Seconds that the step took without being recorded.
        own
            Seconds that recording it took.
        """
        sampled = self.is_sampled()
        self._step += 1
        self._steps.append(step)
        if sampled:
            self._sampled += 1
            self._costs.append(own)
            self._next = self._step - 1 + self.every
        if self._budget is None or not sampled or self._sampled < _FEWEST:
            return False
        wanted = math.ceil(self.cost / max(self._budget * self.step, 1e-9))
        if wanted <= self.every:
            return False
        self.every = wanted
        self._next = self._step - 1 + wanted
        return True

    @property
    def cost(self) -> float:
        """Seconds that sampling a step takes, as of late."""
        return statistics.median(self._costs)

    @property
    def step(self) -> float:
        """Seconds that a step takes without being recorded, as of late."""
        return statistics.median(self._steps)
