"""The times of a sequence's steps: how they are written, and where an axis has its ticks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_studio.ui.numbers import format_scientific

_MOST_DECIMALS = 6
_COMMAS_FROM = 10_000
"""Below it a thousands comma would disfigure a year."""
_RESOLUTIONS = ("Y", "M", "D", "h", "m", "s", "ms", "us", "ns")
_PERIODS = (
    *(("ns", count) for count in (1, 10, 100)),
    *(("us", count) for count in (1, 10, 100)),
    *(("ms", count) for count in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *((unit, count) for unit in ("s", "m") for count in (1, 2, 5, 10, 15, 30)),
    *(("h", count) for count in (1, 2, 3, 6, 12)),
    *(("D", count) for count in (1, 7, 14)),
    *(("M", count) for count in (1, 3, 6)),
    *(("Y", count) for count in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
)
"""Stretches of the calendar between two ticks, from short to long."""
_ORIGINS = {"Y": 1970, "D": 3}
"""What to add to NumPy's count so that multiples are round: it counts years from 1970, and days from a Thursday where
weeks begin on Mondays."""


class Tick(NamedTuple):
    """A label of the axis: ``position`` in steps, 2.5 is halfway from the middle of step 2 to that of step 3."""

    position: float
    text: str


@dataclass(frozen=True, eq=False)
class Times:
    """When each step was.

    Parameters
    ----------
    values
        (T,) float64 or datetime64[ns]; may be irregular, run backwards or miss some.
    unit
        What numbers count, ``"s"``; empty for dates, and where it is not known.
    """

    values: NDArray[Any]
    unit: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def dates(self) -> bool:
        """Whether the times are dates, not numbers."""
        return bool(self.values.dtype.kind == "M")

    @property
    def title(self) -> str:
        """The label of the axis."""
        return f"time, {self.unit}" if self.unit and not self.dates else "time"

    def text(self, step: int) -> str:
        """Return a step's time with its unit, with as many digits as tell it from its neighbours."""
        bare = self._bare(step)
        return f"{bare} {self.unit}" if self.unit and not self.dates else bare

    def _bare(self, step: int) -> str:
        if self.dates:
            return _date_text(self.values[step], self._resolution)
        return _number_text(float(self.values[step]), self._decimals)

    @cached_property
    def _resolution(self) -> str:
        """The coarsest unit of the calendar in which every date is whole."""
        for unit in _RESOLUTIONS:
            whole = self.values.astype(f"datetime64[{unit}]")
            if ((whole == self.values) | np.isnat(self.values)).all():
                return unit
        return _RESOLUTIONS[-1]

    @cached_property
    def _decimals(self) -> int:
        """Decimals that tell neighbours apart; one more where that writes every time exactly."""
        times = self.values[np.isfinite(self.values)]
        apart = np.abs(np.diff(times))
        apart = apart[apart > 0]
        if not apart.size:
            apart = np.abs(times[times != 0])
        least = float(apart.min()) if apart.size else 1.0
        decimals = int(np.clip(np.ceil(-np.log10(least) - 1e-6), 0, _MOST_DECIMALS))
        exact = np.round(times, decimals + 1)
        if np.allclose(exact, times, rtol=1e-12, atol=1e-3 * least) and not np.allclose(
            np.round(times, decimals), times, rtol=1e-12, atol=1e-3 * least
        ):
            return decimals + 1
        return decimals

    @cached_property
    def _direction(self) -> int:
        """1 for times that never fall, −1 for times that never rise, 0 for others or where one is missing."""
        missing = np.isnat(self.values) if self.dates else ~np.isfinite(self.values)
        if missing.any():
            return 0
        steps = np.diff(self.values).astype(np.int64 if self.dates else np.float64)
        return 1 if (steps >= 0).all() else -1 if (steps <= 0).all() else 0

    @cached_property
    def _spacing(self) -> float:
        """The median distance of neighbours, in nanoseconds for dates."""
        steps = np.abs(np.diff(self.values).astype(np.float64))
        return float(np.median(steps)) if steps.size else 0.0

    def context(self, first: int, count: int) -> str:
        """Return the day on which all of the visible steps lie where ticks show the time of the day only, else ''."""
        if not self.dates or self._resolution in ("Y", "M", "D"):
            return ""
        days = self.values[first : first + count].astype("datetime64[D]")
        return str(days[0]) if count > 1 and (days == days[0]).all() else ""

    def choices(self, first: int, count: int, most: int) -> Iterator[list[Tick]]:
        """Yield sets of 2 … ``most`` ticks at round times, from the densest on; nothing where times are in disorder.

        Ticks of dates stand at the first step of each year, month, week, day, hour … and are written as coarsely. Ticks
        of numbers stand where the round value lies between the steps; where steps are irregular, at the step nearest to
        it, with that step's own time.

        Parameters
        ----------
        first, count
            The visible steps.
        most
            How many labels there is room for.
        """
        if not self._direction or count < 2:
            return
        for ticks in self._of_dates(first, count, most) if self.dates else self._of_numbers(first, count, most):
            if 2 <= len(ticks) <= most:
                yield ticks

    def _of_dates(self, first: int, count: int, most: int) -> Iterator[list[Tick]]:
        before = max(0, first - 1)
        visible = self.values[before : first + count]
        finest = _RESOLUTIONS.index(self._resolution)
        for unit, every in _PERIODS:
            if _RESOLUTIONS.index(unit) > finest:
                continue
            whole = visible.astype(f"datetime64[{unit}]")
            offset = _ORIGINS.get(unit, 0)
            period = (whole.astype(np.int64) + offset) // every
            begins = np.flatnonzero(np.diff(period)) + 1
            if before == first:
                start = (period[:1] * every - offset).astype(f"datetime64[{unit}]").astype(visible.dtype)
                if float((visible[:1] - start).astype(np.int64)[0]) <= self._spacing / 2:
                    begins = np.concatenate([[0], begins])
            if len(begins) <= most:
                yield [Tick(float(before + place), _period_text(visible[place], unit)) for place in begins.tolist()]

    def _of_numbers(self, first: int, count: int, most: int) -> Iterator[list[Tick]]:
        visible = self.values[first : first + count]
        low, high = sorted((float(visible[0]), float(visible[-1])))
        rising = visible * self._direction
        steps = np.abs(np.diff(visible))
        even = bool(steps.min() >= self._spacing / 2 and steps.max() <= self._spacing * 2)
        if high <= low:
            return
        decade = int(np.floor(np.log10((high - low) / most)))
        for exponent in range(decade, decade + 4):
            for digit in (1, 2, 5):
                step = digit * 10.0**exponent
                if step < self._spacing * 0.999:
                    continue
                numbers = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
                if not 2 <= len(numbers) <= most:
                    continue
                values = numbers * step
                at = np.interp(values * self._direction, rising, np.arange(count))
                if even:
                    decimals = max(0, -exponent)
                    texts = [_number_text(value, decimals) for value in values.tolist()]
                    pairs = zip((first + at).tolist(), texts, strict=True)
                    yield sorted(Tick(position, text) for position, text in pairs)
                else:
                    nearest = np.unique(_nearest(visible, values))
                    yield [Tick(float(first + place), self._bare(first + place)) for place in nearest.tolist()]


def _nearest(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the index of the time nearest to each value; ``times`` rise or fall, ``values`` lie within them."""
    falling = times[0] > times[-1]
    ordered = times[::-1] if falling else times
    right = np.clip(np.searchsorted(ordered, values), 1, len(ordered) - 1)
    place = np.where(values - ordered[right - 1] <= ordered[right] - values, right - 1, right)
    return len(times) - 1 - place if falling else place


def _number_text(value: float, decimals: int) -> str:
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    if value != 0 and abs(value) < 0.5 * 10.0**-_MOST_DECIMALS:
        return format_scientific(value)
    comma = "," if abs(value) >= _COMMAS_FROM else ""
    return f"{value + 0.0:{comma}.{decimals}f}".replace("-", "−")


def _date_text(time: Any, unit: str) -> str:
    # An hour without minutes would read like a day.
    return str(time.astype(f"datetime64[{'m' if unit == 'h' else unit}]")).replace("T", " ")


def _period_text(time: Any, unit: str) -> str:
    """Write a date as the label of a period: the time of the day alone, except at midnight."""
    if unit in ("Y", "M", "D"):
        return _date_text(time, unit)
    day, clock = _date_text(time, unit).split(" ")
    return day if time == time.astype("datetime64[D]") else clock
