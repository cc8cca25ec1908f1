"""The upright axis of curves: its range and its ticks, linear or logarithmic; NumPy only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_studio.ui.numbers import format_decade, format_number, format_tick
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.training_plots.pictures import CurvePicture

_MARGIN = 0.06
"""Part of a range left free above and below curves whose range is not given."""
_HEADROOM = 0.12
"""Decades left free above and below on a logarithmic axis; below a decade, part of what the values go through."""
_STEPS = 8
"""Parts of a decade in which the ends of a logarithmic axis move; of half a decade where that is all, and so on."""
_LEAST_DECADES = 0.1
"""What a logarithmic axis shows at least: of a loss that hardly moves, not only how numbers are rounded."""
_LINEAR_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_HALVES = (0.1, 0.2, 0.5)
_STRIDES = (20, 10, 5, 2, 1)
_MOST_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """A range of values, or of exponents of ten.

    Parameters
    ----------
    low, high
        ``low < high``; exponents where ``log``.
    log
        Whether it is logarithmic.
    """

    low: float = 0.0
    high: float = 1.0
    log: bool = False

    def fraction(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 0 at the low end … 1 at the high end; not-a-number for what has no place."""
        at = np.asarray(values, np.float64)
        usable = np.isfinite(at) & (at > 0) if self.log else np.isfinite(at)
        if not usable.all():
            at = np.where(usable, at, np.nan)
        if self.log:
            at = np.log10(at)
        return np.asarray((at - self.low) / (self.high - self.low), np.float64)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return (value, text) of about ``most`` round values, from the low end up."""
        if not self.log:
            return self._linear_ticks(most)
        exponents = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
        if len(exponents) >= 2:
            strides = (nice_step(len(exponents) / most), *_STRIDES)
            shown = next(found for stride in strides if len(found := [e for e in exponents if e % stride == 0]) > 1)
            return [(10.0**exponent, format_decade(exponent)) for exponent in shown]
        # Less than two decades: their parts say more.
        span = range(math.floor(self.low), math.ceil(self.high) + 1)
        parts = (digit * 10.0**exponent for exponent in span for digit in (1, 2, 5))
        ticks = [(value, format_tick(value)) for value in parts if self.low <= math.log10(value) <= self.high]
        if len(ticks) > 1:
            return ticks
        # Evenly spaced values lie the nearer to each other the higher they are: so many times at the upper end.
        length = self.high - self.low
        nearer = (1 - 10.0**-length) / (math.log(10) * length)
        return ValueAxis(10.0**self.low, 10.0**self.high)._linear_ticks(max(2, 1 + int((most - 1) * nearer)))

    def _linear_ticks(self, most: int) -> list[tuple[float, str]]:
        least = (self.high - self.low) / max(1, most - 1)
        decade = 10.0 ** math.floor(math.log10(least))
        wanted = next(place for place, step in enumerate(_LINEAR_STEPS) if step * decade >= least * (1 - 1e-9))
        # A single one does not say how large anything is.
        distances = [step * decade for step in reversed((*_HALVES, *_LINEAR_STEPS[: wanted + 1]))]
        distance = next(distance for distance in distances if len(self._multiples(distance)) > 1)
        values = self._multiples(distance)
        decimals = next((n for n in range(_MOST_DECIMALS) if math.isclose(round(distance, n), distance)), -1)
        if decimals < 0 or max(map(abs, values), default=0.0) >= 1e6:
            return [(value, format_tick(value)) for value in values]
        # All with as many digits: 0.0, 0.5, 1.0.
        return [(value, format_number(value, decimals)) for value in values]

    def _multiples(self, distance: float) -> list[float]:
        begin, end = math.ceil(self.low / distance - 1e-9), math.floor(self.high / distance + 1e-9)
        return [index * distance for index in range(begin, end + 1)]


def axis_of(picture: CurvePicture) -> ValueAxis:
    """Return the axis of a picture: the one that is given, or one that holds everything finite in it."""
    if picture.log:
        return _log_axis(picture)
    return ValueAxis(*(picture.levels or _linear_levels(picture)))


def _log_axis(picture: CurvePicture) -> ValueAxis:
    lows, highs = [], []
    for values in _values_of(picture):
        usable = values[np.isfinite(values) & (values > 0)]
        if usable.size:
            lows.append(math.log10(float(usable.min())))
            highs.append(math.log10(float(usable.max())))
    if not lows:
        return ValueAxis(-1.0, 0.0, log=True)
    low, high = min(lows), max(highs)
    beside = max(0.0, _LEAST_DECADES - (high - low)) / 2
    low, high = low - beside, high + beside
    # Values that move within a tenth of a decade would be a straight line on a whole one.
    span = min(1.0, high - low)
    # In steps, so that not every new value moves all others.
    step = 2.0 ** math.ceil(math.log2(span)) / _STEPS
    ends = (math.floor((low - _HEADROOM * span) / step) * step, math.ceil((high + _HEADROOM * span) / step) * step)
    return ValueAxis(*ends, log=True)


def _linear_levels(picture: CurvePicture) -> tuple[float, float]:
    """Return a range that begins at 0 where nothing is below."""
    lows, highs = [], []
    for values in _values_of(picture):
        usable = values[np.isfinite(values)]
        if usable.size:
            lows.append(float(usable.min()))
            highs.append(float(usable.max()))
    if not lows:
        return (0.0, 1.0)
    low, high = min(lows), max(highs)
    if 0 <= low <= high / 2 or low == high == 0:
        return (0.0, high * (1 + _MARGIN) or 1.0)
    margin = (high - low) * _MARGIN or abs(high) * _MARGIN
    return (low - margin, high + margin)


def _values_of(picture: CurvePicture) -> Iterator[NDArray[np.float64]]:
    for line in picture.lines:
        yield line.y
    for band in picture.bands:
        yield band.low
        yield band.high
    yield np.array([reference.value for reference in picture.references], np.float64)
