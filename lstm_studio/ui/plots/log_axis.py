"""The absolute log axis that all gradient curves share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = (1, 2, 5, 10, 25, 50, 100)
_NOTHING = (-1, 0)
"""Decades shown where no value is above zero."""


@dataclass(frozen=True, slots=True)
class LogAxis:
    """Whole decades from ``low`` to ``high``, exponents of ten."""

    low: int
    high: int

    def fraction(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return 0 at the low end … 1 at the high end; not-a-number for 0 and what is not finite."""
        values = np.asarray(values, np.float64)
        logarithm = np.full(values.shape, np.nan)
        np.log10(values, out=logarithm, where=np.isfinite(values) & (values > 0))
        return (logarithm - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[int]:
        """Return exponents for at most ``most`` ticks: every 5 decades, fewer apart where the range is small."""
        span = self.high - self.low
        preferred = 5 if span >= 10 else 2 if span >= 5 else 1
        for step in (step for step in _STEPS if step >= preferred):
            ticks = [exponent for exponent in range(self.low, self.high + 1) if exponent % step == 0]
            if len(ticks) <= max(2, most):
                return ticks
        return [self.low, self.high]


def log_axis(curves: Iterable[NDArray[Any]]) -> LogAxis:
    """Return the smallest range of whole decades that holds every positive finite value of all curves."""
    lows, highs = [], []
    for values in curves:
        positive = values[np.isfinite(values) & (values > 0)]
        if positive.size:
            lows.append(int(np.floor(np.log10(positive.min()))))
            highs.append(int(np.ceil(np.log10(positive.max()))))
    low, high = (min(lows), max(highs)) if lows else _NOTHING
    return LogAxis(low, high if high > low else low + 1)
