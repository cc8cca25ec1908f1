"""What is looked for in a curve that grows: a value that is not finite, something that lasts, a jump.

Only what is new is looked at, never again what has been seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.like import Curve
from lstm_studio.session.thinning import has_grown

_PERSISTENT = 3
"""So many records in a row make an alarm of what may come and go."""
_WINDOW, _LEAST = 20, 5
"""A jump is one above the median of so many records before, of which there must be a few."""
_STARTING = 0.1
"""Below this part of the level at which a training began nothing counts as a jump: small numbers are noisy."""


class Seen:
    """What of a growing curve has been looked at."""

    def __init__(self) -> None:
        self._before: Curve | None = None
        self.seen = 0

    def begin(self) -> None:
        """Forget everything: the curve is another one."""

    def fresh(self, curve: Curve) -> Curve:
        """Return what has not been looked at yet; all of it where what was there has changed."""
        if not has_grown(self._before, curve):
            self.seen = 0
            self.begin()
        part = curve[0][self.seen :], curve[1][self.seen :]
        self._before, self.seen = curve, len(curve[0])
        return part


class Odd(Seen):
    """The first value that is not finite."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        """Know of none."""
        self.step: int | None = None
        """At which it was; None where all are finite."""
        self.value = math.nan

    def look(self, curve: Curve) -> None:
        """Go on with a curve that has grown."""
        steps, values = self.fresh(curve)
        if self.step is None and len(values) and not (finite := np.isfinite(values)).all():
            first = int(np.argmin(finite))
            self.step, self.value = int(steps[first]), float(values[first])


class Streak(Seen):
    """For how many records in a row something has been so."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        """Know of no record."""
        self.since = self.last = -1
        self.value = math.nan
        self._length = 0

    @property
    def holds(self) -> bool:
        """Whether it is so now, and has been for a few records."""
        return self._length >= _PERSISTENT

    def add(self, steps: NDArray[np.int64], so: NDArray[np.bool_], values: NDArray[np.float64]) -> None:
        """Go on with further records: whether it is so at each, and the value to tell."""
        if not len(steps):
            return
        others = np.flatnonzero(~so)
        begin = int(others[-1]) + 1 if len(others) else 0
        count = len(so) - begin
        if len(others) or not self._length:
            self._length = 0
            self.since = int(steps[begin]) if count else -1
        self._length += count
        self.last, self.value = int(steps[-1]), float(values[-1])


class Jumps(Seen):
    """Where values are many times the median of those just before.

    Parameters
    ----------
    factor
        How many times.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor
        self.begin()

    def begin(self) -> None:
        """Know of no jump."""
        self.count = 0
        """How many there were; the rest is about the last one."""
        self.step = -1
        self.before = self.peak = math.nan
        self.back: int | None = None
        """At which step the values had come back; None where they have not."""
        self._start: list[float] = []
        self._last: list[float] = []

    def look(self, curve: Curve) -> None:
        """Go on with a curve that has grown."""
        steps, values = self.fresh(curve)
        usable = np.isfinite(values)
        steps, values = steps[usable], values[usable]
        if not len(steps):
            return
        self._start += values[: max(0, _LEAST - len(self._start))].tolist()
        floor = _STARTING * float(np.median(self._start))
        history = np.array([*self._last, *values.tolist()])
        first = len(self._last)
        for index in _candidates(history, first, self._factor):
            median = float(np.median(history[max(0, index - _WINDOW) : index]))
            if history[index] >= floor and 0 < self._factor * median < history[index]:
                self._look_for_end(steps[: index - first], values[: index - first])
                self._take(int(steps[index - first]), float(history[index]), median)
        self._look_for_end(steps, values)
        self._last = history[-_WINDOW:].tolist()

    def _take(self, step: int, value: float, median: float) -> None:
        # It is the same jump until the values have come back.
        if self.count and self.back is None:
            if value > self.peak:
                self.peak, self.step = value, step
            return
        self.count += 1
        self.before, self.peak, self.step, self.back = median, value, step, None

    def _look_for_end(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        if self.count and self.back is None:
            after = np.flatnonzero((steps > self.step) & (values < 2 * self.before))
            if len(after):
                self.back = int(steps[after[0]])


def _candidates(history: NDArray[np.float64], first: int, factor: float) -> Sequence[int]:
    """Return indices from ``first`` on that may be jumps: only where they exceed the smallest before by the factor.

    To take the median everywhere would take a second for a long run.
    """
    count = len(history)
    least = np.full(count, np.inf)
    for back in range(1, min(_WINDOW, count - 1) + 1):
        np.minimum(least[back:], history[:-back], out=least[back:])
    may = (history > factor * least) & (np.arange(count) >= max(first, _LEAST))
    found: list[int] = np.flatnonzero(may).tolist()
    return found
